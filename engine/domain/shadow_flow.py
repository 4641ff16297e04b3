"""How shadows are born, grow and end: part of `evolve`, used by it only (see `shadow.Shadow`)."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.errors import IllegalTransition
from engine.domain.event import Entry, FeedChanged, ShadowEnded, StopChanged
from engine.domain.event_shadow import Levels
from engine.domain.extremes import left
from engine.domain.ids import PositionId, ShadowId, order_id
from engine.domain.instrument import Instrument
from engine.domain.mapping import changed, with_item, without
from engine.domain.money import ZERO, Qty
from engine.domain.order import ExitKind, Fill, Order
from engine.domain.position import Position
from engine.domain.shadow import Deed, Ending, Shadow, is_person, shadow_id
from engine.domain.state import INTERVENTIONS_KEPT, State


def after_exit(before: State, after: State, order: Order, fill: Fill, entry: Entry) -> State:
    """Return `after`, in which an exit's fill is booked, with what it means for shadows."""
    held = before.positions[order.position]
    now = after.positions.get(held.id)
    gross = (after.closed[-1].gross if now is None else now.realised) - held.realised
    for shadow in tuple(after.shadows.values()):
        if shadow.deed is Deed.RESTOPPED and shadow.position.id == held.id:
            sold = _sold(shadow, gross, fill, after.instruments[order.instrument])
            after = _put(after, changed(sold, is_settled=now is None))
    reason = order.exit
    if reason is None or reason.kind is not ExitKind.MANUAL or not is_person(reason.by):
        return after
    value = held.entry_value - (ZERO if now is None else now.entry_value)
    known = after.shadows.get(shadow_id(order.id))
    if known is None:
        after = _held_on(before, after, held)
        known = _born(before, held, order, entry)
    position = known.position
    known = changed(
        _sold(known, gross, fill, after.instruments[order.instrument]),
        position=changed(
            position,
            qty=Qty(position.qty + fill.qty),
            opened_qty=Qty(position.qty + fill.qty),
            entry_value=position.entry_value + value,
        ),
    )
    return _put(after, known)


def _sold(shadow: Shadow, gross: Decimal, fill: Fill, instrument: Instrument) -> Shadow:
    return changed(
        shadow,
        gross=shadow.gross + gross,
        exit_value=shadow.exit_value + instrument.value(fill.price, fill.qty),
        exited=shadow.exited + fill.qty,
    )


def _born(state: State, held: Position, order: Order, entry: Entry) -> Shadow:
    """Return the shadow of an exit by hand, with nothing of the position in it yet."""
    latch, close, reason = state.latch, held.close, order.exit
    if state.session is None or reason is None:
        raise IllegalTransition(f"exit {order.id} by hand without a session or a reason")
    if latch is not None and close is not None and close.since >= latch.since:
        deed = Deed.FLATTENED
    else:
        deed = Deed.CLOSED if order.qty == held.qty else Deed.TRIMMED
    return Shadow(
        id=shadow_id(order.id),
        position=changed(_as_it_stood(held), qty=ZERO, entry_value=ZERO),
        deed=deed,
        by=reason.by,
        note=reason.note,
        at=entry.at,
        seq=entry.seq,
        session=state.session.id,
        follows=_followed(state, held.id),
    )


def _as_it_stood(held: Position) -> Position:
    return changed(
        held,
        cost=ZERO,
        close=None,
        rearm_at=None,
        failed_closes=0,
        realised=ZERO,
        fees=ZERO,
        exit_value=ZERO,
        exited=ZERO,
        last_exit=None,
    )


def _followed(state: State, held: PositionId) -> ShadowId | None:
    """Return the first change of the stop of a position that is still open: it has all of it."""
    restops = (s for s in state.shadows.values() if s.deed is Deed.RESTOPPED)
    return next((s.id for s in restops if s.position.id == held), None)


def _held_on(before: State, after: State, held: Position) -> State:
    """Return `after` with the extremes and marks that its last position would have taken along."""
    name = held.instrument
    known = after.extremes.get(name)
    kept = changed(before.extremes[name], held=(known.held if known else 0) + 1)
    marks = after.marks
    if name in before.marks and name not in marks:
        marks = with_item(marks, name, before.marks[name])
    return changed(after, extremes=with_item(after.extremes, name, kept), marks=marks)


