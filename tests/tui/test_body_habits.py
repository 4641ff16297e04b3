"""A console finds its looks again, and a damaged memory changes nothing (C-21)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tui.rig import Rig
from tui import habits
from tui.settings import ConsoleSettings
from tui.terminal import Terminal


async def test_theme_view_sort_and_level_are_found_again(tmp_path: Path) -> None:
    first = Rig(ConsoleSettings(data_dir=tmp_path, has_bell=False))
    async with first.app.run_test(size=(120, 36)) as pilot:
        await pilot.press("s", "S", "t", "5", "v")
        left = habits.of(first.app)
        first.app.leave()
    assert (tmp_path / habits.FILE).stat().st_mode & 0o077 == 0
    second = Rig(ConsoleSettings(data_dir=tmp_path, has_bell=False))
    async with second.app.run_test(size=(120, 36)) as pilot:
        assert second.app.look.name == left.theme != "dark"
        assert second.app.stage.view == "logs"
        await pilot.press("1")
        assert habits.of(second.app).level == left.level == "warning"


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"theme": 3, "sort": "no"}', '{"view": "\\u001b[2J"}', "\xff"]
)
async def test_a_damaged_memory_is_forgotten(tmp_path: Path, text: str) -> None:
    (tmp_path / habits.FILE).write_text(text, encoding="latin-1")
    rig = Rig(ConsoleSettings(data_dir=tmp_path, has_bell=False))
    async with rig.app.run_test(size=(80, 24)):
        assert rig.app.look.name == "dark"
        assert rig.app.stage.view == "dashboard"


def test_a_directory_that_cannot_be_written_does_not_matter(tmp_path: Path) -> None:
    habits.save(habits.Habits(theme="light"), tmp_path / "missing")
    assert habits.load(tmp_path / "missing") == habits.Habits()


def test_only_looks_are_remembered(tmp_path: Path) -> None:
    habits.save(habits.Habits(), tmp_path)
    kept = json.loads((tmp_path / habits.FILE).read_text())
    assert set(kept) == {"theme", "low_theme", "view", "sort", "is_reverse", "level", "filter"}


@pytest.mark.parametrize(
    ("terminal", "theme"),
    [
        (Terminal(), "light"),
        (Terminal(is_low_colour=True), "ansi-16"),
        (Terminal(is_mono=True), "mono"),
    ],
)
def test_a_theme_chosen_among_many_colours_is_not_forced_on_few(
    tmp_path: Path, terminal: Terminal, theme: str
) -> None:
    habits.save(habits.Habits(theme="light"), tmp_path)
    assert Rig(ConsoleSettings(terminal=terminal, data_dir=tmp_path)).app.look.name == theme


async def test_a_theme_chosen_on_a_terminal_of_few_colours_is_found_again_there(
    tmp_path: Path,
) -> None:
    settings = ConsoleSettings(terminal=Terminal(is_low_colour=True), data_dir=tmp_path)
    rig = Rig(settings)
    async with rig.app.run_test() as pilot:
        await pilot.press("t")
        chosen = rig.app.look.name
        rig.app.leave()
    assert chosen != "ansi-16"
    assert Rig(settings).app.look.name == chosen
    assert Rig(ConsoleSettings(data_dir=tmp_path)).app.look.name == "dark"
