"""The project's own source files, as the architecture tests read them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("engine", "tui")


@cache
def python_files(*rooms: str) -> tuple[Path, ...]:
    """Return the Python files of `rooms`, relative to the root, in order."""
    found = (path.relative_to(ROOT) for room in rooms for path in (ROOT / room).rglob("*.py"))
    return tuple(sorted(path for path in found if "__pycache__" not in path.parts))


@cache
def text(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text(path), str(path))


def lines(path: Path) -> int:
    return text(path).count("\n")


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield (qualified name, lines) of every function, decorators and docstring included."""
    yield from _functions(tree(path), "")


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, int]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{prefix}{child.name}"
            if not isinstance(child, ast.ClassDef):
                yield name, _length(child)
            yield from _functions(child, f"{name}.")
        else:
            yield from _functions(child, prefix)


def classes(path: Path) -> Iterator[tuple[str, int, int]]:
    """Yield (name, lines, methods) of every class."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ClassDef):
            methods = sum(isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) for n in node.body)
            yield node.name, _length(node), methods


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return (node.end_lineno or node.lineno) - first + 1
