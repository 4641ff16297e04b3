"""A strategy's memory on screen: facts with their labels, never a dictionary."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.ids import SECOND, Nanos
from tui.memory import readable

NOON = Nanos(1_769_753_527 * SECOND)
DAY = {
    "strategy": {
        "phase": "cooldown",
        "cooldown_until": NOON + 90 * SECOND,
        "entry": None,
        "day": {
            "session_start": 0,
            "expiry": "2026-01-30",
            "levels": [["56400", "2523185"], ["55900", "2430540"]],
            "direction": "PUT",
            "why": "spot 55952.85 is nearest to 55900",
            "strike": "55900",
            "spot": "55909.30",
            "last_bar": NOON,
            "reason": "vwap",
            "oi": {f"BANKNIFTY{n}PE": ["1", "2"] for n in range(12)},
        },
    },
    "bars": {"ended": NOON, "tapes": {str(n): [1, 2] for n in range(43)}},
}


def test_known_facts_stand_under_their_names() -> None:
    pairs = dict(readable(json.dumps(DAY), "Asia/Kolkata", NOON))
    assert pairs["direction"] == "PUT"
    assert pairs["strike"] == "55,900"
    assert pairs["levels"] == "call OI 2,523,185 at 56,400, put OI 2,430,540 at 55,900"
    assert pairs["cooldown"] == "until 11:43:37, 1m30s left"
    assert pairs["last bar"] == "11:42:07"
    assert pairs["OI history"] == "12 instruments"
    assert not any("tape" in name or name == "phase" for name in pairs)


def test_unknown_facts_are_told_in_few_words() -> None:
    memory = {"mood": {"is_calm": True, "since": NOON}, "seen": list(range(9)), "pair": [1, "x"]}
    pairs = dict(readable(json.dumps(memory), "Asia/Kolkata", NOON))
    assert pairs == {
        "mood is calm": "yes",
        "mood since": "11:42:07",
        "seen": "9 kept",
        "pair": "1, x",
    }


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "null", '{"a": {"b": {"c": {"d": 1}}}}'])
def test_whatever_is_remembered_can_be_shown(text: str) -> None:
    for label, value in readable(text, "UTC", NOON):
        assert label
        assert "{" not in value or text == "{"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=12), inner, max_size=6)
    ),
    max_leaves=20,
)
_NAMES = st.sampled_from(["entry", "levels", "cooldown_until", "last_bar", "oi", "day", "strategy"])


@given(st.dictionaries(_NAMES | st.text(max_size=8), _JSON, max_size=8))
def test_no_memory_can_break_the_screen(memory: dict[str, object]) -> None:
    for label, value in readable(json.dumps(memory), "UTC", NOON):
        assert "\x1b" not in label + value
        assert "\n" not in label + value
