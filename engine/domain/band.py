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

from engine.domain.ids import PositionId
from engine.domain.stop import (
    Adverse,
    At,
    BelowVwap,
    Favourable,
    OpenInterest,
    Trail,
    Trigger,
)

SLACK: Final = 1e-12

Item = tuple[float, int, PositionId]
NONE: Final[tuple[PositionId, ...]] = ()


class _Group:
    """Armed trailing stops with one peak; `stops` holds (key of the fraction, ticket, id)."""

    __slots__ = ("below", "peak", "stops")

    def __init__(self, peak: float) -> None:
        self.peak = peak
        self.stops: list[Item] = []
        self.below = -inf
        """Nearest level among the groups with a higher peak."""


class _Side:
    """All triggers of the longs (sign 1) or shorts (-1) of an instrument, in signed prices.

    x = sign x price: up is always good. Groups are ordered by falling peak, so only the last
    one can be passed by a new best price.
    """

    __slots__ = (
        "arms",
        "fixed_hi",
        "fixed_lo",
        "groups",
        "hi",
        "lo",
        "lows",
        "sign",
        "tickets",
        "ups",
    )

    def __init__(self, sign: int, tickets: dict[PositionId, int]) -> None:
        self.sign = sign
        self.tickets = tickets
        self.lows: list[Item] = []
        self.ups: list[Item] = []
        self.arms: list[tuple[float, int, PositionId, float]] = []
        """(activation, ticket, id, key): becomes a trailing stop at or above the activation."""
        self.groups: list[_Group] = []
        self.lo = self.fixed_lo = -inf
        self.hi = self.fixed_hi = inf

    def trail(
        self, key: float, activation: float, peak: float, ticket: int, id_: PositionId
    ) -> None:
        """Enter a trailing stop; it is armed if the peak reached its activation."""
        if peak >= activation - abs(activation) * SLACK:
            self._join(peak, (key, ticket, id_))
        else:
            heappush(self.arms, (activation - abs(activation) * SLACK, ticket, id_, key))

    def _join(self, peak: float, item: Item) -> None:
        at = len(self.groups)
        while at and self.groups[at - 1].peak < peak:
            at -= 1
        if at and self.groups[at - 1].peak == peak:
            at -= 1
        else:
            self.groups.insert(at, _Group(peak))
        heappush(self.groups[at].stops, item)
        self._rebase(at)

    def _rebase(self, start: int) -> None:
        for at in range(start, len(self.groups)):
            self.groups[at].below = (
                max(self.groups[at - 1].below, self._level(self.groups[at - 1])) if at else -inf
            )

    def _level(self, group: _Group) -> float:
        """Return the nearest level of a group; the key is -fraction kept (long), + (short)."""
        stops, tickets = group.stops, self.tickets
        while stops and tickets.get(stops[0][2]) != stops[0][1]:
            heappop(stops)
        if not stops:
            return -inf
        level = group.peak * (-stops[0][0] if self.sign > 0 else stops[0][0])
        return level + abs(level) * SLACK

    def advance(self, x: float, due: list[PositionId]) -> None:
        """Move to price `x`: ratchet, arm, and collect what is due."""
        groups, tickets = self.groups, self.tickets
        if groups and x > groups[-1].peak:
            self._ratchet(x)
        while self.arms and self.arms[0][0] <= x:
            _, ticket, id_, key = heappop(self.arms)
            if tickets.get(id_) == ticket:
                self._join(x, (key, ticket, id_))
        while self.ups and self.ups[0][0] <= x:
            self._take(heappop(self.ups), due)
        while self.lows and -self.lows[0][0] >= x:
            self._take(heappop(self.lows), due)
        if groups and (self._level(groups[-1]) >= x or groups[-1].below >= x):
            self._fire(x, due)

    def _ratchet(self, x: float) -> None:
        groups = self.groups
        top = groups.pop()
        while groups and groups[-1].peak <= x:
            other = groups.pop()
            if len(other.stops) > len(top.stops):
                top, other = other, top
            for item in other.stops:
                heappush(top.stops, item)
        top.peak = x
        top.below = max(groups[-1].below, self._level(groups[-1])) if groups else -inf
        if top.stops:
            groups.append(top)

    def _fire(self, x: float, due: list[PositionId]) -> None:
        for group in self.groups:
            while self._level(group) >= x:
                self._take(heappop(group.stops), due)
        self.groups = [g for g in self.groups if g.stops]
        self._rebase(0)

    def _take(self, item: Item, due: list[PositionId]) -> None:
        if self.tickets.get(item[2]) == item[1]:
            del self.tickets[item[2]]
            due.append(item[2])

    def bound(self) -> None:
        """Recompute the signed prices between which nothing can happen."""
        tickets = self.tickets
        for heap in (self.lows, self.ups):
            while heap and tickets.get(heap[0][2]) != heap[0][1]:
                heappop(heap)
        while self.arms and tickets.get(self.arms[0][2]) != self.arms[0][1]:
            heappop(self.arms)
        self.fixed_lo = -self.lows[0][0] if self.lows else -inf
        self.fixed_hi = self.ups[0][0] if self.ups else inf
        if self.arms and self.arms[0][0] < self.fixed_hi:
            self.fixed_hi = self.arms[0][0]
        self._bound_trails()

    def _bound_trails(self) -> None:
        while self.groups:
            top = self.groups[-1]
            level = self._level(top)
            if top.stops:
                self.lo = max(self.fixed_lo, level, top.below)
                self.hi = min(self.fixed_hi, nextafter(top.peak, inf))
                return
            self.groups.pop()
        self.lo, self.hi = self.fixed_lo, self.fixed_hi

    def only_ratchets(self, x: float) -> bool:
        """Move the trailing stops to a new best price, if nothing else can happen at it."""
        groups = self.groups
        if not groups or x <= groups[-1].peak or x >= self.fixed_hi:
            return False
        if len(groups) > 1 and x >= groups[-2].peak:
            self._ratchet(x)
        else:
            groups[-1].peak = x
        self._bound_trails()
        return True