def restopped(state: State, entry: Entry, event: StopChanged) -> State:
    """Return `state`, in which the stop is still the former one, with the shadow of it."""
    held, session = state.positions[event.position], state.session
    levels = Levels(event.stop_loss, event.take_profit)
    if event.before in {None, levels} or not is_person(event.by) or session is None:
        return state
    shadow = Shadow(
        id=shadow_id(order_id(session.id, entry.seq)),
        position=_as_it_stood(held),
        deed=Deed.RESTOPPED,
        by=event.by,
        note="",
        at=entry.at,
        seq=entry.seq,
        session=session.id,
        levels=levels,
        follows=_followed(state, held.id),
    )
    return _put(_held_on(state, state, held), shadow)


def order_done(state: State, order: Order) -> State:
    """Return `state` with the operator's side of an exit by hand final."""
    shadow = state.shadows.get(shadow_id(order.id))
    if shadow is None:
        return state
    is_part = shadow.deed is Deed.CLOSED and order.position in state.positions
    deed = Deed.TRIMMED if is_part else shadow.deed
    return _put(state, changed(shadow, is_settled=True, deed=deed))


def grown(state: State, order: Order, fill: Fill) -> State:
    """Return `state` with what a late fill of the entry adds to the shadows of its whole."""
    held = state.positions[order.position]
    value = state.instruments[order.instrument].value(fill.price, fill.qty)
    for shadow in tuple(state.shadows.values()):
        if shadow.deed is not Deed.RESTOPPED or shadow.position.id != held.id:
            continue
        if shadow.ending is not None:
            why = "its entry went on being filled after the rules had ended it"
            ending = Ending(shadow.ending.reason, shadow.ending.at, None, None, why)
            state = _put(state, changed(shadow, ending=ending))
            continue
        grown_ = changed(
            shadow.position,
            qty=Qty(shadow.position.qty + fill.qty),
            opened_qty=held.opened_qty,
            entry=held.entry,
            entry_value=shadow.position.entry_value + value,
        )
        state = _put(state, changed(shadow, position=grown_))
    return state


def ended(state: State, entry: Entry, event: ShadowEnded) -> State:
    """Return `state` with the strategy's side of an intervention final.

    One that ended already ends anew if looking back at a gap found that it was over before.
    """
    at = entry.at if event.fired_at is None else event.fired_at
    ending = Ending(event.reason, at, event.price, event.price_at, event.why)
    known = (*state.shadows.values(), *state.interventions)
    shadow = next((s for s in known if s.id == event.shadow), None)
    if shadow is None:
        raise IllegalTransition(f"shadow {event.shadow} is not known")
    if shadow.ending is None:
        return _put(left(state, shadow.position.instrument), changed(shadow, ending=ending))
    if shadow.ending.at <= at:
        raise IllegalTransition(f"shadow {event.shadow} ended before")
    anew = changed(shadow, ending=ending)
    if event.shadow in state.shadows:
        return _put(state, anew)
    others = tuple(anew if s.id == event.shadow else s for s in state.interventions)
    return changed(state, interventions=others)


def unseen(state: State) -> State:
    """Return `state` with one more gap in what the shadows saw of the market."""
    if not state.shadows:
        return state
    shadows = {
        id_: s if s.ending is not None else changed(s, gaps=s.gaps + 1)
        for id_, s in state.shadows.items()
    }
    return changed(state, shadows=shadows)


def feed_changed(state: State, _entry: Entry, event: FeedChanged) -> State:
    """Return `state`; a feed that went down leaves a gap."""
    return state if event.is_up else unseen(state)


def _put(state: State, shadow: Shadow) -> State:
    if not shadow.is_over:
        return changed(state, shadows=with_item(state.shadows, shadow.id, shadow))
    return changed(
        state,
        shadows=without(state.shadows, shadow.id),
        interventions=(*state.interventions[-(INTERVENTIONS_KEPT - 1) :], shadow),
    )
