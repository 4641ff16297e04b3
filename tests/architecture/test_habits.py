"""Habits that a reader relies on: names, no leftovers, honest documents, few mocks."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.architecture import sources

VAGUE: Final = {"Manager", "Helper", "Utils", "Util", "Handler", "Base", "Common", "Info", "Data"}
LEFTOVER: Final = re.compile(r"\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b")
MOCKS: Final = re.compile(r"\b(MagicMock|AsyncMock|Mock|patch)\(|monkeypatch\.setattr\(")
NAMED_FILE: Final = re.compile(r"`((?:engine|tui|tests|themes|docs)/[\w./-]+\.(?:py|md|tcss|toml))")
DOCUMENTS: Final = ("README.md", "CHANGELOG.md", "docs")


def test_no_class_or_file_has_a_name_that_says_nothing() -> None:
    vague: list[str] = []
    for path in sources.python_files(*sources.PRODUCT):
        vague += [str(path)] if {p.title() for p in path.stem.split("_")} & VAGUE else []
        for name, _, _ in sources.classes(path):
            words = re.findall(r"[A-Z][a-z]+", name)
            if words and words[-1] in VAGUE:
                vague.append(f"{path}:{name}")
    assert not vague


def test_what_the_application_is_made_of_knows_it_in_annotations_only() -> None:
    at_run_time = [
        f"{path}:{node.lineno}"
        for path in sources.python_files("tui")
        if path.parts[1] != "cli"
        for node in _imports_at_run_time(sources.tree(path))
        if isinstance(node, ast.ImportFrom) and node.module == "tui.app"
    ]
    assert not at_run_time


def _imports_at_run_time(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        is_typing = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        if not is_typing:
            yield child
            yield from _imports_at_run_time(child)


def test_nothing_is_left_for_later_in_the_code() -> None:
    paths = sources.python_files("engine", "tui", "tests")
    assert not [str(path) for path in paths if LEFTOVER.search(sources.text(path))]


def test_mocks_are_rarer_than_one_test_in_twenty() -> None:
    paths = [p for p in sources.python_files("tests") if p.parts[1] != "architecture"]
    tests = sum(len(re.findall(r"def test_", sources.text(p))) for p in paths)
    mocks = sum(len(MOCKS.findall(sources.text(p))) for p in paths)
    assert mocks <= 0.05 * tests


def documents() -> list[Path]:
    places = [sources.ROOT / name for name in DOCUMENTS]
    files = [p for p in places if p.is_file()]
    return files + [found for p in places if p.is_dir() for found in p.rglob("*.md")]


def test_documents_name_only_files_that_exist() -> None:
    missing = [
        f"{document.relative_to(sources.ROOT)}: {name}"
        for document in documents()
        for name in NAMED_FILE.findall(document.read_text(encoding="utf-8"))
        if not (sources.ROOT / name).exists()
    ]
    assert not missing


def test_locks_hold_every_pin_of_the_project_with_hashes_and_no_address() -> None:
    project = tomllib.loads((sources.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    run, dev = (
        (sources.ROOT / name).read_text(encoding="utf-8")
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    wanted = project["project"]["dependencies"]
    for pin in wanted:
        assert "==" in pin
        assert f"{pin} " in run
    for pin in [*wanted, *project["project"]["optional-dependencies"]["dev"]]:
        assert f"{pin} " in dev
    for lock in (run, dev):
        assert "://" not in lock
        pins = re.findall(r"^[\w.-]+==.*$\n(?=    --hash=sha256:)", lock, re.MULTILINE)
        assert len(pins) == len(re.findall(r"^\S", lock, re.MULTILINE))


def test_every_source_file_says_what_it_is_for() -> None:
    silent = [str(p) for p in sources.python_files(*sources.PRODUCT) if not _docstring(p)]
    assert not silent


def _docstring(path: Path) -> bool:
    return sources.text(path).lstrip().startswith(('"""', "'''"))
