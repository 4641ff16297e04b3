"""B-25: hostile text in every place text is shown: no control byte, no crash, no action."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from rich.segment import Segment
from textual.color import Color
from textual.pilot import Pilot

from engine.domain import event as ev
from engine.domain.health import Loss
from engine.domain.ids import CommandId, InstrumentId, OrderId, StrategyName
from engine.domain.order import Side
from engine.domain.quality import BadSample
from engine.domain.risk import LatchCause
from engine.domain.signal import Signal
from engine.domain.strategy import Phase
from engine.link.protocol import Disconnected, Lease, LogRecord, Welcome
from tests.tui import rig_script as script
from tests.tui.rig import NOW, Rig, welcome
from tui.filters import SafetyFilter
from tui.sanitise import LIMIT, for_screen
from tui.settings import ConsoleSettings

PAYLOADS = {
    "osc0_title": "AAA\x1b]0;PWNED\x07BBB",
    "osc52_clip": "AAA\x1b]52;c;cHduZWQ=\x07BBB",
    "csi_clear": "AAA\x1b[2J\x1b[HBBB",
    "csi_sgr": "AAA\x1b[31mBBB",
    "c1_csi": "AAA\x9b2JBBB",
    "bell": "AAA\x07BBB",
    "cr_overwrite": "AAA\rBBB",
    "nl": "AAA\nBBB",
    "osc8_link": "AAA\x1b]8;;http://evil/\x07x\x1b]8;;\x07BBB",
    "dcs": "AAA\x1bP+q544e\x1b\\BBB",
    "markup_style": "AAA[bold red]BBB[/]",
    "markup_close_bad": "AAA[/foo]BBB",
    "markup_action": "AAA[@click=app.pwn]CLICK[/]BBB",
    "markup_link": "AAA[link=http://evil]x[/link]BBB",
    "markup_unclosed": "AAA[#zzz]BBB",
    "bidi": "AAA\u202eBBB",
    "zwj": "AAA\u200b\u200dBBB",
    "nul": "AAA\x00BBB",
    "del": "AAA\x7fBBB",
    "surrogate": "AAA\udc80BBB",
    "long": "A" * 200_000,
    "combining": "A" + "\u0301" * 5000,
}
FORBIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff]"
)


def hostile_welcome(text: str) -> Welcome:
    """Return a snapshot with `text` in every place of a state that is not an instrument."""
    start = welcome()
    record = replace(
        start.state.strategies[script.OI],
        name=StrategyName(text),
        waits_for=text,
        last_refusal=text,
        settings=((text, text),),
        memory=json.dumps({text: [text]}),
    )
    failed = replace(record, name=script.OI, failure=text, phase=Phase.FAILED, kind=text)
    strategies = {record.name: record, failed.name: failed}
    state = replace(start.state, strategies=strategies)
    lease = Lease(text, is_mine=False)
    return replace(start, state=state, venue=text, feed=text, lease=lease)


def _renamed(start: Welcome, text: str) -> Welcome:
    name = InstrumentId(text)
    first = next(iter(start.state.positions.values()))
    terms = replace(start.state.instruments[first.instrument], id=name)
    held = replace(first, instrument=name)
    trade = replace(start.state.closed[0], instrument=name)
    state = replace(
        start.state,
        positions={held.id: held},
        instruments={name: terms},
        closed=(trade,),
    )
    quote = replace(start.quotes[0], instrument=name)
    return replace(start, state=state, quotes=(quote,))


def tell_all(rig: Rig, text: str) -> None:
    """Let the engine say `text` wherever it can say something."""
    signal = Signal("s", InstrumentId(text), Side.BUY, NOW, strategy=script.OI, reason=text)
    rig.app.desk.progress.sent(CommandId("c"), text, NOW)
    rig.link.happen(
        NOW,
        ev.StrategyNoted(script.OI, text),
        ev.EntriesBlocked(text, text),
        ev.SignalRefused(signal, text),
        ev.SignalAccepted(signal, OrderId("o")),
        ev.OrderRejected(OrderId("x8"), text, text),
        ev.CommandRefused(CommandId("c"), "x", text),
        ev.FeedChanged(text, is_up=False, why=text),
        ev.StrategyFailed(StrategyName(text), text, text),
    )
    health, quality = script.health(NOW), script.quality(NOW)
    part, worst = health.components[0], quality.instruments[-1]
    lost = replace(part, name=text, losses=(Loss(3, text),), figures=((text, text),))
    bad = replace(worst, last_bad=BadSample(text, NOW, text), counts=((text, 3),))
    rig.link.push(
        *(LogRecord(NOW, text, text, text, ((text, text),)) for _ in range(9)),
        replace(health, worst=text, components=(lost,)),
        replace(quality, instruments=(bad,), refused=((text, 1),)),
    )


async def look_everywhere(rig: Rig, pilot: Pilot[int], name: str) -> None:
    """Draw every view and look at every cell."""
    for view in "12345":
        await pilot.press(view)
        rig.draw()
        await pilot.pause()
        assert rig.app._exception is None, name
        _assert_harmless(rig, name)


@pytest.mark.parametrize("name", PAYLOADS)
async def test_hostile_text_cannot_command_style_or_crash(name: str) -> None:
    text = PAYLOADS[name]
    rig = Rig(ConsoleSettings(has_bell=False), hostile_welcome(text))
    async with rig.app.run_test(size=(200, 50)) as pilot:
        rig.app.painter.start(1e6)
        tell_all(rig, text)
        await look_everywhere(rig, pilot, name)
        rig.app.alarm(text, ValueError(text))
        rig.app.say(text)
        rig.app.act("filter.use", text)
        rig.link.happen(NOW, ev.FlattenLatched(LatchCause.OPERATOR, text, text))
        rig.link.push(Disconnected(text))
        await look_everywhere(rig, pilot, name)


@pytest.mark.parametrize("name", PAYLOADS)
async def test_an_instrument_with_a_hostile_name_cannot_command_or_crash(name: str) -> None:
    rig = Rig(ConsoleSettings(has_bell=False), _renamed(welcome(), PAYLOADS[name]))
    async with rig.app.run_test(size=(120, 36)) as pilot:
        rig.app.painter.start(1e6)
        await look_everywhere(rig, pilot, name)


def _assert_harmless(rig: Rig, name: str) -> None:
    for strip in rig.app.screen._compositor.render_strips():
        for segment in strip:
            assert not FORBIDDEN.search(segment.text), (name, segment.text)
            meta = segment.style.meta if segment.style else {}
            assert "@click" not in meta, name
            assert segment.style is None or segment.style.link is None, name


@pytest.mark.parametrize("name", PAYLOADS)
def test_the_door_lets_no_control_through_and_keeps_ordinary_text(name: str) -> None:
    shown = for_screen(PAYLOADS[name])
    assert not re.search("[\x00-\x1f]", shown)
    assert not FORBIDDEN.search(shown)
    assert len(shown) <= LIMIT
    assert for_screen("é ₹ 日本 [a]") == "é ₹ 日本 [a]"


def test_the_last_filter_replaces_controls_that_a_widget_forgot() -> None:
    (segment,) = SafetyFilter().apply([Segment("a\x1b[2J\x9b\u202eb")], Color(0, 0, 0))
    assert segment.text == "a?[2J??b"
