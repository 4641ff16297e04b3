"""Whatever is encoded decodes to an equal value, digit by digit; whatever is not is refused."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.command import Command
from engine.domain.event import Entry, Event
from engine.domain.health import Health
from engine.domain.ids import Nanos, Seq
from engine.domain.instrument import Instrument
from engine.domain.market import Bar, Quote, Tick
from engine.domain.quality import QualityReport
from engine.domain.state import State
from engine.domain.stop import ExitRule
from engine.link.protocol import Update, Welcome
from engine.link.wire import decode_command, decode_update, encode_command, encode_update
from engine.stops import STOP_RULES
from engine.store import codec
from tests.histories import INSTRUMENTS, History

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15)
STARTED = '{"session":"s","mode":"paper","venue":"v","feed":"f","cash":[],"rules":%s,"limits":{}}'
TEXTS = st.text(max_size=12)
SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXTS,
    int: st.integers(min_value=-(2**62), max_value=2**62),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    Decimal: DECIMALS,
    NoneType: st.none(),
    Instrument: st.sampled_from(INSTRUMENTS),
}


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for any type that the domain's vocabulary uses."""
    while hasattr(hint, "__supertype__"):
        hint = hint.__supertype__
    if hint in SIMPLE:
        return SIMPLE[hint]
    if hint is ExitRule:
        return st.one_of([made(rule) for rule in STOP_RULES.values()])
    origin, args = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        return st.one_of([values(arg) for arg in args])
    if origin is tuple:
        if args[-1] is Ellipsis:
            return st.lists(values(args[0]), max_size=3).map(tuple)
        return st.tuples(*[values(arg) for arg in args])
    if origin is not None:  # Mapping
        return st.dictionaries(values(args[0]), values(args[1]), max_size=3)
    if issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    return made(hint)


def made(kind: type[Any]) -> st.SearchStrategy[Any]:
    assert is_dataclass(kind)
    hints = get_type_hints(kind)
    return st.builds(kind, **{f.name: values(hints[f.name]) for f in fields(kind)})


def digits(value: object) -> str:
    """Return a text that shows trailing zeros and exponents, which equality does not."""
    return repr(value)


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda k: k.__name__)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_event_comes_back_digit_by_digit(kind: type[Any], data: st.DataObject) -> None:
    event = data.draw(made(kind))
    decoded = codec.decode_event(*codec.encode_event(event))
    assert decoded == event
    assert digits(decoded) == digits(event)


@pytest.mark.parametrize("kind", get_args(Command), ids=lambda k: k.__name__)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_every_command_comes_back(kind: type[Any], data: st.DataObject) -> None:
    command = data.draw(made(kind))
    assert digits(decode_command(encode_command(command))) == digits(command)


@pytest.mark.parametrize(
    "kind",
    [k for k in get_args(Update) if k not in {Entry, Welcome}],
    ids=lambda k: k.__name__,
)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_every_update_comes_back(kind: type[Any], data: st.DataObject) -> None:
    update = data.draw(made(kind))
    assert digits(decode_update(encode_update(update))) == digits(update)


@pytest.mark.parametrize(
    "kind", [Quote, Tick, Bar, Health, QualityReport], ids=lambda k: k.__name__
)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_every_observation_comes_back(kind: type[Any], data: st.DataObject) -> None:
    value = data.draw(made(kind))
    assert digits(codec.VALUES.unpack(codec.VALUES.pack(value))) == digits(value)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), length=st.integers(3, 250))
def test_a_whole_state_comes_back_with_the_order_of_its_mappings(seed: int, length: int) -> None:
    state = History(seed).run(length).state
    decoded = codec.decode_state(codec.encode_state(state))
    assert digits(decoded) == digits(state)


@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_a_welcome_carries_state_and_rules(data: st.DataObject) -> None:
    state = History(data.draw(st.integers(0, 50))).run(60).state
    hints = get_type_hints(Welcome)
    parts = {f.name: data.draw(values(hints[f.name])) for f in fields(Welcome) if f.name != "state"}
    welcome = Welcome(state=state, **parts)
    assert digits(decode_update(encode_update(welcome))) == digits(welcome)


def test_an_entry_comes_back_as_an_update() -> None:
    for entry in History(3).run(120).entries:
        assert decode_update(encode_update(entry)) == entry


def test_money_is_text_in_json() -> None:
    entry = next(e for e in History(1).run(60).entries if type(e.event).__name__ == "OrderFilled")
    raw = msgspec.json.decode(codec.encode_event(entry.event)[2])
    assert isinstance(raw["fill"]["price"], str)
    assert isinstance(raw["fill"]["at"], int)


@pytest.mark.parametrize(
    ("kind", "version", "body"),
    [
        ("Unheard", 1, "{}"),
        ("FlatVerified", 2, "{}"),
        (
            "SessionStarted",
            1,
            STARTED % '[{"rule":"astrology","settings":{}}]',
        ),
    ],
)
def test_what_a_newer_program_wrote_is_an_unknown_kind(kind: str, version: int, body: str) -> None:
    with pytest.raises(codec.UnknownKind):
        codec.decode_event(kind, version, body)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        '{"order":1}',
        '{"order":"o","venue_order":null}',
        '{"order":"o"}',
        "[" * 100_000,
    ],
)
def test_a_body_that_does_not_hold_what_its_kind_says_is_damaged(body: str) -> None:
    with pytest.raises(codec.DamagedBody):
        codec.decode_event("OrderAccepted", 1, body)


@pytest.mark.parametrize(
    "rules", ["5", "[5]", '[{"rule":"initial"}]', '[{"rule":"initial","settings":5}]']
)
def test_damaged_rules_are_damaged(rules: str) -> None:
    with pytest.raises(codec.DamagedBody):
        codec.decode_event("SessionStarted", 1, STARTED % rules)


@settings(max_examples=300, deadline=None)
@given(noise=st.binary(max_size=80))
def test_noise_on_the_wire_raises_nothing_but_codec_errors(noise: bytes) -> None:
    for decode in (decode_update, decode_command, codec.decode_state):
        with pytest.raises(codec.CodecError):
            decode(noise)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_flipped_byte_decodes_to_a_value_or_a_codec_error(data: st.DataObject) -> None:
    entry = data.draw(st.sampled_from(History(7).run(60).entries))
    packed = bytearray(encode_update(entry))
    packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    try:
        decoded = decode_update(bytes(packed))
    except codec.CodecError:
        return
    assert isinstance(decoded, get_args(Update))


def test_a_value_that_is_no_command_is_refused_as_one() -> None:
    with pytest.raises(codec.UnknownKind):
        decode_command(
            codec.VALUES.pack(Entry(Seq(1), Nanos(1), History().start().entries[0].event))
        )
    with pytest.raises(codec.UnknownKind):
        codec.VALUES.pack(object())


def test_the_state_of_a_new_engine_comes_back() -> None:
    assert codec.decode_state(codec.encode_state(State())) == State()