class Band:
    """All open positions of one instrument. `lo < price < hi` and `at < deadline`: quiet.

    The owner updates `high` and `low` (extremes since the last PeaksRaised) on every tick.
    """

    __slots__ = (
        "_longs",
        "_numbers",
        "_oi",
        "_shorts",
        "_times",
        "_vwap",
        "best",
        "deadline",
        "held",
        "hi",
        "high",
        "lo",
        "low",
        "oi_from",
        "tickets",
        "worst",
    )

    def __init__(self) -> None:
        self.tickets: dict[PositionId, int] = {}
        self._numbers = count(1)
        self._longs = _Side(1, self.tickets)
        self._shorts = _Side(-1, self.tickets)
        self._times: list[Item] = []
        self._oi: list[Item] = []
        self._vwap: dict[PositionId, tuple[int, float, float]] = {}
        """Position -> (sign, entry, fraction)."""
        self.lo, self.hi, self.deadline, self.oi_from = -inf, inf, inf, inf
        self.high, self.low = -inf, inf
        self.best, self.worst = -inf, inf
        """Extremes that are journaled already since the newest entry."""
        self.held: set[PositionId] = set()
        """Open positions, those with an exit in flight included; kept by the owner."""

    def add(
        self, id_: PositionId, sign: int, entry: float, peak: float, triggers: Iterable[Trigger]
    ) -> None:
        """Watch a position; replaces what was watched for it before."""
        ticket = next(self._numbers)
        self.tickets[id_] = ticket
        self._vwap.pop(id_, None)
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
                    self._vwap[id_] = (sign, entry, float(fraction))
                case OpenInterest(threshold):
                    heappush(self._oi, (float(threshold) * (1 - SLACK), ticket, id_))
                case At(at):
                    heappush(self._times, (float(at), ticket, id_))
        self._bound()

    def remove(self, id_: PositionId) -> None:
        """Stop watching a position."""
        if self.tickets.pop(id_, None) is not None:
            self._vwap.pop(id_, None)
            self._bound()

    @property
    def has_news(self) -> bool:
        """Return whether `high` or `low` is a new extreme to somebody."""
        return self.high > self.best or self.low < self.worst

    def settle_extremes(self) -> None:
        """Start `high` and `low` anew: they are journaled."""
        self.best, self.worst = max(self.best, self.high), min(self.worst, self.low)
        self.high, self.low = -inf, inf

    def forget_extremes(self) -> None:
        """Start all extremes anew: somebody entered, to whom none of them counts."""
        self.high, self.low = -inf, inf
        self.best, self.worst = -inf, inf

    @property
    def needs_vwap(self) -> bool:
        return bool(self._vwap)

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
            self._vwap.pop(id_, None)
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
            self._vwap.pop(id_, None)
        return due

    def vwap_due(self, price: float, turnover: float, volume: float) -> list[PositionId]:
        """Return (and take) losing positions at or beyond their distance from the VWAP."""
        if volume <= 0:
            return []
        traded = price * volume
        due = [
            id_
            for id_, (sign, entry, fraction) in self._vwap.items()
            if (price - entry) * sign < 0
            and (traded - turnover * (1 - sign * fraction)) * sign <= traded * SLACK
        ]
        for id_ in due:
            self.remove(id_)
        return due

    def oi_due(self, oi: float) -> list[PositionId]:
        """Return (and take) the positions whose OI threshold is reached."""
        due: list[PositionId] = []
        while self._oi and self._oi[0][0] <= oi:
            _, ticket, id_ = heappop(self._oi)
            if self.tickets.get(id_) == ticket:
                del self.tickets[id_]
                self._vwap.pop(id_, None)
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
