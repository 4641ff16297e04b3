"""External signals: the lines they come as (interfaces.md), and when they act (S-14)."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.event import SignalAccepted, SignalRefused, StrategyRemembered
from engine.domain.ids import SECOND, InstrumentId, Nanos
from engine.domain.market import Tick
from engine.domain.money import price
from engine.domain.order import Side
from engine.domain.risk import Limits
from engine.domain.signal import Signal
from engine.domain.strategy import Phase
from engine.runtime.clock import ManualClock
from engine.runtime.signal_lines import (
    LINE_MAX,
    SignalFormatError,
    SignalLines,
    instant_of,
    parse_signal,
    read_signals,
    watch,
)
from engine.runtime.signal_queue import SignalQueue
from tests.builders import NIFTY, PUT_25900, signal
from tests.strategy_desk import StrategyDesk, spec

AT = 1_769_665_200
LINE = '{"time": %s, "symbol": "X", "side": "buy"%s}'


def parsed(more: str = "", time: str = str(AT)) -> Signal:
    return parse_signal(LINE % (time, more), "s.jsonl", 7)


@pytest.mark.parametrize(
    "time",
    [
        str(AT),
        f"{AT}.0",
        f'"{AT}"',
        f"{AT}000",
        f"{AT}000000",
        f"{AT}000000000",
        '"2026-01-29T11:10:00+05:30"',
        '"2026-01-29T05:40:00Z"',
        '"2026-01-29 05:40:00+00:00"',
        '"20260129T054000Z"',
    ],
)
def test_a_time_is_understood_in_every_form(time: str) -> None:
    assert parsed(time=time).at == AT * SECOND


def test_fractions_of_a_time_survive_exactly() -> None:
    assert parsed(time=f"{AT}.123456789").at == AT * SECOND + 123_456_789
    assert parsed(time='"2026-01-29T05:40:00.5Z"').at == AT * SECOND + 500_000_000


def test_numbers_are_exact_whether_written_as_numbers_or_as_text() -> None:
    number = parsed(', "qty": 0.1, "confidence": 0.7, "stop_loss": 22.50, "take_profit": 1e2')
    text = parsed(', "qty": "0.1", "confidence": "0.7", "stop_loss": "22.50", "take_profit": "1E2"')
    assert number == text
    assert number.qty == Decimal("0.1")
    assert str(number.stop_loss) == "22.50"


def test_what_is_left_out_has_a_default_and_a_missing_id_is_the_place() -> None:
    found = parsed()
    assert found == Signal("s.jsonl:7", InstrumentId("X"), Side.BUY, Nanos(AT * SECOND))
    assert parsed(', "id": 12').id == "12"
    assert parsed(', "id": "a"').id == "a"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("not json", "s.jsonl line 7: not a JSON object"),
        ("[1]", "a signal is a JSON object"),
        ('{"symbol": "X", "side": "buy"}', "time was None, allowed: ISO-8601 with an offset"),
        (LINE % ('"2026-01-29T11:10:00"', ""), "time was '2026-01-29T11:10:00', allowed: ISO"),
        (LINE % ("-5", ""), "time was '-5'"),
        (LINE % ("true", ""), "time was True"),
        (LINE % ("1e400", ""), "time was '1E[+]400'"),
        ('{"time": 1769665200, "side": "buy"}', "symbol was None, allowed: a text"),
        ('{"time": 1769665200, "symbol": " ", "side": "buy"}', "symbol was ' '"),
        ('{"time": 1769665200, "symbol": "X", "side": "BUY"}', "side was 'BUY', allowed: \"buy\""),
        ('{"time": 1769665200, "symbol": "X", "side": []}', "side was "),
        (LINE % (AT, ', "qty": 0'), "qty was '0', allowed: a number above 0"),
        (LINE % (AT, ', "qty": -1'), "qty was '-1'"),
        (LINE % (AT, ', "qty": NaN'), "qty was 'NaN'"),
        (LINE % (AT, ', "qty": "inf"'), "qty was 'inf'"),
        (LINE % (AT, ', "qty": 1e999999'), "qty was"),
        (LINE % (AT, ', "qty": true'), "qty was True"),
        (LINE % (AT, ', "confidence": 1.5'), "confidence was '1.5', allowed: a number from 0 to 1"),
        (LINE % (AT, ', "stop_loss": "x"'), "stop_loss was 'x'"),
        (LINE % (AT, ', "stoploss": 1'), "field was 'stoploss', allowed: one of time, symbol"),
        (LINE % (AT, ', "reason": 5'), "reason was '5', allowed: a text"),
        (LINE % (AT, ', "reason": "' + "x" * LINE_MAX + '"'), "longer than"),
        ("[" * 30_000, "not a JSON object"),
    ],
)
def test_a_bad_line_is_refused_with_place_field_value_and_what_is_allowed(
    line: str, message: str
) -> None:
    with pytest.raises(SignalFormatError, match=message):
        parse_signal(line, "s.jsonl", 7)


def test_a_file_is_all_or_nothing(tmp_path: Path) -> None:
    file = tmp_path / "signals.jsonl"
    file.write_text(LINE % (AT, "") + "\n\n" + LINE % (AT, "") + "\n")
    assert [found.id for found in read_signals(file)] == ["signals.jsonl:1", "signals.jsonl:3"]
    file.write_text(LINE % (AT, "") + "\n{}\n")
    with pytest.raises(SignalFormatError, match=r"signals.jsonl line 2: symbol was None"):
        read_signals(file)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(SignalFormatError, match="not UTF-8"):
        read_signals(file)


def test_a_live_source_counts_and_skips_bad_lines_and_takes_torn_ones_whole() -> None:
    said: list[str] = []
    lines = SignalLines("stdin", said.append)
    good = LINE % (AT, ', "id": "a"')
    assert lines.feed(good[:20]) == []
    assert [found.id for found in lines.feed(good[20:] + "\nrubbish\n" + good)] == ["a"]
    assert lines.bad == 1
    assert said == [lines.last_bad]
    assert "stdin line 2" in lines.last_bad
    assert [found.id for found in lines.finish()] == ["a"]


def test_an_endless_line_is_not_kept() -> None:
    lines = SignalLines("stdin")
    for _ in range(5):
        assert lines.feed("x" * LINE_MAX) == []
    assert [found.id for found in lines.feed("\n" + LINE % (AT, ', "id": "b"') + "\n")] == ["b"]
    assert lines.bad == 1


async def test_a_watched_file_is_followed_as_it_grows_and_when_it_is_replaced(
    tmp_path: Path,
) -> None:
    file = tmp_path / "live.jsonl"
    follow = watch(file, ManualClock(), SignalLines("live"))
    assert isinstance(follow, AsyncGenerator)
    file.write_text(LINE % (AT, ', "id": "a"') + "\n" + LINE[:8])
    assert [found.id for found in await anext(follow)] == ["a"]
    with file.open("a") as more:
        more.write((LINE % (AT, ', "id": "ä"'))[8:] + "\n")
    assert [found.id for found in await anext(follow)] == ["ä"]
    file.write_text(LINE % (AT, ', "id": "c"') + "\n")
    assert [found.id for found in await anext(follow)] == ["c"]
    await follow.aclose()


def is_parsed_or_refused(line: str) -> bool:
    try:
        return bool(parse_signal(line, "fuzz", 1).id)
    except SignalFormatError as error:
        return str(error).startswith("fuzz line 1: ")


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_no_line_whatever_does_anything_but_parse_or_be_refused(line: str) -> None:
    assert is_parsed_or_refused(line)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
)


@given(st.fixed_dictionaries(dict.fromkeys(("time", "symbol", "side", "qty", "confidence"), JSON)))
def test_no_value_of_a_field_does_anything_but_parse_or_be_refused(values: object) -> None:
    assert is_parsed_or_refused(json.dumps(values))


def test_an_instant_needs_an_offset_and_a_positive_epoch() -> None:
    assert instant_of("2026-01-29T11:10:00") is None
    assert instant_of(Decimal(0)) is None
    assert instant_of(Decimal("1e20")) is None
    assert instant_of(None) is None


def test_the_queue_lets_a_signal_go_at_the_first_tick_at_or_after_its_time() -> None:
    queue = SignalQueue()
    for id_, at in (("late", 20), ("early", 10), ("same", 10)):
        queue.add(signal(id_, at=at))
    assert queue.due(tick(9)) == []
    assert queue.due(Tick(InstrumentId("OTHER"), price("1"), Nanos(99))) == []
    assert [found.id for found in queue.due(tick(10))] == ["early", "same"]
    assert [found.id for found in queue.due(tick(25))] == ["late"]
    assert queue.waiting == {}


def tick(at: int, last: str = "30") -> Tick:
    return Tick(NIFTY, price(last), Nanos(at))


def desk_of(*signals: Signal, limits: Limits | None = None) -> StrategyDesk:
    desk = StrategyDesk([spec("signals")], {NIFTY: PUT_25900}).begin(limits)
    desk.strategist.offer(signals)
    return desk


def test_a_signal_acts_on_the_price_of_that_very_tick() -> None:
    desk = desk_of(signal("a", at=10 * SECOND))
    desk.tick(tick(9 * SECOND, "29"))
    assert not desk.state.positions
    desk.tick(tick(12 * SECOND, "31"))
    (position,) = desk.state.positions.values()
    assert position.entry == Decimal(31)
    assert position.opened_at == 12 * SECOND
    assert desk.record("signals").phase is Phase.POSITION_OPEN


def test_the_same_id_acts_once_and_the_second_is_refused_with_the_reason() -> None:
    desk = desk_of(signal("a", at=1), signal("a", at=2))
    desk.tick(tick(5))
    assert len(desk.of(SignalAccepted)) == 1
    (refused,) = desk.of(SignalRefused)
    assert refused.reason == "signal a acted already"


def test_the_confidence_gate_refuses_and_keeps_the_reason() -> None:
    limits = Limits(confidence_min=Decimal("0.6"))
    unsure = signal("a", at=1, confidence=Decimal("0.59"))
    desk = desk_of(unsure, signal("b", at=1, confidence=Decimal("0.6")), limits=limits)
    desk.tick(tick(5))
    assert [event.signal.id for event in desk.of(SignalRefused)] == ["a"]
    assert [event.signal.id for event in desk.of(SignalAccepted)] == ["b"]
    assert desk.record("signals").last_refusal == "confidence 0.59 below minimum 0.6"


def test_a_file_read_again_after_a_restart_does_not_act_again_on_what_acted() -> None:
    signals = [signal("a", at=1), signal("b", at=2), signal("c", at=30)]
    first = desk_of(*signals)
    first.tick(tick(5))
    assert first.of(StrategyRemembered)
    second = StrategyDesk([spec("signals")], {NIFTY: PUT_25900}, state=first.state).begin()
    second.strategist.offer(signals, is_reread=True)
    second.now = first.now
    second.tick(tick(40))
    assert [event.signal.id for event in second.of(SignalAccepted)] == ["c"]
    assert not second.of(SignalRefused)


def test_a_signal_whose_symbol_never_ticks_is_known_at_the_end() -> None:
    desk = desk_of(signal("a", InstrumentId("NONE"), at=1), signal("b", at=99))
    desk.tick(tick(5))
    assert [found.id for found in desk.strategist.unacted()] == ["a", "b"]
    assert desk.strategist.unacted() == []
