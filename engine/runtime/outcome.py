"""What a session came to, as the plain data that `holdfast replay --json` prints.

Amounts are decimal text, exact; times are ISO-8601 UTC with nanoseconds only where there are any.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from engine.domain.event import (
    Entry,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    SignalAccepted,
    SignalRefused,
    StrategyNoted,
)
from engine.domain.ids import SECOND, InstrumentId, Nanos, OrderId, PositionId
from engine.domain.market import Market
from engine.domain.money import ZERO, Currency, plain
from engine.domain.position import Position, Trade
from engine.domain.session import Account
from engine.domain.shadow import Shadow, effect
from engine.domain.signal import Signal
from engine.domain.state import State
from engine.domain.strategy import StrategyRecord


def iso(at: Nanos) -> str:
    """Return an instant as ISO-8601 UTC."""
    seconds, rest = divmod(at, SECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{rest:09d}".rstrip("0").rstrip(".") if rest else ""
    return f"{text}{fraction}+00:00"


class Outcome:
    """Gathers trades, refusals and notes while a session runs; a reader of its entries."""

    def __init__(self) -> None:
        self.trades: list[Trade] = []
        self.refusals: list[tuple[Signal, str]] = []
        self.notes: list[tuple[Nanos, str, str]] = []
        self._entering: dict[OrderId, Signal] = {}

    def on_entry(self, entry: Entry, state: State) -> None:
        match entry.event:
            case OrderFilled():
                self.trades += [t for t in state.closed[-8:] if t.seq == entry.seq]
            case SignalRefused(signal=signal, reason=reason):
                self.refusals.append((signal, reason))
            case SignalAccepted(signal=signal, order=id_):
                self._entering[id_] = signal
            case OrderRejected(order=id_, reason=reason, text=text):
                self._not_entered(id_, f"{reason}: {text}" if text else reason, state)
            case OrderCancelled(order=id_, reason=reason):
                self._not_entered(id_, reason or "cancelled", state)
            case StrategyNoted(strategy=name, text=text):
                self.notes.append((entry.at, name, text))
            case _:
                return

    def _not_entered(self, order: OrderId, reason: str, state: State) -> None:
        """Count an accepted signal as refused, too, when the venue then took nothing of it."""
        signal = self._entering.pop(order, None)
        if signal is not None and PositionId(order) not in state.positions:
            self.refusals.append((signal, f"venue: {reason}"))

    def report(
        self, state: State, market: Market, labels: Mapping[InstrumentId, str] | None = None
    ) -> dict[str, Any]:
        """Return everything but ticks, quality and elapsed time, which the caller adds."""
        main = main_account(state)
        interventions = (*state.interventions, *state.shadows.values())
        return {
            "session": session_data(state),
            "account": account_data(state, market, main) if main else None,
            "accounts": {
                currency: account_data(state, market, account)
                for currency, account in sorted(state.accounts.items())
            },
            "trades": [trade_data(trade) for trade in self.trades],
            "open_positions": [
                position_data(state, market, position) for position in state.positions.values()
            ],
            "refused_signals": [
                {
                    "id": signal.id,
                    "symbol": signal.instrument,
                    "time": iso(signal.at),
                    "reason": reason,
                    "strategy": signal.strategy,
                }
                for signal, reason in self.refusals
            ],
            "strategies": [self._strategy_data(record) for record in state.strategies.values()],
            **(
                {"interventions": [shadow_data(state, market, s) for s in interventions]}
                if interventions
                else {}
            ),
        }

    def _strategy_data(self, record: StrategyRecord) -> dict[str, Any]:
        notes = [
            {"time": iso(at), "text": text} for at, name, text in self.notes if name == record.name
        ]
        return {**strategy_data(record), "notes": notes}


def strategy_data(record: StrategyRecord) -> dict[str, Any]:
    """Return one strategy: where it stands and what it waits for."""
    return {
        "name": record.name,
        "kind": record.kind,
        "state": record.phase.value,
        "waits_for": record.waits_for,
        "signals": record.signals,
        "refused": record.refused,
        "failure": record.failure,
    }


def session_data(state: State) -> dict[str, Any]:
    """Return the session as plain data; None everywhere without one."""
    session = state.session
    return {
        "id": session.id if session else None,
        "mode": session.mode.value if session else None,
        "venue": session.venue if session else None,
        "feed": session.feed if session else None,
        "start_time": iso(session.started_at) if session else None,
        "end_time": iso(session.ended_at) if session and session.ended_at else None,
        "status": session.status.value if session else None,
        "events": state.seq,
    }


def main_account(state: State) -> Account | None:
    """Return the account that traded most; of equals, the first in the session."""
    accounts = list(state.accounts.values())
    held: dict[Currency, int] = {a.currency: a.trades for a in accounts}
    for position in state.positions.values():
        held[position.currency] = held.get(position.currency, 0) + 1
    return max(accounts, key=lambda a: held[a.currency], default=None)


def account_data(state: State, market: Market, account: Account) -> dict[str, Any]:
    """Return one account; `equity == initial + realised + unrealised - fees` holds exactly."""
    tied = unrealised = ZERO
    for position in state.positions.values():
        if position.currency == account.currency:
            tied += position.cost
            quote = market.get(position.instrument)
            if quote is not None:
                terms = state.instruments[position.instrument]
                unrealised += position.pnl(quote.last, terms)
    return {
        "currency": account.currency,
        "initial": plain(account.initial),
        "cash": plain(account.cash),
        "cost_of_open_positions": plain(tied),
        "equity": plain(account.cash + tied + unrealised),
        "realised_pnl": plain(account.realised),
        "unrealised_pnl": plain(unrealised),
        "fees": plain(account.fees),
        "trades": account.trades,
        "wins": account.wins,
    }


def trade_data(trade: Trade) -> dict[str, Any]:
    """Return one closed trade."""
    reason = trade.reason
    return {
        "id": trade.id,
        "symbol": trade.instrument,
        "side": trade.side.standing,
        "qty": plain(trade.qty),
        "entry_time": iso(trade.entry_at),
        "entry_price": plain(trade.entry),
        "exit_time": iso(trade.exit_at),
        "exit_price": plain(trade.exit),
        "exit_reason": reason.code,
        "also_fired": list(reason.also_fired),
        "level": None if reason.level is None else plain(reason.level),
        "pnl": plain(trade.pnl),
        "pnl_pct": plain(trade.pnl_pct),
        "gross_pnl": plain(trade.gross),
        "fees": plain(trade.fees),
        "currency": trade.currency,
        "strategy": trade.strategy,
    }


def position_data(state: State, market: Market, position: Position) -> dict[str, Any]:
    """Return one open position, marked to its last price."""
    quote = market.get(position.instrument)
    terms = state.instruments[position.instrument]
    last: Decimal | None = quote.last if quote else None
    return {
        "id": position.id,
        "symbol": position.instrument,
        "side": position.side.standing,
        "qty": plain(position.qty),
        "entry_time": iso(position.opened_at),
        "entry_price": plain(position.entry),
        "last_price": None if last is None else plain(last),
        "last_time": None if quote is None else iso(quote.at),
        "peak": plain(state.peak(position)),
        "pnl": None if last is None else plain(position.pnl(last, terms)),
        "pnl_pct": None if last is None else plain(position.gain(last)),
        "cost": plain(position.cost),
        "stop_loss": None if position.stop_loss is None else plain(position.stop_loss),
        "take_profit": None if position.take_profit is None else plain(position.take_profit),
        "strategy": position.strategy,
        "currency": position.currency,
        "closing": None if position.close is None else position.close.phase.value,
    }


def shadow_data(state: State, market: Market, shadow: Shadow) -> dict[str, Any]:
    """Return an intervention with both sides before fees; what is open at its last price."""
    position, ending = shadow.position, shadow.ending
    terms = state.instruments[position.instrument]
    quote = None if shadow.is_over else market.get(position.instrument)
    last = None if quote is None else quote.last
    now = effect(shadow, state.positions.get(position.id), terms, last)
    return {
        "shadow_id": shadow.id,
        "position_id": position.id,
        "symbol": position.instrument,
        "direction": position.side.standing,
        "deed": shadow.deed.value,
        "done_by": shadow.by,
        "done_at": iso(shadow.at),
        "note": shadow.note,
        "qty": plain(position.qty),
        "entry_price": plain(position.entry),
        "operator_price": _text(shadow.exit_price(terms)),
        "operator_pnl": _text(now.operator),
        "operator_status": shadow.operator_status,
        "strategy_price": _text(ending.price if ending else None),
        "strategy_pnl": _text(now.strategy),
        "strategy_status": shadow.strategy_status,
        "difference": _text(now.difference),
        "ended_at": None if ending is None else iso(ending.at),
        "exit_reason": None if ending is None else ending.reason.code,
        "why": "" if ending is None else ending.why,
        "last_price": _text(last),
        "last_price_at": None if quote is None else iso(quote.at),
        "gaps": shadow.gaps,
        "follows": shadow.follows,
        "currency": position.currency,
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)
