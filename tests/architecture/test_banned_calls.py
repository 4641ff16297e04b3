"""Time, chance and unsupervised tasks come in at one place each, or not at all."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.architecture import sources

BANNED: Final = {
    "datetime.datetime.now": "time",
    "datetime.datetime.utcnow": "time",
    "datetime.datetime.today": "time",
    "datetime.date.today": "time",
    "time.time": "time",
    "time.time_ns": "time",
    "time.monotonic": "time",
    "time.monotonic_ns": "time",
    "time.perf_counter": "time",
    "time.perf_counter_ns": "time",
    "time.sleep": "blocking",
    "random": "chance",
    "secrets": "chance",
    "os.urandom": "chance",
    "uuid.uuid1": "chance",
    "uuid.uuid4": "chance",
    "asyncio.create_task": "task",
    "asyncio.ensure_future": "task",
    "asyncio.gather": "task",
    "builtins.eval": "code from text",
    "builtins.exec": "code from text",
}
ALLOWED: Final[dict[str, dict[str, str]]] = {
    "engine/bootstrap/drill_load.py": {"chance": "when to kill; seeded, so that a drill repeats"},
    "engine/domain/records.py": {
        "code from text": "makes __init__ of the names of fields, as the standard decorator does"
    },
    "engine/runtime/clock.py": {"time": "the one place that reads the system's clock"},
    "engine/store/lock.py": {"blocking": "waits for another process to let go, before any loop"},
    "engine/venues/sim/chain.py": {"chance": "a seeded generator, handed in"},
    "engine/venues/sim/market.py": {"chance": "seeded by the configuration: markets repeat"},
    "engine/venues/sim/path.py": {"chance": "a seeded generator, handed in"},
}
"""File -> kind -> why here."""


def spoken_names(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, full dotted name) of every name that the file imports or reaches by import."""
    known: dict[str, str] = {}
    module = sources.tree(path)
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                known[alias.asname or alias.name.partition(".")[0]] = alias.name
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                yield node.lineno, f"{node.module}.{alias.name}"
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute):
            chain = dotted(node)
            root, _, rest = chain.partition(".")
            if root in known:
                yield node.lineno, f"{known[root]}.{rest}"
        elif isinstance(node, ast.Name) and node.id in {"eval", "exec"} - set(known):
            yield node.lineno, f"builtins.{node.id}"


def dotted(node: ast.expr) -> str:
    """Return `a.b.c` for a chain of attributes of a name, otherwise what is left of it."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def offences(path: Path) -> list[str]:
    found = set()
    for line, name in spoken_names(path):
        for banned, kind in BANNED.items():
            if name == banned or name.startswith(f"{banned}."):
                found.add((line, name, kind))
    return [
        f"{path}:{line} {name} ({kind})"
        for line, name, kind in sorted(found)
        if kind not in ALLOWED.get(str(path), {})
    ]


@pytest.mark.parametrize("room", sources.PRODUCT)
def test_no_banned_call_outside_its_one_file(room: str) -> None:
    assert not [o for path in sources.python_files(room) for o in offences(path)]


def test_every_allowance_is_still_needed() -> None:
    for name, kinds in ALLOWED.items():
        spoken = {said for _, said in spoken_names(Path(name))}
        for kind in kinds:
            banned = {b for b, k in BANNED.items() if k == kind}
            assert any(s == b or s.startswith(f"{b}.") for s in spoken for b in banned), name


@pytest.mark.parametrize(
    "code",
    [
        "import time\ntime.time()",
        "from time import monotonic",
        "import datetime as dt\ndt.datetime.now(dt.UTC)",
        "from datetime import datetime as when\nwhen.now()",
        "from random import Random",
        "import asyncio as a\na.gather()",
        "eval('1')",
    ],
)
def test_a_planted_call_is_found(code: str, tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(code, encoding="utf-8")
    assert offences(planted)
