"""The `:` command line: what is understood, what is refused and how, and what fits next."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.command import ChangeStop, ClosePosition, PauseEntries
from tests.tui.asked import readable, ready, said, select
from tests.tui.rig import Rig
from tui.commandline import COMMANDS, CommandError, Scope, complete, parse
from tui.screens.close import CloseDialog
from tui.screens.finder import Finder
from tui.screens.flatten import FlattenDialog
from tui.screens.levels import LevelsDialog
from tui.screens.prompt import CommandPrompt
from tui.settings import ConsoleSettings
from tui.stage import Stage

SCOPE = Scope(
    positions=(
        ("s-1", "NIFTY25DEC25900PUT"),
        ("s-2", "NIFTY25DEC26000CALL"),
        ("s-3", "SBIN"),
        ("s-4", "SBIN"),
    ),
    themes=("dark", "light", "ansi-16"),
    strategies=("oi_momentum", "signals"),
)


@pytest.mark.parametrize(
    ("line", "action", "arguments"),
    [
        (":pos", "screen.positions", ()),
        ("trades", "screen.positions", ()),
        (":close s-1", "position.close", ("s-1",)),
        (":close 25900put", "position.close", ("s-1",)),
        (":close s-1 50%", "position.close", ("s-1", "50%")),
        (":close s-1 75", "position.close", ("s-1", "75")),
        (":stop-price s-3 1,506.60", "position.stop", ("s-3", "1506.60")),
        (":stop-price s-3 off", "position.stop", ("s-3", "off")),
        (":target-price s-3 1600", "position.target", ("s-3", "1600")),
        (":theme li", "display.use_theme", ("light",)),
        (":rate 4", "display.rate", ("4",)),
        (":pause waiting for the news", "entries.pause", ("waiting for the news",)),
        (":pause", "entries.pause", ()),
        (":filter pnl<0 !x", "filter.use", ("pnl<0 !x",)),
        (":strategy oi pause", "strategy.control", ("oi_momentum", "pause")),
        (":level warn", "logs.level", ("warning",)),
        (":why", "why", ()),
        (":screenshot before-close", "display.screenshot", ("before-close",)),
        (":kil", "book.kill", ()),
        (":q", "app.quit", ()),
    ],
)
def test_a_line_is_understood(line: str, action: str, arguments: tuple[str, ...]) -> None:
    found = parse(line, SCOPE)
    assert (found.action.id, found.arguments) == (action, arguments)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "nothing typed"),
        (":", "nothing typed"),
        (":clsoe s-1", "no command :clsoe; near it: :close"),
        (":xyzzy", "no command :xyzzy; tab lists all"),
        (":st", ":st can be "),
        (":close", ":close needs SYMBOL|ID; write :close SYMBOL|ID [QTY|PERCENT%]"),
        (":close SBIN", "'SBIN' fits 2 positions; give the id: s-3, s-4"),
        (":close TCS", "no open position 'TCS'; open: NIFTY25DEC25900PUT"),
        (":close s-1 half", "was 'half'; allowed: a quantity or a percentage such as 75 or 50%"),
        (":close s-1 -5", "was '-5'; allowed: a quantity"),
        (":close s-1 NaN", "was 'NaN'"),
        (":close s-1 75 now", "too much: 'now'; write :close"),
        (":stop-price s-1", "needs PRICE|off"),
        (":stop-price s-1 0", "was '0'; allowed: a price above 0, or off"),
        (":stop-price s-1 1e999999", "was '1e999999'"),
        (":theme pink", "no theme 'pink'; allowed: dark, light, ansi-16"),
        (":rate 0", "was '0'; frames a second are 1 to 30"),
        (":rate fast", "was 'fast'; frames a second are 1 to 30"),
        (":rate ٣", "frames a second are 1 to 30"),
        (":strategy nope stop", "no strategy 'nope'; allowed: oi_momentum, signals"),
        (":strategy signals kill", "no verb 'kill'; allowed: start, pause, resume, stop"),
        (":screenshot ../../etc/passwd", "no path"),
        (":flatten now", "too much: 'now'; write :flatten"),
    ],
)
def test_what_is_not_understood_names_what_was_typed_and_what_is_allowed(
    line: str, message: str
) -> None:
    with pytest.raises(CommandError) as caught:
        parse(line, SCOPE)
    assert message in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_an_invocation_or_a_message_and_never_a_crash(text: str) -> None:
    outcome = _outcome(text)
    assert outcome
    assert len(outcome) < 400


@given(st.text(max_size=60))
def test_every_completion_continues_to_something_completable_or_parsable(text: str) -> None:
    for option in complete(text, SCOPE):
        word = option.line.split()[0]
        assert word in COMMANDS


def test_commands_complete_with_their_usage() -> None:
    lines = [option.line for option in complete("cl", SCOPE)]
    assert lines == ["close "]
    assert "SYMBOL|ID" in complete("cl", SCOPE)[0].help


def test_arguments_complete_by_id_and_by_symbol() -> None:
    assert [o.line for o in complete("close PUT", SCOPE)] == ["close s-1"]
    assert [o.line for o in complete("close s-", SCOPE)] == [f"close s-{n}" for n in range(1, 5)]
    assert [o.line for o in complete("theme a", SCOPE)] == ["theme dark", "theme ansi-16"]
    assert [o.line for o in complete("strategy signals st", SCOPE)] == [
        "strategy signals start",
        "strategy signals stop",
    ]
    assert complete("flatten ", SCOPE) == []


async def test_a_typed_command_runs() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press("colon", *"pause lunch", "enter")
        await pilot.pause()
        (command,) = rig.link.sent
        assert isinstance(command, PauseEntries)
        assert command.reason == "lunch"


async def test_a_typed_close_still_asks() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press("colon", *"close RELIANCE", "enter")
        await readable(rig, pilot)
        assert isinstance(rig.app.screen, CloseDialog)
        assert rig.link.sent == []
        await pilot.press("y")
        await pilot.pause()
        assert [c.position for c in rig.link.sent if isinstance(c, ClosePosition)] == ["p5"]


async def test_a_typed_stop_price_is_shown_before_it_is_set() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press("colon", *"stop-price p5 2900", "enter")
        await readable(rig, pilot)
        assert isinstance(rig.app.screen, LevelsDialog)
        assert "At 2,900.00: P&L" in said(rig)
        await pilot.press("y")
        await pilot.pause()
        assert [c.stop_loss for c in rig.link.sent if isinstance(c, ChangeStop)] == [2900]


async def test_a_mistake_is_said_while_the_line_can_still_be_mended() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press("colon", *"theme pink", "enter")
        await pilot.pause()
        assert isinstance(rig.app.screen, CommandPrompt)
        assert "no theme 'pink'; allowed: " in rig.text()
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(rig.app.screen, Stage)


async def test_tab_completes_the_line() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press("colon", *"the", "tab")
        prompt = rig.app.screen
        assert isinstance(prompt, CommandPrompt)
        assert prompt.field.value == "theme "
        await pilot.press("tab", "tab")
        second = prompt.field.value
        await pilot.press("enter")
        await pilot.pause()
        assert f"theme {rig.app.look.name}" == second


async def test_the_filter_line_filters_while_typing_and_escape_brings_the_old_one_back() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        panel = rig.app.stage.panels["positions"]
        await pilot.press("slash", *"NIFTY")
        await pilot.pause()
        assert panel.filter_text == "NIFTY"  # type: ignore[attr-defined]
        await pilot.press("escape")
        await pilot.pause()
        assert panel.filter_text == ""  # type: ignore[attr-defined]
        await pilot.press("slash", *"SBIN", "enter")
        await pilot.pause()
        assert panel.filter_text == "SBIN"  # type: ignore[attr-defined]


async def test_help_is_searched_and_runs_what_is_chosen() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press("question_mark", *"flatten")
        await pilot.pause()
        finder = rig.app.screen
        assert isinstance(finder, Finder)
        assert finder.found[0].action.id == "book.flatten"
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(rig.app.screen, FlattenDialog)
        assert rig.link.sent == []


async def test_the_palette_asks_for_what_a_command_still_needs() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press("ctrl+p", *"use a theme", "enter")
        await pilot.pause()
        prompt = rig.app.screen
        assert isinstance(prompt, CommandPrompt)
        assert prompt.field.value == "theme "


async def test_the_row_under_the_cursor_is_copied_without_controls() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p1")
        await pilot.press("y")
        assert rig.app.clipboard == "NIFTY25DEC25900PUT LONG 75 @ 30.00 LTP 33.50 id p1"


async def test_a_clicked_line_of_help_runs() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press("question_mark", *"flatten")
        await pilot.pause()
        await pilot.click("#found", offset=(4, 1))
        await pilot.pause()
        assert isinstance(rig.app.screen, FlattenDialog)


async def test_a_screenshot_is_written_as_picture_and_text(tmp_path: Path) -> None:
    rig = Rig(ConsoleSettings(has_bell=False, data_dir=tmp_path))
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press("colon", *"screenshot before", "enter")
        await pilot.pause()
    folder = tmp_path / "screenshots"
    assert (folder / "before.svg").read_text(encoding="utf-8").startswith("<svg")
    text = (folder / "before.txt").read_text(encoding="utf-8")
    assert "RELIANCE" in text
    assert len(text.splitlines()) == 24


def _outcome(text: str) -> str:
    try:
        return parse(text, SCOPE).action.id
    except CommandError as error:
        return str(error)
