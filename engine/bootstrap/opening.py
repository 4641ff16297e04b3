"""How a session begins: the previous state is looked for before anything is created (E-60)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from engine.bootstrap.options import LiveOptions
from engine.bootstrap.rules import build_rules
from engine.domain.calendar import local
from engine.domain.event import OrderFilled, OrderRequested, Resumed, SessionStarted
from engine.domain.ids import InstrumentId, Nanos, OrderId, SessionId
from engine.domain.instrument import Instrument
from engine.domain.money import Currency, Money
from engine.domain.order import Order
from engine.domain.session import Mode, SessionStatus
from engine.domain.state import State
from engine.ports.journal import Journal
from engine.venues.paper.settings import PaperSettings
from engine.venues.paper.venue import PaperVenue


def opening_input(
    options: LiveOptions,
    state: State,
    catalog: Mapping[InstrumentId, Instrument],
    mode: Mode,
    now: Nanos,
    pid: int,
) -> SessionStarted | Resumed:
    """Return how to go on from `state`: resume what is open or unfinished, else a new session.

    A session still active had its engine killed. One that ended with positions open goes on as
    itself: whoever holds something is watched by the rules it was entered under.
    """
    session = state.session
    if session is not None and (session.status is SessionStatus.ACTIVE or state.positions):
        was_killed = session.status is SessionStatus.ACTIVE
        why = "its engine was killed" if was_killed else "positions were held over the end"
        return Resumed(pid, f"session {session.id} goes on: {why}")
    return SessionStarted(
        session=_session_id(state, now),
        mode=mode,
        venue="paper",
        feed=options.feed,
        cash=_cash(options, state, catalog),
        rules=build_rules(options.rules),
        limits=options.limits,
        symbols=tuple(sorted(catalog)),
    )


def _session_id(state: State, now: Nanos) -> SessionId:
    id_ = f"{local(now, 'UTC'):%Y%m%d-%H%M%S}"
    taken = state.session is not None and state.session.id.startswith(id_)
    return SessionId(f"{id_}b" if taken else id_)


def _cash(
    options: LiveOptions, state: State, catalog: Mapping[InstrumentId, Instrument]
) -> tuple[Money, ...]:
    """Return what each account starts with: carried over, or from configuration."""
    currencies = {i.currency for i in catalog.values() if i.is_tradable} | set(state.accounts)
    carried: dict[Currency, Decimal] = {c: a.cash for c, a in state.accounts.items()}
    return tuple(
        Money(carried.get(currency, options.initial_capital), currency)
        for currency in sorted(currencies)
    )


def paper_settings(options: LiveOptions, state: State) -> PaperSettings:
    """Return the paper venue's terms for the session in `state`."""
    return PaperSettings(
        cash={currency: account.initial for currency, account in state.accounts.items()},
        leverage=state.limits.leverage,
        slippage_bps=options.slippage_bps,
        fees=options.fees,
        price_age_max_s=state.limits.price_age_max_s,
    )


async def teach_book(venue: PaperVenue, journal: Journal, state: State) -> int:
    """Let a new paper venue learn the session's fills, as a real venue would still know them.

    Returns how many fills it learnt.
    """
    session = state.session
    if session is None:
        return 0
    orders: dict[OrderId, Order] = {}
    count = 0
    for entry in await journal.read():
        match entry.event:
            case SessionStarted():
                orders.clear()
            case OrderRequested(order=order):
                orders[order.id] = order
            case OrderFilled(fill=fill) if fill.order.startswith(f"{session.id}-"):
                order = orders[fill.order]
                venue.learn(order, fill, state.instruments[order.instrument])
                count += 1
            case _:
                continue
    return count
