"""Intraday options: trade the day's direction while its open interest unwinds (S-10).

Once a day, at the session open, the strikes with the greatest open interest give the direction.
While flat, the nearest out-of-the-money strike is renewed at each bar; inside the entry window
that option is bought when its open interest is unwinding and its price is above its VWAP. Exits
are the exit rules' business. Everything is decided at the end of a bar, from that bar alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from engine.domain.calendar import clock_time, local
from engine.domain.errors import InvalidInstrument
from engine.domain.ids import SECOND, InstrumentId, Nanos, StrategyName
from engine.domain.instrument import Instrument
from engine.domain.market import Tick
from engine.domain.money import Qty
from engine.domain.oi_day import OiDay
from engine.domain.oi_entry import grounds, inputs, objections
from engine.domain.oi_history import OiHistory
from engine.domain.option_chain import Chain, chains, nearest_expiry
from engine.domain.order import Side
from engine.domain.signal import Signal
from engine.domain.strategy import Advice, Close, Holding, Moment, Needs, Phase

_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_FLAT: Final = frozenset({Phase.ANALYZING, Phase.COOLDOWN})


@dataclass(frozen=True, slots=True)
class OiMomentumSettings:
    """Parameters. Times of day are exchange-local HH:MM; both ends of the window count."""

    underlying: InstrumentId = InstrumentId("NIFTY")
    strikes_around: int = 5
    """Strikes on either side of the one nearest spot that levels are looked for in."""
    bar_seconds: int = 300
    window_start: str = "09:30"
    window_end: str = "14:30"
    """Compared with the bar's time. A market that never closes has no window."""
    falling_bars: int = 3
    """So many falls of the open interest in a row count as unwinding."""
    cooldown_s: int = 300
    expiry: str = ""
    """ISO date; empty: the nearest that has not passed."""
    qty: Qty | None = None
    """Empty: sized by the account's profile."""

    def __post_init__(self) -> None:
        for name, least in (("strikes_around", 0), ("bar_seconds", 1), ("falling_bars", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is at least {least}, was {getattr(self, name)}")
        if self.cooldown_s < 0:
            raise ValueError(f"cooldown_s is at least 0, was {self.cooldown_s}")
        for name in ("window_start", "window_end"):
            if not _CLOCK.fullmatch(getattr(self, name)):
                raise ValueError(f"{name} is a time HH:MM, was {getattr(self, name)!r}")
        if self.window_start > self.window_end:
            raise ValueError(
                f"window_start is not after window_end ({self.window_end}), was {self.window_start}"
            )
        if self.qty is not None and self.qty <= 0:
            raise ValueError(f"qty is above 0, was {self.qty}")


class OiMomentum:
    """The strategy. Its memory is `OiDay`, where it stands, and the entry it is waiting for."""

    Settings: Final = OiMomentumSettings

    def __init__(self, name: StrategyName, settings: OiMomentumSettings) -> None:
        self._name = name
        self._set = settings
        self._day = OiDay(OiHistory(settings.falling_bars + 1))
        self._phase = Phase.STARTING
        self._cooldown_until = Nanos(0)
        self._entry: Signal | None = None
        """The wish that is not answered yet; said again after a restart (its id acts once)."""
        self._chains: dict[str, Chain] = {}
        self._zone = "UTC"
        self._has_window = False

    def needs(self) -> Needs:
        return Needs(
            underlyings=frozenset({self._set.underlying}), bar_seconds=self._set.bar_seconds
        )

    def on_start(
        self, instruments: Mapping[InstrumentId, Instrument], holding: Holding | None, now: Nanos
    ) -> Advice:
        self._chains = chains(instruments, self._set.underlying)
        index = instruments.get(self._set.underlying)
        if index is None or not self._chains:
            known = {item.underlying for item in instruments.values() if item.strike is not None}
            raise InvalidInstrument(
                f"underlying {self._set.underlying} and options on it are not in this session; "
                f"there are options on: {', '.join(sorted(filter(None, known))) or 'nothing'}"
            )
        if self._set.expiry and self._set.expiry not in self._chains:
            raise InvalidInstrument(
                f"no options on {self._set.underlying} expire on {self._set.expiry}; "
                f"expiries: {', '.join(self._chains)}"
            )
        self._zone, self._has_window = index.time_zone, index.session_open is not None
        if holding is not None:
            return self.on_opened(holding)
        if self._entry is not None:
            text = f"a fill of {self._entry.instrument}"
            return Advice((self._entry,), (), Phase.ENTERING, text)
        if now < self._cooldown_until:
            return self._cooling(now)
        return self._stand(Phase.ANALYZING, "first complete bar")

    def on_tick(self, tick: Tick) -> Advice:
        return Advice()

    def on_opened(self, holding: Holding) -> Advice:
        self._entry = None
        return self._stand(Phase.POSITION_OPEN, f"exit of {holding.instrument}")

    def on_closed(self, holding: Holding, reason: str, pnl: Decimal, now: Nanos) -> Advice:
        self._cooldown_until = Nanos(now + self._set.cooldown_s * SECOND)
        self._day.reason = ""
        if now < self._cooldown_until:
            return self._cooling(now)
        return self._stand(Phase.ANALYZING, "next bar")

    def on_refused(self, signal: Signal, reason: str) -> Advice:
        if self._entry is None or signal.id != self._entry.id:
            return Advice()
        self._entry = None
        return self._stand(Phase.ANALYZING, f"next bar; entry was refused: {reason}")

    def on_bars(self, moment: Moment) -> Advice:
        day, notes = self._day, list[str]()
        start = max((item.session_start for item in moment.closes.values()), default=Nanos(0))
        if moment.at <= day.last_bar or moment.at < start:
            return Advice()
        day.last_bar = moment.at
        chain = self._observe(moment, start)
        if chain is None:
            return self._idle(f"options on {self._set.underlying} that have not expired")
        if self._set.underlying not in moment.closes:
            return self._idle(f"a tick of {self._set.underlying}: none in this bar")
        if day.levels is None or day.direction is None:
            if not day.find_levels(chain, self._set.strikes_around):
                known, wanted = day.known(chain, self._set.strikes_around)
                return self._idle(f"first complete data: OI of {known} of {wanted} options known")
            if day.levels is not None and day.direction is not None:
                notes += [day.levels.text(), f"DIRECTION {day.direction.value}: {day.why}"]
        if self._phase not in _FLAT:
            return Advice(notes=tuple(notes))
        if change := day.renew_strike(chain):
            notes.append(change)
        return self._consider(moment, chain, notes)

    def memory(self) -> dict[str, Any]:
        entry = self._entry
        return {
            "phase": self._phase.value,
            "cooldown_until": self._cooldown_until,
            "entry": None
            if entry is None
            else [entry.id, entry.instrument, entry.at, entry.reason, list(entry.inputs)],
            "day": self._day.memory(),
        }

    def restore(self, memory: Mapping[str, Any]) -> None:
        self._phase = Phase(memory["phase"])
        self._cooldown_until = Nanos(memory["cooldown_until"])
        self._day.restore(memory["day"])
        self._entry = None
        if memory["entry"] is not None:
            id_, instrument, at, reason, pairs = memory["entry"]
            values = tuple((name, text) for name, text in pairs)
            self._entry = self._signal(id_, InstrumentId(instrument), Nanos(at), reason, values)

    def _observe(self, moment: Moment, start: Nanos) -> Chain | None:
        """Enter spot and open interest; a bar of a later session starts a new day."""
        day = self._day
        if start > day.session_start:
            today = local(moment.at, self._zone).date().isoformat()
            day.begin(start, self._set.expiry or nearest_expiry(self._chains, today))
        chain = self._chains.get(day.expiry) if day.expiry is not None else None
        for option in chain.ids.values() if chain else ():
            close = moment.closes.get(option)
            if close is not None and close.bar.oi is not None:
                day.history.add(option, close.bar.oi)
        if self._set.underlying in moment.closes:
            day.spot = moment.closes[self._set.underlying].bar.close
        return chain

    def _consider(self, moment: Moment, chain: Chain, notes: list[str]) -> Advice:
        """Decide whether to enter: cooldown, window, then the option itself."""
        if moment.ends < self._cooldown_until:
            return self._cooling(moment.ends, notes)
        at = local(moment.at, self._zone).replace(second=0, microsecond=0, tzinfo=None).time()
        if self._has_window and at < clock_time(self._set.window_start):
            return self._wait("early", f"entry window opens {self._set.window_start}", notes)
        if self._has_window and at > clock_time(self._set.window_end):
            return self._wait("late", f"entry window closed {self._set.window_end}", notes)
        day = self._day
        if day.strike is None or day.direction is None:
            return self._wait("strike", "a strike out of the money", notes)
        option = chain.ids[day.strike, day.direction]
        close = moment.closes.get(option)
        if close is None:
            return self._wait("silent", f"a tick of {day.label}: none in this bar", notes)
        against = objections(day, option, close, self._set.falling_bars)
        if against:
            kind, text = "+".join(kind for kind, _ in against), "; ".join(why for _, why in against)
            return self._wait(kind, f"{day.label}: {text}", notes)
        return self._enter(option, close, moment, notes)

    def _enter(
        self, option: InstrumentId, close: Close, moment: Moment, notes: list[str]
    ) -> Advice:
        reason = grounds(self._day, option, close, self._set.falling_bars)
        id_ = f"{self._name}-{option}-{moment.at // SECOND}"
        values = inputs(self._day, option, close)
        self._entry = self._signal(id_, option, moment.ends, reason, values)
        self._day.reason, self._phase = "", Phase.ENTERING
        notes.append(f"ENTRY {reason}")
        return Advice((self._entry,), tuple(notes), Phase.ENTERING, f"a fill of {option}")

    def _signal(
        self,
        id_: str,
        option: InstrumentId,
        at: Nanos,
        reason: str,
        values: tuple[tuple[str, str], ...],
    ) -> Signal:
        return Signal(
            id_,
            option,
            Side.BUY,
            at,
            self._set.qty,
            Decimal(1),
            reason,
            None,
            None,
            self._name,
            values,
        )

    def _idle(self, waits_for: str) -> Advice:
        """Nothing can be judged in this bar; a position or an entry goes on undisturbed."""
        return self._stand(Phase.ANALYZING, waits_for) if self._phase in _FLAT else Advice()

    def _wait(self, kind: str, text: str, notes: list[str]) -> Advice:
        """Stand still, and say why when it is for another reason than before."""
        if kind != self._day.reason:
            self._day.reason = kind
            notes.append(f"NO ENTRY: {text}")
        return self._stand(Phase.ANALYZING, text, notes)

    def _cooling(self, now: Nanos, notes: list[str] | None = None) -> Advice:
        left = -((now - self._cooldown_until) // SECOND)
        return self._stand(Phase.COOLDOWN, f"cooldown {left} s", notes)

    def _stand(self, phase: Phase, waits_for: str, notes: list[str] | None = None) -> Advice:
        self._phase = phase
        return Advice((), tuple(notes or ()), phase, waits_for)
