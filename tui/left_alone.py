"""What a person did beside what the rules would have done: figures and words for every place."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from engine.domain.ids import SECOND, Nanos, PositionId
from engine.domain.shadow import Deed, Effect, Shadow, effect
from tui import formatting as fmt
from tui.replica import Replica
from tui.sanitise import for_screen
from tui.widgets.line import Line, Span, cut

DEEDS: Final = {
    Deed.CLOSED: "closed",
    Deed.TRIMMED: "trimmed",
    Deed.RESTOPPED: "stop moved",
    Deed.FLATTENED: "flattened",
}


def interventions(replica: Replica) -> list[Shadow]:
    """Return every intervention that the console knows, newest first."""
    state = replica.state
    return sorted((*state.shadows.values(), *state.interventions), key=lambda s: -s.seq)


def sides(shadow: Shadow, replica: Replica) -> Effect:
    """Return both sides, what is open at the newest price that the console has."""
    state, name = replica.state, shadow.position.instrument
    instrument = replica.instrument(name)
    if instrument is None:
        return Effect(None, None)
    quote = replica.quotes.get(name)
    last = None if quote is None else quote.last
    return effect(shadow, state.positions.get(shadow.position.id), instrument, last)


def standing(shadow: Shadow, replica: Replica, now: Nanos) -> Span:
    """Return how good the figures are: `open`, `stale` (at an old price), `final`, `unknown`."""
    if shadow.strategy_status == "unknown":
        return ("unknown", "warning")
    if shadow.is_over:
        return ("final", "text")
    quote = replica.quotes.get(shadow.position.instrument)
    limit = replica.state.limits.price_age_max_s * SECOND
    if quote is None or quote.age(now) > limit:
        return ("stale", "warning")
    return ("open", "accent")


def would_exit(shadow: Shadow, replica: Replica) -> str:
    """Return what ended the strategy's side, and where; nothing while its rules are asked."""
    ending = shadow.ending
    if ending is None:
        return fmt.NOTHING
    if ending.price is None:
        return fmt.words(ending.reason.code)
    instrument = replica.instrument(shadow.position.instrument)
    return f"{fmt.words(ending.reason.code)} {fmt.price(ending.price, instrument)}"


def of_position(name: PositionId, replica: Replica, width: int) -> list[Line]:
    """Return what was done to a position by hand and what that came to."""
    told = [s for s in reversed(interventions(replica)) if s.position.id == name]
    return [line for shadow in told for line in _told(shadow, replica, width)]


def _told(shadow: Shadow, replica: Replica, width: int) -> Iterator[Line]:
    now = sides(shadow, replica)
    instrument = replica.instrument(shadow.position.instrument)
    sold = None if instrument is None else shadow.exit_price(instrument)
    at = f" at {fmt.price(sold, instrument)}" if sold is not None else ""
    deed = f"{DEEDS[shadow.deed]} by {for_screen(shadow.by, 20)}"
    head = f"  {fmt.precise_clock(shadow.at, replica.zone)} "
    what = f"{deed}: {fmt.quantity(shadow.position.qty)}{at}"
    yield cut(((head, "muted"), (what, "text")), width)
    yield cut(_sums(shadow, now), width)
    if shadow.gaps:
        times = "once" if shadow.gaps == 1 else f"{shadow.gaps} times"
        away = f"    the engine was away or its feed down {times} meanwhile"
        yield cut(((away, "muted"),), width)
    ending = shadow.ending
    if ending is None:
        return
    told = f"{fmt.clock(ending.at, replica.zone)} {would_exit(shadow, replica)}"
    yield cut((("    the rules: ", "muted"), (told, "text")), width)
    if ending.price is None:
        why = for_screen(ending.why, 90)
        yield cut((("    unknown: ", "warning"), (why, "text")), width)


def _sums(shadow: Shadow, now: Effect) -> Iterator[Span]:
    currency = shadow.position.currency
    yield ("    operator ", "muted")
    yield money(now.operator, currency)
    yield ("" if shadow.is_settled else " so far", "muted")
    yield (", alone ", "muted")
    yield money(now.strategy, currency)
    yield (" so far" if shadow.ending is None else "", "muted")
    yield (", difference ", "muted")
    yield money(now.difference, currency)


def money(amount: Decimal | None, currency: str) -> Span:
    """Return an amount with its sign in its colour; a dash if it is unknown."""
    if amount is None:
        return (fmt.NOTHING, "muted")
    hue = "profit" if amount > 0 else "loss" if amount < 0 else "text"
    return (fmt.signed_money(amount, currency), hue)
