"""`w`: why is this position held, what would close it; or why is nothing entered (E-27, S-5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.domain import event as ev
from engine.domain.ids import PositionId
from engine.domain.position import Close, ClosePhase
from engine.domain.state import State
from engine.ports.clock import Clock
from tui import formatting as fmt
from tui.book import Figures
from tui.dialog import labelled, wrapped
from tui.left_alone import of_position
from tui.panel import Desk
from tui.replica import Replica
from tui.sanitise import for_screen
from tui.sheet import Sheet
from tui.stop_preview import rule_lines
from tui.ticket import figures_now
from tui.widgets.line import Line

REFUSALS_SHOWN: Final = 6
GUARDED: Final = "guarded"
PHASES: Final = (GUARDED, *(phase.value for phase in ClosePhase), "filled")
"""The way of a close; a failed one goes back to the start."""


class WhyScreen(Sheet[None]):
    """Only says; there is nothing to confirm, and it stays until it is closed."""

    def __init__(self, desk: Desk, clock: Clock, position: PositionId | None) -> None:
        super().__init__(desk, clock)
        self.position = position
        self.heading = "Why" if position is not None else "Why no trade"

    def lines(self, width: int) -> Sequence[Line]:
        replica = self.desk.replica
        if self.position is None:
            return why_no_trade(replica, width)
        item = figures_now(replica, self.position, self.clock.monotonic())
        if item is None:
            return _why_closed(replica, self.position, width)
        return why_held(item, replica, width)


def why_held(item: Figures, replica: Replica, width: int) -> list[Line]:
    """Return every rule with level and room, and how far a close has come."""
    position = item.position
    name = f"{fmt.symbol(position.instrument)} {fmt.standing(position.side)}"
    by = fmt.words(position.strategy) if position.strategy else "by hand"
    entry = fmt.price(position.entry, item.instrument)
    last = fmt.price(item.quote.last, item.instrument) if item.quote else "no price"
    out: list[Line] = [
        ((f"{name} {fmt.quantity(position.qty)}", "title!"), (f"  at {entry}, {by}", "muted")),
        labelled("LTP", (last, "text!"), (f"   id {for_screen(position.id, 50)}", "muted")),
        _phase_line(position.close, position.rearm_at is not None),
    ]
    if position.close is not None:
        reason = position.close.reason
        text = f"closing because {fmt.words(reason.code)}; protection stays until it is filled"
        out += wrapped(text, width, "alert")
    if position.failed_closes:
        text = f"{position.failed_closes} close(s) failed; the rules were armed again each time"
        out += wrapped(text, width, "warning")
    out.append(())
    if not item.readings:
        out += wrapped("No price yet, so no rule can be read.", width, "warning")
    by_hand = of_position(position.id, replica, width)
    return [*out, *rule_lines(item, replica.zone), *([(), *by_hand] if by_hand else [])]


def _phase_line(close: Close | None, is_rearming: bool) -> Line:
    now = close.phase.value if close is not None else GUARDED
    spans = [
        (f"{phase} " if phase != now else f"[{phase}] ", "key!" if phase == now else "muted")
        for phase in PHASES
        if phase not in {"partial", "unknown"} or phase == now
    ]
    return labelled("phase", *spans, *([("re-arming", "warning")] if is_rearming else []))


def _why_closed(replica: Replica, position: PositionId, width: int) -> list[Line]:
    trade = next((t for t in reversed(replica.state.closed) if t.id == position), None)
    if trade is None:
        return wrapped(f"{for_screen(position, 60)} is not known here", width, "warning")
    instrument, reason = replica.instrument(trade.instrument), trade.reason
    money = fmt.signed_money(trade.pnl, trade.currency)
    out: list[Line] = [
        ((f"{fmt.symbol(trade.instrument)} {fmt.standing(trade.side)} closed", "title!"),),
        labelled("because", (fmt.words(reason.code), "text!")),
        labelled("exit", (fmt.price(trade.exit, instrument), "text"), (f"  P&L {money}", "text")),
    ]
    if reason.level is not None:
        out.append(labelled("level", (fmt.number(reason.level, 2), "text")))
    if reason.also_fired:
        names = ", ".join(fmt.words(name) for name in reason.also_fired)
        out.append(labelled("also fired", (names, "text")))
    if reason.note:
        out.append(labelled("note", (for_screen(reason.note, 200), "text")))
    by_hand = of_position(position, replica, width)
    return [*out, (), *by_hand] if by_hand else out


def why_no_trade(replica: Replica, width: int) -> list[Line]:
    """Return what blocks entries, what strategies wait for, and the last refused signals."""
    state = replica.state
    out: list[Line] = [*_blocks(state, width), ()]
    out.append((("Strategies", "title!"),))
    for record in state.strategies.values():
        waits = record.failure or record.waits_for or "nothing it has told"
        head = f"{fmt.words(record.name)} [{record.phase.value}]"
        out.append((((head), "text!"), (f"  {record.refused} refused", "muted")))
        token = "error" if record.failure else "text"
        out += wrapped(f"  waits for {for_screen(waits, 200)}", width, token)
    if not state.strategies:
        out.append((("none is running", "muted"),))
    out += [(), (("Last refused signals", "title!"),)]
    refused = [e for e in reversed(replica.signals) if isinstance(e.event, ev.SignalRefused)]
    for entry in refused[:REFUSALS_SHOWN]:
        out += _refusal(entry, replica.zone, width)
    if not refused:
        out.append((("none since this console came", "muted"),))
    return out


def _blocks(state: State, width: int) -> list[Line]:
    out: list[Line] = []
    if state.latch is not None:
        cause = fmt.words(state.latch.cause.value)
        flat = "flat" if state.latch.is_flat else "not flat yet"
        text = f"FLATTEN in force ({cause}, {flat}): {for_screen(state.latch.reason, 120)}"
        out += wrapped(text, width, "alert")
    for source, reason in state.blocks.items():
        text = f"Entries blocked by {for_screen(source, 40)}: {for_screen(reason, 160)}"
        out += wrapped(text, width, "warning")
    return out or [(("Entries are allowed.", "ok"),)]


def _refusal(entry: ev.Entry, zone: str, width: int) -> list[Line]:
    if not isinstance(entry.event, ev.SignalRefused):
        return []
    signal = entry.event.signal
    text = (
        f"{fmt.clock(entry.at, zone)} {signal.side.value} {fmt.symbol(signal.instrument)} "
        f"by {fmt.words(signal.strategy)}: {for_screen(entry.event.reason, 160)}"
    )
    return wrapped(text, width)
