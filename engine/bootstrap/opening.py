"""How a session begins: the previous state is looked for before anything is created (E-60)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from engine.bootstrap.options import LiveOptions
from engine.bootstrap.rules import build_rules
from engine.domain.calendar import local
from engine.domain.carryover import carryover
from engine.domain.event import (
    DecisionAsked,
    EntriesBlocked,
    InstrumentListed,
    OrderAdopted,
    OrderFilled,
    OrderRequested,
    RecoveryDecided,
    Resumed,
    SessionCrashed,
    SessionStarted,
)
from engine.domain.ids import SECOND, InstrumentId, Nanos, Seq, SessionId
from engine.domain.inputs import Opening
from engine.domain.instrument import Instrument
from engine.domain.money import Currency, Money
from engine.domain.order import Fill, Order
from engine.domain.position import Position
from engine.domain.recovery import POLICY, crash_question
from engine.domain.risk import SAFE_MODE
from engine.domain.session import DayResult, Mode, Recovery, Session, SessionStatus
from engine.domain.state import State
from engine.ports.journal import Journal
from engine.runtime.engine import Engine
from engine.venues.paper.settings import PaperSettings
from engine.venues.paper.venue import PaperVenue

CRASH_LOOP: Final = 600 * SECOND
WAYS: Final = (
    "`holdfast` asks on screen, `--set recovery.flat=resume` (or fresh) answers without a person"
)


class NeedsDecision(Exception):
    """Something must be decided before a session opens, and nobody is here to decide it."""


def goes_on(state: State) -> bool:
    """Return whether the session in `state` is unfinished: its market has to go on, too."""
    session = state.session
    if session is None:
        return False
    return bool(session.status is not SessionStatus.COMPLETED or state.positions or state.orders)


async def last_at(journal: Journal, state: State) -> Nanos:
    """Return when the last entry was made; 0: there is none."""
    last = await journal.read(Seq(max(0, state.seq - 1)))
    return last[-1].at if last else Nanos(0)


async def open_session(
    options: LiveOptions,
    engine: Engine,
    journal: Journal,
    catalog: Mapping[InstrumentId, Instrument],
    mode: Mode,
) -> bool:
    """Take the steps of a start until a session is active; each is durable before the next.

    Returns False where a person is asked first (E-62): call it again after each answer. Raises
    NeedsDecision if there is nobody to be asked.
    """
    died_at = await last_at(journal, engine.state) or engine.clock.now()
    step: Opening | EntriesBlocked | DecisionAsked | None = None
    while not isinstance(step, SessionStarted | Resumed | DecisionAsked):
        step = opening_step(options, engine.state, catalog, mode, engine.clock.now(), died_at)
        await engine.settle(step)
    if isinstance(step, DecisionAsked) and not options.is_attended:
        raise NeedsDecision(f"{step.decision.text}: {WAYS}")
    return not isinstance(step, DecisionAsked)


def opening_step(
    options: LiveOptions,
    state: State,
    catalog: Mapping[InstrumentId, Instrument],
    mode: Mode,
    now: Nanos,
    last_at: Nanos,
) -> Opening | EntriesBlocked | DecisionAsked:
    """Return the next entry of a start; `SessionStarted` or `Resumed` is the last one; after a
    `DecisionAsked` somebody has to answer first.

    Asked again after each step, so that a start that was interrupted anywhere is taken up where
    it stood (E-66). A session that ended with something open goes on as itself on the same day;
    a new day is a new session that takes its positions over (E-64).

    `last_at`: when the journal's last entry was made.
    """
    session = state.session
    if session is not None:
        match session.status:
            case SessionStatus.ACTIVE:
                away = Nanos(max(0, now - last_at))
                held, working = len(state.positions), len(state.orders)
                return SessionCrashed(session.id, last_at, away, held, working)
            case SessionStatus.CRASHED:
                if _is_looping(options, state, mode, now):
                    count = f"{options.safe_mode_crashes} crashes in 10 minutes"
                    return EntriesBlocked(SAFE_MODE, f"{count}; a person has to look and resume")
                if session.choice is None:
                    return _decision(options, state, session, now)
                if session.choice is Recovery.RESUME:
                    return Resumed(os.getpid(), f"session {session.id} goes on after a crash")
            case _ if goes_on(state) and not _is_over_night(state, catalog, now):
                why = f"session {session.id} goes on: something was held over the end"
                return Resumed(os.getpid(), why, _absent_since(state, mode))
    return _started(options, state, catalog, mode, now)


def _is_looping(options: LiveOptions, state: State, mode: Mode, now: Nanos) -> bool:
    """Return whether entries have to be held back; a recording's time says nothing of crashes."""
    if not options.safe_mode_crashes or mode is Mode.REPLAY or SAFE_MODE in state.blocks:
        return False
    recent = [at for at in state.crashes if 0 <= now - at <= CRASH_LOOP]
    return len(recent) >= options.safe_mode_crashes


