"""What a module drags in when it is loaded, seen in a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.architecture.sources import ROOT, python_files

TERMINAL = ("textual", "rich")
HEAVY = ("numpy", "pandas", "exchange_calendars", "httpx", "websockets", "pydantic_settings")


def modules_after(code: str) -> set[str]:
    """Return the top and second level modules that are loaded once `code` ran."""
    script = f"{code}\nimport sys, json\nprint('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def loaded(modules: set[str], *names: str) -> list[str]:
    """Return which of `names` (packages or modules) were loaded."""
    return [n for n in names if any(m == n or m.startswith(f"{n}.") for m in modules)]


def importing(*rooms: str) -> str:
    """Return code that imports every module of `rooms`."""
    parts = [path.with_suffix("").parts for room in rooms for path in python_files(room)]
    names = [".".join(p[:-1] if p[-1] == "__init__" else p) for p in parts]
    return "\n".join(f"import {name}" for name in names)


@pytest.mark.parametrize("room", ["engine/domain", "engine/stops", "engine/strategies"])
def test_the_core_loads_nothing_that_does_io(room: str) -> None:
    modules = modules_after(importing(room))
    assert not loaded(modules, "asyncio", "sqlite3", "msgspec", "pydantic", "socket", *TERMINAL)


def test_the_ports_load_nothing_but_the_core() -> None:
    modules = modules_after(importing("engine/ports"))
    assert not loaded(modules, "asyncio", "sqlite3", "msgspec", *TERMINAL)


def test_no_engine_module_loads_a_terminal_library_or_the_console() -> None:
    assert not loaded(modules_after(importing("engine")), "tui", *TERMINAL)


def test_composing_the_engine_loads_no_terminal_library() -> None:
    assert not loaded(modules_after("import engine.bootstrap"), "tui", *TERMINAL, *HEAVY)


def test_the_console_loads_no_engine_beyond_types_and_protocol() -> None:
    rooms = ("runtime", "store", "venues", "notify", "bootstrap", "api", "transport")
    modules = modules_after("import tui.app")
    assert not loaded(modules, *(f"engine.{room}" for room in rooms))
    assert not loaded(modules, "aiosqlite", "sqlite3", "msgspec", "pydantic", *HEAVY)


@pytest.mark.skipif(find_spec("tui.cli") is None, reason="the command line is not there yet")
@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_a_quick_answer_loads_neither_textual_nor_asyncio(argument: str) -> None:
    code = (
        f"import sys; sys.argv = ['holdfast', {argument!r}]\n"
        "from tui.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass"
    )
    assert not loaded(modules_after(code), "asyncio", "textual", "rich", "sqlite3", "msgspec")


def test_a_planted_import_is_seen() -> None:
    assert loaded(modules_after("import sqlite3"), "sqlite3") == ["sqlite3"]
