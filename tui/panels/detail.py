"""Everything known of the selected position, open or closed: facts, orders, events (C-11)."""

from __future__ import annotations

from typing import ClassVar, Final

from engine.domain import event as ev
from engine.domain.ids import SECOND, InstrumentId, Nanos, OrderId, PositionId
from engine.domain.position import Position, Trade
from tui import formatting as fmt
from tui.left_alone import of_position
from tui.panel import Panel
from tui.replica import Concern, Replica
from tui.sanitise import for_screen
from tui.story import told
from tui.widgets.line import BLANK, Line, cut

Pair = tuple[str, str]
_TOLD_BY: Final = frozenset({"signal", "order", "fill", "stop"})


def project(name: PositionId, replica: Replica, width: int) -> list[Line]:
    """Return facts, working orders, and what log and journal said of it."""
    position = replica.state.positions.get(name)
    trade = next((t for t in reversed(replica.state.closed) if t.id == name), None)
    pairs = _open(position, replica) if position else _closed(trade, replica) if trade else []
    lines = [*_columns(pairs, width), *_orders(name, replica, width)]
    lines += of_position(name, replica, width)
    span = (position.opened_at, Nanos(2**63 - 2 * SECOND)) if position else _span(trade)
    held = position or trade
    told_lines = history(name, replica, width)
    if held is not None and span is not None:
        told_lines = [*earlier(held.instrument, span, replica, width), *told_lines]
    return [*lines, BLANK, *told_lines] if told_lines else lines


def _span(trade: Trade | None) -> tuple[Nanos, Nanos] | None:
    return (trade.entry_at, trade.exit_at) if trade is not None else None


def earlier(
    name: InstrumentId, span: tuple[Nanos, Nanos], replica: Replica, width: int
) -> list[Line]:
    """Return what the log says of an instrument in a position's time, before this console came."""
    known = replica.entries[0].at if replica.entries else None
    first, last = span[0] - SECOND, span[1] + SECOND
    symbol = fmt.symbol(name)
    lines: list[Line] = []
    for record in replica.logs:
        is_new = known is not None and record.at >= known
        if is_new or record.source not in _TOLD_BY or not first <= record.at <= last:
            continue
        text = fmt.symbols_in(for_screen(record.text, 200))
        if symbol in text:
            head = f"  {fmt.precise_clock(record.at, replica.zone)} "
            lines.append(cut(((head, "muted"), (text, "text")), width))
    return lines


def _open(position: Position, replica: Replica) -> list[Pair]:
    instrument, zone = replica.instrument(position.instrument), replica.zone
    stop, target = position.stop_loss, position.take_profit
    return [
        ("position", f"{fmt.standing(position.side)} {fmt.quantity(position.qty)}"),
        ("entry", fmt.price(position.entry, instrument)),
        ("opened", f"{fmt.day(position.opened_at, zone)} {fmt.clock(position.opened_at, zone)}"),
        ("by", fmt.words(position.strategy or "by hand")),
        ("peak", fmt.price(replica.state.peak(position), instrument)),
        ("tied up", fmt.money(position.cost, position.currency)),
        ("own stop", fmt.price(stop, instrument) if stop else fmt.NOTHING),
        ("own target", fmt.price(target, instrument) if target else fmt.NOTHING),
        ("realised", fmt.signed_money(position.realised, position.currency)),
        ("fees", fmt.money(position.fees, position.currency)),
        ("OI at entry", fmt.quantity(position.oi_at_entry) if position.oi_at_entry else "–"),
        ("failed closes", str(position.failed_closes)),
    ]


def _closed(trade: Trade, replica: Replica) -> list[Pair]:
    instrument, zone = replica.instrument(trade.instrument), replica.zone
    also = ", ".join(map(fmt.words, trade.reason.also_fired))
    level = trade.reason.level
    return [
        ("closed", f"{fmt.standing(trade.side)} {fmt.quantity(trade.qty)}"),
        ("reason", fmt.words(trade.reason.code)),
        ("entry", fmt.price(trade.entry, instrument)),
        ("exit", fmt.price(trade.exit, instrument)),
        ("opened", f"{fmt.day(trade.entry_at, zone)} {fmt.clock(trade.entry_at, zone)}"),
        ("closed at", fmt.clock(trade.exit_at, zone)),
        ("net", fmt.signed_money(trade.pnl, trade.currency)),
        ("fees", fmt.money(trade.fees, trade.currency)),
        ("level", fmt.price(level, instrument) if level is not None else fmt.NOTHING),
        ("also fired", also or fmt.NOTHING),
        ("note", for_screen(trade.reason.note, 60) or fmt.NOTHING),
        ("by", fmt.words(trade.strategy or "by hand")),
    ]


def _columns(pairs: list[Pair], width: int) -> list[Line]:
    """Return the pairs in as many columns as there is room for."""
    across = max(1, min(3, width // 36))
    room = width // across
    lines: list[Line] = []
    for at in range(0, len(pairs), across):
        spans: list[tuple[str, str]] = []
        for name, value in pairs[at : at + across]:
            spans.append((f"  {fmt.fit(name, 13)} ", "muted"))
            spans.append((fmt.fit(value, max(4, room - 16)), "text"))
        lines.append(cut(spans, width))
    return lines


def _orders(name: PositionId, replica: Replica, width: int) -> list[Line]:
    lines: list[Line] = []
    for working in replica.state.orders.values():
        order = working.order
        if order.position == name:
            what = (
                f"{order.type.value} {order.side.value.upper()} {fmt.quantity(working.remaining)}"
            )
            text = f"  working       {what}: {working.status.value}"
            lines.append(cut(((text, "accent"),), width))
    return lines


def history(name: PositionId, replica: Replica, width: int) -> list[Line]:
    """Return the journal's words on a position, oldest first."""
    orders: set[OrderId] = {OrderId(name)}
    lines: list[Line] = []
    for entry in replica.entries:
        event = entry.event
        match event:
            case ev.OrderRequested(order=order) | ev.OrderAdopted(order=order):
                if order.position == name:
                    orders.add(order.id)
        text = told(event, name, orders)
        if text:
            head = f"  {fmt.precise_clock(entry.at, replica.zone)} "
            lines.append(cut(((head, "muted"), (text, "text")), width))
    return lines


class DetailPanel(Panel):
    """The facts and the history of the selected position."""

    NAME: ClassVar[str] = "detail"
    TITLE: ClassVar[str] = "Detail"
    CONCERNS: ClassVar[frozenset[Concern]] = frozenset(
        {Concern.STATE, Concern.QUOTES, Concern.LINK}
    )

    def heading(self) -> str:
        name, state = self.desk.selected, self.desk.replica.state
        if name is None:
            return self.TITLE
        held = state.positions.get(name) or next((t for t in state.closed if t.id == name), None)
        return f"Detail  {fmt.symbol(held.instrument)}" if held else self.TITLE

    def notes(self) -> str:
        return for_screen(self.desk.selected, 40) if self.desk.selected else ""

    def draw(self, width: int, height: int) -> list[Line]:
        name = self.desk.selected
        if name is None:
            return [(("  no position selected", "muted"),)]
        return self.scrolled(project(name, self.desk.replica, width), height)