def _decision(
    options: LiveOptions, state: State, session: Session, now: Nanos
) -> RecoveryDecided | DecisionAsked:
    held, working = len(state.positions), len(state.orders)
    if held or working:
        why = f"{held} positions open, {working} orders working: resuming cannot be declined"
        return RecoveryDecided(session.id, Recovery.RESUME, "engine", why)
    choice = options.recovery_flat
    if choice is None or options.is_attended:
        wait = None if choice is None else options.recovery_countdown_s
        return DecisionAsked(crash_question(session, choice or Recovery.RESUME, now, wait))
    why = f"nothing was open, recovery.flat is {choice.value}"
    return RecoveryDecided(session.id, choice, POLICY, why)


def _started(
    options: LiveOptions,
    state: State,
    catalog: Mapping[InstrumentId, Instrument],
    mode: Mode,
    now: Nanos,
) -> SessionStarted:
    return SessionStarted(
        session=_session_id(state, now),
        mode=mode,
        venue="paper",
        feed=options.feed,
        cash=_cash(options, state, catalog),
        rules=build_rules(options.rules),
        limits=options.limits,
        symbols=tuple(sorted(catalog)),
        earlier=_earlier(state, catalog, now),
        carried=carryover(state),
        absent_since=_absent_since(state, mode),
    )


def _absent_since(state: State, mode: Mode) -> Nanos | None:
    """Return since when nobody watches what an orderly end left open; None: it left nothing, or
    its market stands still while nobody runs it.
    """
    session = state.session
    if session is None or mode is Mode.REPLAY or not state.positions:
        return None
    return session.ended_at if session.status is SessionStatus.COMPLETED else None


def _is_over_night(state: State, catalog: Mapping[InstrumentId, Instrument], now: Nanos) -> bool:
    """Return whether a session ended in order on an earlier day, with nothing in flight."""
    session = state.session
    if session is None or session.ended_at is None or state.orders:
        return False
    return now > session.ended_at and _is_other_day(session.ended_at, catalog, now)


def _is_other_day(at: Nanos, catalog: Mapping[InstrumentId, Instrument], now: Nanos) -> bool:
    """Compare dates where the first exchange with hours is; a market around the clock has UTC."""
    zone = next((i.time_zone for i in catalog.values() if i.time_zone != "UTC"), "UTC")
    return local(at, zone).date() != local(now, zone).date()


def _earlier(
    state: State, catalog: Mapping[InstrumentId, Instrument], now: Nanos
) -> tuple[DayResult, ...]:
    """Return what sessions of the day of `now` made before this one (E-62)."""
    session = state.session
    if session is None:
        return ()
    if _is_other_day(session.ended_at or session.started_at, catalog, now):
        return ()
    return tuple(
        DayResult(currency, -account.lost_today, account.trades_today, account.wins_today)
        for currency, account in sorted(state.accounts.items())
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


def paper_settings(
    options: LiveOptions, state: State, cash: Mapping[Currency, Decimal]
) -> PaperSettings:
    """Return the paper venue's terms for the session in `state`; its book began with `cash`."""
    return PaperSettings(
        cash=cash,
        leverage=state.limits.leverage,
        slippage_bps=options.slippage_bps,
        fees=options.fees,
        price_age_max_s=state.limits.price_age_max_s,
    )


@dataclass(slots=True)
class Past:
    """What a real venue would still know of this session, and of those it took positions from."""

    cash: dict[Currency, Decimal] = field(default_factory=dict)
    """Before the first of the fills."""
    fills: list[tuple[Order, Fill]] = field(default_factory=list)
    instruments: dict[InstrumentId, Instrument] = field(default_factory=dict)
    held: tuple[Position, ...] = ()
    """Open before the first of the fills."""

    def teach(self, venue: PaperVenue) -> None:
        """Let a new paper venue take over what was held, and learn the fills."""
        for position in self.held:
            venue.hold(position)
        for order, fill in self.fills:
            venue.learn(order, fill, self.instruments[order.instrument])


def stand(venue: PaperVenue, state: State) -> None:
    """Let the orders that a new paper venue's last life had accepted wait there again.

    One that was requested and not accepted may never have been sent: the executor looks, then
    sends it.
    """
    for working in state.orders.values():
        if working.venue_order is not None or working.filled:
            venue.stand(working.order, state.instruments[working.order.instrument])


async def past_of(journal: Journal, base: State | None = None) -> Past:
    """Return what happened since a session last began with nothing held, or since `base`.

    `base`, a checkpoint's state, bounds the work: it does not grow with the journal (B-6). One
    with an order that is partly filled is not used: its fills are in the journal alone.
    """
    if base is None or any(working.filled for working in base.orders.values()):
        base = State()
    past = Past(
        {currency: account.cash for currency, account in base.accounts.items()},
        instruments=dict(base.instruments),
        held=tuple(base.positions.values()),
    )
    orders = {id_: working.order for id_, working in base.orders.items()}
    for entry in await journal.read(base.seq):
        match entry.event:
            case SessionStarted(cash=cash, carried=carried):
                if carried is None or not carried.positions:
                    opening = {money.currency: money.amount for money in cash}
                    past = Past(opening, instruments=past.instruments)
                    orders.clear()
            case InstrumentListed(instrument=instrument):
                past.instruments[instrument.id] = instrument
            case OrderRequested(order=order) | OrderAdopted(order=order):
                orders[order.id] = order
            case OrderFilled(fill=fill):
                past.fills.append((orders[fill.order], fill))
            case _:
                continue
    return past
