"""Price extremes since each entry: part of `evolve`, used by it only (see `state.Extremes`)."""

from __future__ import annotations

from dataclasses import replace

from engine.domain import event as ev
from engine.domain.ids import InstrumentId, Seq
from engine.domain.money import Price
from engine.domain.state import Extremes, State


def peaks_raised(state: State, entry: ev.Entry, event: ev.PeaksRaised) -> State:
    """Return `state` with new extremes of instruments that something is held of."""
    extremes = dict(state.extremes)
    newest: dict[InstrumentId, Seq] = {}
    for position in state.positions.values():
        if position.opened_seq > newest.get(position.instrument, 0):
            newest[position.instrument] = position.opened_seq
    for peak in event.peaks:
        opened = newest.get(peak.instrument)
        if opened is None:
            continue
        known = extremes.get(peak.instrument, Extremes())
        extremes[peak.instrument] = Extremes(
            _pushed(known.highs, peak.high, entry.seq, opened, 1),
            _pushed(known.lows, peak.low, entry.seq, opened, -1),
        )
    return replace(state, extremes=extremes)


def _pushed(
    stack: tuple[tuple[Seq, Price], ...], price: Price | None, seq: Seq, opened: Seq, sign: int
) -> tuple[tuple[Seq, Price], ...]:
    """Return the suffix extremes with `price` entered at `seq` (see `Extremes`)."""
    if price is None:
        return stack
    kept = len(stack)
    while kept and (price - stack[kept - 1][1]) * sign >= 0:
        kept -= 1
    stack = stack[:kept]
    if stack and stack[-1][0] > opened:
        return stack  # nobody entered since that better price: this one is no one's peak
    return (*stack, (seq, price))
