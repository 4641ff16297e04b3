"""A checkpoint of an older program has no word of later fields: it goes on all the same."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from engine.domain.event import SessionCrashed
from engine.domain.evolve import evolve, fold
from engine.domain.ids import Nanos
from engine.domain.mapping import changed
from engine.domain.state import State
from engine.store.codec import decode_state, encode_state
from tests.builders import entries, session


def without_defaults(value: Any, kind: type) -> Any:
    """Return stored `value` as before any field with a default was thought of."""
    later = {f.name for f in dataclasses.fields(kind) if f.default is not dataclasses.MISSING}
    return {name: item for name, item in value.items() if name not in later - {"seq", "session"}}


def test_a_state_stored_before_a_field_existed_evolves_like_one_of_today() -> None:
    begun = session()
    first, crash = entries(begun, SessionCrashed(begun.session, Nanos(1), Nanos(1), 0, 0))
    now = fold([first])
    stored = without_defaults(json.loads(encode_state(now)), State)
    assert not {"absence", "interventions"} & stored.keys()
    old = decode_state(json.dumps({**stored, "limits": json.loads(encode_state(now))["limits"]}))
    assert evolve(dataclasses.replace(old, rules=now.rules), crash) == evolve(now, crash)
    assert evolve(changed(old, rules=now.rules), crash) == evolve(now, crash)


def test_a_name_that_is_no_field_is_refused_all_the_same() -> None:
    with pytest.raises(TypeError, match="no such field: nonsense"):
        changed(State(), nonsense=1)
