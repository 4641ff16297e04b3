"""What shadows are found to have come to while the engine was away (E-28, E-63)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain.decision import Choice
from engine.domain.errors import IllegalTransition
from engine.domain.event import Entry, RecoveryDecided, Resumed, SessionCrashed, ShadowEnded
from engine.domain.evolve import evolve, fold
from engine.domain.ids import Nanos, OrderId, Seq, SessionId
from engine.domain.inputs import GapSeen
from engine.domain.money import price
from engine.domain.narrate import narrate
from engine.domain.order import ExitKind, ExitReason
from engine.domain.session import Recovery
from engine.domain.shadow import Shadow, shadow_id
from engine.runtime.core import Core
from tests.builders import CATALOG, NIFTY, PUT_25900, SECOND, Desk, tick
from tests.unit.test_shadows import close, desk, prices, restop, shadow, sides


def ended(of: Shadow, reason: ExitReason, at: str, when: Nanos) -> ShadowEnded:
    """What looking back found."""
    pnl = of.position.pnl(price(at), PUT_25900)
    return ShadowEnded(of.id, reason, price(at), when, pnl, fired_at=when)


def crashed_and_back(on: Desk) -> Nanos:
    """Let the engine die, and another take over a minute later; return when it died."""
    died = on.now
    on.now = Nanos(on.now + 60 * SECOND)
    on.core = Core(CATALOG, on.state)
    on.give(SessionCrashed(SessionId("s1"), died, Nanos(60 * SECOND), len(on.state.positions), 0))
    on.give(RecoveryDecided(SessionId("s1"), Recovery.RESUME, "engine", "open"))
    on.give(Resumed(2, "test"))
    return died


def test_what_ended_while_the_engine_was_away_ends_then_and_there() -> None:
    on = desk()
    prices(on, "33.50")
    close(on)
    on.pass_time(1)
    died = crashed_and_back(on)
    reason = ExitReason(ExitKind.RULE, "trailing_stop_hit", "trailing", level=Decimal("30.15"))
    fired = Nanos(died + 7 * SECOND)
    gone = ShadowEnded(
        shadow(on).id, reason, price("30.10"), fired, Decimal("7.50"), fired_at=fired
    )
    on.give(GapSeen((), (), Choice.KEEP, shadows=(gone,)))
    assert not on.state.shadows
    ending = on.state.interventions[-1].ending
    assert ending is not None
    assert (ending.at, ending.price) == (fired, price("30.10"))
    assert sides(on) == ("262.50", "7.50", "255.00")
    assert on.state.interventions[-1].gaps == 1
    assert not on.core.bands[NIFTY].held
    line = narrate(on.entries[-1], on.state)
    assert line is not None
    assert "at 00:00:10 UTC, by looking back" in line.text


@pytest.mark.parametrize("restopped", [False, True])
def test_looking_back_corrects_an_end_that_was_seen_too_late(restopped: bool) -> None:
    on = desk()
    prices(on, "33.50")
    if restopped:
        restop(on, "20.00")
    else:
        close(on)
    on.pass_time(1)
    died = crashed_and_back(on)
    of = shadow(on)
    on.tick(tick("29.00", on.now))  # the first price of the new life is beyond the level already
    assert sides(on, "29.00")[1] == "-75.00"
    fired = Nanos(died + 7 * SECOND)
    reason = ExitReason(ExitKind.RULE, "trailing_stop_hit", "trailing")
    gone = ended(of, reason, "30.10", fired)
    on.give(GapSeen((), (), Choice.KEEP, shadows=(gone,)))
    assert sides(on, "29.00")[1] == "7.50"
    assert fold(on.entries) == on.state
    before = on.state.seq
    on.give(GapSeen((), (), Choice.KEEP, shadows=(gone,)))  # told twice
    assert on.state.seq == before


def test_an_end_found_later_than_the_one_that_is_known_changes_nothing() -> None:
    on = desk()
    close(on)
    prices(on, "22.50")
    over = on.state.interventions[-1]
    later = Nanos(on.now + SECOND)
    reason = ExitReason(ExitKind.RULE, "end_of_day", "end_of_day")
    crashed_and_back(on)
    before = on.state.seq
    gone = ended(over, reason, "25.00", later)
    on.give(GapSeen((), (), Choice.KEEP, shadows=(gone,)))
    assert on.state.seq == before
    with pytest.raises(IllegalTransition, match="ended before"):
        evolve(on.state, Entry(Seq(before + 1), on.now, gone))
    unknown = replace(gone, shadow=shadow_id(OrderId("nobody")))
    with pytest.raises(IllegalTransition, match="is not known"):
        evolve(on.state, Entry(Seq(before + 1), on.now, unknown))
