"""Parts of the documents that are made from the code: `python -m tests.architecture.documents`.

Between `<!-- made: NAME -->` and `<!-- end -->` a document holds what the code says; the test of
the same place compares the two, so that neither can drift from the other.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from engine.domain import checkup
from engine.domain.ids import Nanos
from engine.domain.quality import CHECKS, REFUSING
from engine.domain.vitals import HostVitals, Vitals
from engine.settings.model import Settings
from tests.architecture import sources
from tests.architecture.meanings import MEANINGS
from tui.cli.parser import build

ARCHITECTURE: Final = sources.ROOT / "docs/ARCHITECTURE.md"
MANUAL: Final = sources.ROOT / "docs/manual.md"
MADE: Final = re.compile(r"<!-- made: (?P<name>[\w-]+) -->\n.*?<!-- end -->", re.DOTALL)
ROOMS: Final = (
    *("engine/domain", "engine/stops", "engine/strategies", "engine/ports", "engine/transport"),
    *("engine/venues", "engine/venues/paper", "engine/venues/replay", "engine/venues/sim"),
    *("engine/store", "engine/notify", "engine/runtime", "engine/link", "engine/api"),
    *("engine/settings", "engine/bootstrap", "tui", "tui/widgets", "tui/panels", "tui/screens"),
    *("tui/past", "tui/cli"),
)
"""Inside to outside."""


def code_map() -> str:
    """Return every room and file of the product with the first sentence of its docstring."""
    known = sources.python_files(*sources.PRODUCT)
    lines: list[str] = []
    for room in ROOMS:
        files = [p for p in known if str(p.parent) == room and p.name != "__init__.py"]
        said = purpose(Path(room) / "__init__.py")
        lines += ["", f"### `{room}/`", "", said if files else "Nothing in it yet.", ""]
        lines += [f"- `{path.name}`: {purpose(path)}" for path in files]
    return "\n".join(lines).replace("\n\n\n", "\n\n").strip()


def purpose(path: Path) -> str:
    """Return the first sentence of a file's docstring; the second, too, where it is a word."""
    paragraph = (ast.get_docstring(sources.tree(path)) or "").partition("\n\n")[0]
    sentences = re.split(r"(?<=[.!?])\s+", " ".join(paragraph.split()))
    return " ".join(sentences[:2]) if len(sentences[0]) < 20 else sentences[0]


def leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted key, default) of every setting."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def settings() -> str:
    """Return the table of configuration keys."""
    rows = [
        f"| `{key}` | {_default(value)} | {meaning(key)} |"
        for key, value in leaves(Settings().model_dump())
    ]
    return "\n".join(["| key | default | meaning |", "|---|---|---|", *rows])


def meaning(key: str) -> str:
    """Return what a key means: in a user's words, else as its definition says it."""
    table: Any = Settings
    *above, name = key.split(".")
    for part in above:
        table = table.model_fields[part].annotation
    return MEANINGS.get(key) or _said(table).get(name, "")


def _said(table: type) -> dict[str, str]:
    """Return the docstrings of a settings table's fields."""
    tree = sources.tree(Path(f"{table.__module__.replace('.', '/')}.py"))
    body = next(
        n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == table.__name__
    ).body
    return {
        str(field.target.id): " ".join(str(text.value.value).split())
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }


def _default(value: object) -> str:
    if value in (None, (), {}):
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def commands() -> str:
    """Return the table of commands and options, from the parser itself."""
    rows = ["| command | what it does | options |", "|---|---|---|"]
    for name, text, parser in _commands():
        own = [a for a in parser._actions if a.dest != "help"]
        words = " ".join(_shown(a) for a in own if not a.option_strings)
        options = " ".join(f"`{_shown(a)}`" for a in own if a.option_strings)
        rows.append(f"| `holdfast {f'{name} {words}'.strip()}` | {text} | {options} |")
    return "\n".join(rows).replace("{", "").replace("}", "")


def _commands() -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    for action in build()._actions:
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                yield choice.dest, choice.help or "", action.choices[choice.dest]


def _shown(action: argparse.Action) -> str:
    value = action.metavar or (", ".join(action.choices) if action.choices else action.dest)
    value = str(value).upper() if not action.choices and not action.metavar else str(value)
    value = value.replace(", ", "\\|").replace("|", "\\|").replace("\\\\", "\\")
    if not action.option_strings:
        many = " …" if action.nargs == "+" else ""
        return f"[{value}]" if action.nargs == "?" else f"{value}{many}"
    takes = "" if action.nargs == 0 else f" {value}"
    return f"{action.option_strings[-1]}{takes}"


def health() -> str:
    """Return the table of health components: what their own file says they lose."""
    text = ast.get_docstring(ast.parse(Path(checkup.__file__).read_text("utf-8"))) or ""
    return "\n".join(line for line in text.splitlines() if line.startswith("|"))


def weights() -> dict[str, tuple[float, bool]]:
    """Return (weight, is critical) of each component as the engine computes them."""
    parts = checkup.examine(Vitals(Nanos(0), host=HostVitals(disk_free_mb=10_000))).components
    return {part.name: (part.weight, part.is_critical) for part in parts}


def quality() -> str:
    """Return the table of data-quality checks."""
    rows = [
        f"| `{name}` | {check.points:g} | {check.full:.0%} of "
        f"{'minutes' if check.is_timed else 'samples'} | "
        f"{'refused' if name in REFUSING else 'used, counted'} |"
        for name, check in CHECKS.items()
    ]
    return "\n".join(
        ["| check | points | all lost at | the sample is |", "|---|---|---|---|", *rows]
    )


PARTS: Final[Mapping[str, Callable[[], str]]] = {
    "code-map": code_map,
    "settings": settings,
    "commands": commands,
    "health": health,
    "quality": quality,
}


def renewed(text: str) -> str:
    """Return a document with its made parts as the code has them now."""
    return MADE.sub(
        lambda found: f"<!-- made: {found['name']} -->\n{PARTS[found['name']]()}\n<!-- end -->",
        text,
    )


if __name__ == "__main__":
    for document in (ARCHITECTURE, MANUAL):
        document.write_text(renewed(document.read_text("utf-8")), "utf-8")
        sys.stdout.write(f"{document}\n")
