"""Price extremes since each entry: part of `evolve`, used by it only (see `state.Extremes`)."""

from __future__ import annotations

from engine.domain import event as ev
from engine.domain.ids import InstrumentId, Seq
from engine.domain.mapping import changed, copied, with_item, without
from engine.domain.money import Price
from engine.domain.state import Extremes, State


def entered(known: Extremes | None, seq: Seq) -> Extremes:
    """Return the extremes of an instrument on which `seq` opened one more position."""
    known = known or Extremes()
    return changed(known, held=known.held + 1, opened=seq)


def left(state: State, instrument: InstrumentId) -> State:
    """Return `state` with one position less; the last one takes extremes and marks with it."""
    known = state.extremes[instrument]
    if known.held > 1:
        fewer = changed(known, held=known.held - 1)
        return changed(state, extremes=with_item(state.extremes, instrument, fewer))
    return changed(
        state,
        extremes=without(state.extremes, instrument),
        marks=without(state.marks, instrument),
    )


def peaks_raised(state: State, entry: ev.Entry, event: ev.PeaksRaised) -> State:
    """Return `state` with new extremes of instruments that something is held of."""
    extremes = copied(state.extremes)
    for peak in event.peaks:
        known = extremes.get(peak.instrument)
        if known is not None:
            extremes[peak.instrument] = _widened(known, peak, entry.seq)
    if not event.equity:
        return changed(state, extremes=extremes)
    accounts = copied(state.accounts)
    for highest in event.equity:
        account = accounts[highest.currency]
        high = max(account.high_water, highest.amount)
        accounts[highest.currency] = changed(account, high_water=high)
    return changed(state, extremes=extremes, accounts=accounts)


def _widened(known: Extremes, peak: ev.Peak, seq: Seq) -> Extremes:
    highs, lows = known.highs, known.lows
    if peak.high is not None:
        highs = _pushed(highs, peak.high, seq, known.opened, 1)
    if peak.low is not None:
        lows = _pushed(lows, peak.low, seq, known.opened, -1)
    return changed(known, highs=highs, lows=lows)


def _pushed(
    stack: tuple[tuple[Seq, Price], ...], price: Price, seq: Seq, opened: Seq, sign: int
) -> tuple[tuple[Seq, Price], ...]:
    """Return the suffix extremes with `price` entered at `seq` (see `Extremes`)."""
    kept = len(stack)
    while kept and (price - stack[kept - 1][1]) * sign >= 0:
        kept -= 1
    stack = stack[:kept]
    if stack and stack[-1][0] > opened:
        return stack  # nobody entered since that better price: this one is no one's peak
    return (*stack, (seq, price))
