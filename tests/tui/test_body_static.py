"""What the console's source may not contain (field/tui.md 4): read from the syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TUI = Path(__file__).parents[2] / "tui"
FILES = sorted(TUI.rglob("*.py"))
MODULES = [
    path
    for path in FILES
    if not str(path.relative_to(TUI)).startswith("cli") and path.name != "__main__.py"
]


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            func = node.func
            name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
            yield name, node


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((k.value for k in call.keywords if k.arg == name), None)


def is_constant(node: ast.expr | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(TUI)))
def test_markup_is_never_switched_on(path: Path) -> None:
    for name, call in calls(tree_of(path)):
        assert not is_constant(keyword(call, "markup"), True), f"{path}: {name}(markup=True)"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(TUI)))
def test_widgets_that_read_markup_are_told_not_to(path: Path) -> None:
    for name, call in calls(tree_of(path)):
        if name in {"Static", "Label", "notify"}:
            assert is_constant(keyword(call, "markup"), False), f"{path}:{call.lineno} {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(TUI)))
def test_there_is_no_datatable_on_a_live_screen(path: Path) -> None:
    names = {n.id for n in ast.walk(tree_of(path)) if isinstance(n, ast.Name)}
    assert not names & {"DataTable", "RichLog", "Markdown"}, path


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(TUI)))
def test_no_repeating_timer_lays_the_screen_out_again(path: Path) -> None:
    tree = tree_of(path)
    functions = {n.name: n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
    for name, call in calls(tree):
        if name != "set_interval":
            continue
        assert len(call.args) == 2, f"{path}:{call.lineno} names its callback"
        callback = call.args[1]
        target = callback.attr if isinstance(callback, ast.Attribute) else ""
        for inner, made in calls(functions.get(target, ast.Module([], []))):
            if inner == "update" and len(made.args) <= 1:  # a widget's; the book takes four
                assert is_constant(keyword(made, "layout"), False), f"{path}: {target}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(TUI)))
def test_nothing_blocks_prints_or_suspends(path: Path) -> None:
    for name, call in calls(tree_of(path)):
        assert name not in {"call_from_thread", "print", "suspend", "sleep"}, (
            f"{path}:{call.lineno} {name}"
        )


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(TUI)))
def test_the_console_sees_only_domain_protocol_and_clock(path: Path) -> None:
    allowed = ("engine.domain", "engine.link.protocol", "engine.ports.clock")
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("engine"):
            assert node.module.startswith(allowed), f"{path}: {node.module}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(TUI)))
def test_workers_do_not_end_the_app_when_they_fail(path: Path) -> None:
    for name, call in calls(tree_of(path)):
        if name == "run_worker":
            assert is_constant(keyword(call, "exit_on_error"), False), f"{path}:{call.lineno}"
