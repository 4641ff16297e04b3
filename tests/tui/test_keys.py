"""Remapping keys: what is refused, and that what is allowed works in the running console."""

from __future__ import annotations

import pytest

from tests.tui.asked import readable, ready, select
from tests.tui.rig import Rig
from tui.action import Context
from tui.keymap import KeymapError, Keys, key_name, shown_key
from tui.screens.close import CloseDialog
from tui.settings import ConsoleSettings


def test_an_unknown_action_is_refused_with_those_near_it() -> None:
    with pytest.raises(KeymapError, match=r"'position.clos'; near it: position.close"):
        Keys({"position.clos": "c"})


def test_a_key_that_would_mean_two_things_in_one_place_names_both() -> None:
    with pytest.raises(KeymapError, match=r"j is both position.close and cursor.down \(positions"):
        Keys({"position.close": "j"})


def test_a_key_is_allowed_twice_where_it_cannot_be_confused() -> None:
    keys = Keys({"logs.follow": "x"})
    assert keys.action_at("x", Context.LOGS) is not None
    assert keys.action_at("x", Context.LOGS).id == "logs.follow"  # type: ignore[union-attr]
    assert keys.action_at("x", Context.POSITIONS).id == "position.close"  # type: ignore[union-attr]


@pytest.mark.parametrize("key", ["ctrl+a", "ctrl+b", "ctrl+s", "ctrl+q", "ctrl+z", "alt+x"])
def test_keys_that_terminals_keep_are_refused(key: str) -> None:
    with pytest.raises(KeymapError, match="terminals keep"):
        Keys({"display.theme": key})


@pytest.mark.parametrize("key", ["delete", "backspace", "ctrl+d", "enter", "space"])
def test_a_dangerous_action_cannot_be_put_on_a_key_that_is_hit_by_accident(key: str) -> None:
    with pytest.raises(KeymapError, match=r"position.close is dangerous"):
        Keys({"position.close": key})


def test_a_dangerous_action_cannot_share_its_key_with_the_confirmation() -> None:
    with pytest.raises(KeymapError, match=r"takes two different keys"):
        Keys({"row.copy": "Y", "position.close": "y"})


def test_what_is_no_key_is_refused() -> None:
    with pytest.raises(KeymapError, match="'bogus', which is no key"):
        Keys({"display.theme": "bogus"})


def test_the_last_way_out_cannot_be_moved() -> None:
    with pytest.raises(KeymapError, match=r"ctrl\+c"):
        Keys({"app.interrupt": "i"})


def test_an_action_without_a_command_needs_a_key() -> None:
    with pytest.raises(KeymapError, match="needs a key"):
        Keys({"cursor.down": ""})


def test_keys_are_written_as_a_person_writes_them() -> None:
    assert key_name("?") == "question_mark"
    assert key_name("Esc") == "escape"
    assert key_name("X") == "X"
    assert shown_key("percent_sign") == "%"
    assert Keys({"display.theme": "T, ctrl+t"}).of("display.theme") == ("T", "ctrl+t")


def test_without_changes_textual_is_told_nothing() -> None:
    assert Keys().textual() == {}


async def test_a_changed_key_works_and_the_old_one_does_not() -> None:
    rig = Rig(ConsoleSettings(has_bell=False, keymap={"position.close": "c"}))
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press("x")
        assert not isinstance(rig.app.screen, CloseDialog)
        await pilot.press("c")
        assert isinstance(rig.app.screen, CloseDialog)


async def test_two_actions_can_exchange_their_keys() -> None:
    rig = Rig(ConsoleSettings(has_bell=False, keymap={"position.close": "w", "why": "x"}))
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press("x")
        assert type(rig.app.screen).__name__ == "WhyScreen"
        await pilot.press("escape", "w")
        assert isinstance(rig.app.screen, CloseDialog)


async def test_a_changed_confirmation_key_is_the_one_the_dialog_names() -> None:
    rig = Rig(ConsoleSettings(has_bell=False, keymap={"dialog.confirm": "o"}))
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("x")
        await readable(rig, pilot)
        await pilot.press("y")
        assert rig.link.sent == []
        assert "o Close it" in rig.text()
        await pilot.press("o")
        await pilot.pause()
        assert len(rig.link.sent) == 1
