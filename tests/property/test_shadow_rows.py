"""The table of interventions is what the journal says, however it was cut; a state comes back."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.evolve import fold
from engine.domain.state import INTERVENTIONS_KEPT
from engine.store import codec, tables
from engine.store.amounts import text_of
from tests.hand_histories import HandHistory
from tests.histories import batches
from tests.property.test_store_projections import projected

_AT = {name: place for place, name in enumerate(tables.SHADOWS.columns)}


def two_sessions(seed: int, length: int) -> HandHistory:
    history = HandHistory(seed)
    history.run(length)
    history.close_all().end()
    history.start().run(2 * length)
    return history


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), cut=st.integers(0, 10**6), length=st.integers(20, 250))
def test_rows_do_not_depend_on_how_the_journal_was_cut(seed: int, cut: int, length: int) -> None:
    entries = two_sessions(seed, length).entries
    one_by_one = projected([[entry] for entry in entries])
    assert projected(batches(entries, cut)) == one_by_one
    assert projected([entries]) == one_by_one


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), length=st.integers(20, 400))
def test_a_state_with_shadows_comes_back_digit_by_digit(seed: int, length: int) -> None:
    history = two_sessions(seed, length)
    assert repr(codec.decode_state(codec.encode_state(history.state))) == repr(history.state)
    assert fold(history.entries) == history.state


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_every_intervention_has_its_row_and_no_difference_is_invented(seed: int) -> None:
    history = two_sessions(seed, 200)
    rows = {row[0]: row for row in projected([history.entries])["shadows"]}
    state = history.state
    known = {str(s.id): s for s in (*state.shadows.values(), *state.interventions)}
    assert set(known) <= set(rows)
    assert len(state.interventions) <= INTERVENTIONS_KEPT
    for id_, row in rows.items():
        operator, strategy, difference = (
            row[_AT[name]] for name in ("operator_pnl", "strategy_pnl", "difference")
        )
        if row[_AT["strategy_status"]] == "unknown":
            assert strategy is None
            assert row[_AT["why"]]
        if operator is None or strategy is None:
            assert difference is None
        else:
            wanted = Decimal(text_of(operator)) - Decimal(text_of(strategy))
            assert Decimal(text_of(difference)) == wanted
        if id_ in known and known[id_].ending is not None:
            assert row[_AT["ended_at"]] is not None


def test_no_row_is_lost_when_one_commit_ends_more_than_the_state_keeps() -> None:
    history = HandHistory(1)
    history.start()
    while len(history.state.interventions) < INTERVENTIONS_KEPT or len(history.entries) < 2_500:
        for step in (history.request_entry, history.fill_all, history.exit_by_hand):
            step()
        history.fill_all()
        history.end_a_shadow()
    entries = history.entries
    rows = projected([entries[:3], entries[3:]])["shadows"]
    assert len(rows) > INTERVENTIONS_KEPT
    assert rows == projected([[entry] for entry in entries])["shadows"]
