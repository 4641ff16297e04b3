"""The trigger band of one instrument: which price, time, VWAP or OI makes a rule worth asking.

A quiet tick costs two comparisons, however many positions are open (field/speed.md, section 1).
Prices here are floats with a slack of 1e-12 towards waking too early: a wake only *asks* the
rules, which decide in Decimal. Trailing stops live in groups that share one peak, so a new high
moves any number of them at once. Removal is lazy: a heap item counts while its ticket is alive.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from itertools import count
from math import inf, nextafter
from typing import Final

from engine.domain.band_side import SLACK, Item, Side
from engine.domain.ids import InstrumentId, PositionId
from engine.domain.stop import (
    Adverse,
    At,
    BelowVwap,
    Favourable,
    OpenInterest,
    Trail,
    Trigger,
)

NONE: Final[tuple[PositionId, ...]] = ()


class Band:
    """All open positions of one instrument. `lo < price < hi` and `at < deadline`: quiet.

    The owner notes every price, or at least those that are not `calm_lo <= price <= calm_hi`:
    within these no rule is asked and no extreme is news to anybody.
    """

    __slots__ = (
        "_longs", "_news", "_numbers", "_oi", "_shorts", "_times", "best", "calm_hi",
        "calm_lo", "deadline", "has_news", "held", "hi", "high", "instrument", "is_timed", "lo",
        "longs", "low", "oi_from", "shorts", "tickets", "vwap_rules", "worst"
    )  # fmt: skip

    def __init__(self, instrument: InstrumentId, news: dict[InstrumentId, Band]) -> None:
        """`news`: where the band enters itself whenever it has news."""
        self.instrument = instrument
        self._news = news
        self.tickets: dict[PositionId, int] = {}
        self._numbers = count(1)
        self._longs = Side(1, self.tickets)
        self._shorts = Side(-1, self.tickets)
        self._times: list[Item] = []
        self._oi: list[Item] = []
        self.vwap_rules: dict[PositionId, tuple[int, float, float]] = {}
        """Position -> (sign, entry, fraction)."""
        self.lo, self.hi, self.deadline, self.oi_from = -inf, inf, inf, inf
        self.high, self.low = -inf, inf
        """Extremes among the prices noted since the last PeaksRaised."""
        self.best, self.worst = -inf, inf
        """Extremes that are journaled already since the newest entry."""
        self.has_news = False
        """Whether `high` or `low` is a new extreme to somebody."""
        self.calm_lo, self.calm_hi = inf, -inf
        self.is_timed = False
        """Whether time or open interest may ask a rule, too: then no price is calm."""
        self.held: dict[PositionId, int] = {}
        """Sign of each open position, those with an exit in flight included."""
        self.longs = self.shorts = 0  # of them: a high is news to longs only, a low to shorts

    def add(
        self, id_: PositionId, sign: int, entry: float, peak: float, triggers: Iterable[Trigger]
    ) -> None:
        """Watch a position; replaces what was watched for it before."""
        ticket = next(self._numbers)
        self.tickets[id_] = ticket
        self.vwap_rules.pop(id_, None)
        side = self._longs if sign > 0 else self._shorts
        for trigger in triggers:
            match trigger:
                case Adverse(level):
                    x = sign * float(level)
                    heappush(side.lows, (-(x + abs(x) * SLACK), ticket, id_))
                case Favourable(level):
                    x = sign * float(level)
                    heappush(side.ups, (x - abs(x) * SLACK, ticket, id_))
                case Trail(fraction, activation):
                    kept = 1 - sign * float(fraction)
                    key = -kept if sign > 0 else kept
                    side.trail(key, sign * float(activation), sign * peak, ticket, id_)
                case BelowVwap(fraction):
                    self.vwap_rules[id_] = (sign, entry, float(fraction))
                case OpenInterest(threshold):
                    heappush(self._oi, (float(threshold) * (1 - SLACK), ticket, id_))
                case At(at):
                    heappush(self._times, (float(at), ticket, id_))
        self._bound()

    def hold(self, id_: PositionId, sign: int) -> None:
        """Count in a position that opened."""
        self.held[id_] = sign
        self._count(sign, 1)

    def release(self, id_: PositionId) -> None:
        """Forget a position that is closed."""
        self.remove(id_)
        self._count(self.held.pop(id_, 0), -1)

    def _count(self, sign: int, more: int) -> None:
        self.longs += more if sign > 0 else 0
        self.shorts += more if sign < 0 else 0
        if (self.longs and self.high > self.best) or (self.shorts and self.low < self.worst):
            self._tell()
        else:
            self.has_news = False
        self._calm()

    def remove(self, id_: PositionId) -> None:
        """Stop watching a position."""
        if self.tickets.pop(id_, None) is not None:
            self.vwap_rules.pop(id_, None)
            self._bound()

    def note(self, price: float) -> None:
        """Count a price in as an extreme."""
        if price > self.high:
            self.high = price
            if price > self.best and self.longs:
                self._tell()
                if self.calm_hi < price < self.hi and not self.is_timed:
                    self.calm_hi = price
        if price < self.low:
            self.low = price
            if price < self.worst and self.shorts:
                self._tell()
                if self.calm_lo > price > self.lo and not self.is_timed:
                    self.calm_lo = price

    def _tell(self) -> None:
        if not self.has_news:
            self.has_news = True
            self._news[self.instrument] = self

    def settle_extremes(self) -> None:
        """Start `high` and `low` anew: they are journaled."""
        self.best, self.worst = max(self.best, self.high), min(self.worst, self.low)
        self.high, self.low = -inf, inf
        self.has_news = False

    def forget_extremes(self) -> None:
        """Start all extremes anew: somebody entered, to whom none of them counts."""
        self.high, self.low = -inf, inf
        self.best, self.worst = -inf, inf
        self.has_news = False
        self._calm()

    def wake(self, price: float, at: float) -> Sequence[PositionId]:
        """Move to `price` at `at`; return the positions whose rules must be asked."""
        if at < self.deadline and self.only_ratchets(price):
            return NONE
        longs, shorts = self._longs, self._shorts
        due: list[PositionId] = []
        longs.advance(price, due)
        shorts.advance(-price, due)
        if at >= self.deadline:
            due += self.timed(at)
        for id_ in due:
            self.vwap_rules.pop(id_, None)
        self._bound()
        return due

    def only_ratchets(self, price: float) -> bool:
        """Let trailing stops follow `price`; return whether nothing else can come of it."""
        longs, shorts = self._longs, self._shorts
        if shorts.lo < -price < shorts.hi:
            is_all = longs.only_ratchets(price)
        elif longs.lo < price < longs.hi:
            is_all = shorts.only_ratchets(-price)
        else:
            return False
        if is_all:
            self.lo, self.hi = max(longs.lo, -shorts.hi), min(longs.hi, -shorts.lo)
            self._calm()
        return is_all

    def timed(self, at: float) -> list[PositionId]:
        """Return (and take) the positions with a timed rule due at `at`."""
        due: list[PositionId] = []
        while self._times and self._times[0][0] <= at:
            _, ticket, id_ = heappop(self._times)
            if self.tickets.get(id_) == ticket:
                del self.tickets[id_]
                due.append(id_)
        for id_ in due:
            self.vwap_rules.pop(id_, None)
        return due

    def oi_due(self, oi: float) -> list[PositionId]:
        """Return (and take) the positions whose OI threshold is reached."""
        due: list[PositionId] = []
        while self._oi and self._oi[0][0] <= oi:
            _, ticket, id_ = heappop(self._oi)
            if self.tickets.get(id_) == ticket:
                del self.tickets[id_]
                self.vwap_rules.pop(id_, None)
                due.append(id_)
        self._bound()
        return due

    def _bound(self) -> None:
        longs, shorts = self._longs, self._shorts
        longs.bound()
        shorts.bound()
        self.lo = max(longs.lo, -shorts.hi)
        self.hi = min(longs.hi, -shorts.lo)
        for heap in (self._times, self._oi):
            while heap and self.tickets.get(heap[0][2]) != heap[0][1]:
                heappop(heap)
        self.deadline = self._times[0][0] if self._times else inf
        self.oi_from = self._oi[0][0] if self._oi else inf
        self._calm()

    def _calm(self) -> None:
        self.is_timed = self.deadline < inf or self.oi_from < inf
        if self.is_timed:
            self.calm_lo, self.calm_hi = inf, -inf
            return
        low = min(self.worst, self.low) if self.shorts else -inf
        high = max(self.best, self.high) if self.longs else inf
        self.calm_lo = low if low > self.lo else nextafter(self.lo, inf)
        self.calm_hi = high if high < self.hi else nextafter(self.hi, -inf)


def vwap_due(band: Band, price: float, turnover: float, volume: float) -> list[PositionId]:
    """Return (and take) losing positions at or beyond their distance from the VWAP."""
    if volume <= 0:
        return []
    traded = price * volume
    due = [
        id_
        for id_, (sign, entry, fraction) in band.vwap_rules.items()
        if (price - entry) * sign < 0
        and (traded - turnover * (1 - sign * fraction)) * sign <= traded * SLACK
    ]
    for id_ in due:
        band.remove(id_)
    return due
