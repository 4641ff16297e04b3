"""Whether the rules would end a shadow now. It drafts facts only: a shadow never makes an order."""

from __future__ import annotations

from collections.abc import Iterable

from engine.domain.draft import Draft
from engine.domain.event import Peak, PeaksRaised, ShadowEnded
from engine.domain.exits import RISK_LIMIT, judge, peak_with
from engine.domain.ids import SECOND, Nanos, PositionId, ShadowId
from engine.domain.market import Market, Quote
from engine.domain.order import ExitKind, ExitReason
from engine.domain.shadow import Shadow
from engine.domain.stop import view_of


def check_shadows(
    draft: Draft,
    market: Market,
    due: Iterable[PositionId],
    pending: Peak | None,
    now: Nanos,
    breach: str = "",
) -> None:
    """Ask the rules of the shadows among `due` at the present quote, and draft what ends.

    `breach`: why the kill switch fires now; it would have closed them all (E-17).
    """
    state = draft.state
    if not state.shadows:
        return
    limit = ExitReason(ExitKind.RISK, RISK_LIMIT, note=breach) if breach else None
    for id_ in tuple(state.shadows) if limit else tuple(due):
        shadow = state.shadows.get(ShadowId(id_))
        if shadow is None or shadow.ending is not None:
            continue
        reason = _fired(draft, market, shadow, pending, now) or limit
        if reason is not None:
            if pending is not None and not draft:
                draft.add(PeaksRaised((pending,)))
            end_shadow(draft, shadow, market.get(shadow.position.instrument), reason, now)


def _fired(
    draft: Draft, market: Market, shadow: Shadow, pending: Peak | None, now: Nanos
) -> ExitReason | None:
    state, position = draft.state, shadow.position
    quote = market.get(position.instrument)
    if quote is None:
        return None
    if pending is not None and pending.instrument != position.instrument:
        pending = None
    instrument = state.instruments[position.instrument]
    view = view_of(position, instrument, quote, now, peak_with(state, position, pending))
    verdict = judge(state.rules, view)
    return None if verdict is None else verdict.reason


def end_shadow(
    draft: Draft, shadow: Shadow, quote: Quote | None, reason: ExitReason, now: Nanos
) -> None:
    """Draft the end of a shadow at `quote`, or without a price if that is no longer fresh."""
    position, state = shadow.position, draft.state
    limit = state.limits.price_age_max_s
    if quote is None:
        draft.add(ShadowEnded(shadow.id, reason, None, None, why="no price was seen"))
    elif quote.age(now) > limit * SECOND:
        why = f"the last price was {quote.age(now) // SECOND} s old, allowed: {limit} s"
        draft.add(ShadowEnded(shadow.id, reason, None, quote.at, why=why))
    else:
        pnl = position.pnl(quote.last, state.instruments[position.instrument])
        draft.add(ShadowEnded(shadow.id, reason, quote.last, quote.at, pnl))


def end_in_gap(draft: Draft, found: Iterable[ShadowEnded]) -> None:
    """Draft what looking back at a gap found of shadows: it counts if they did not end before."""
    state = draft.state
    known = {s.id: s for s in (*state.interventions, *state.shadows.values())}
    for event in found:
        shadow = known.get(event.shadow)
        if shadow is None or event.fired_at is None:
            continue
        if shadow.ending is None or shadow.ending.at > event.fired_at:
            draft.add(event)
