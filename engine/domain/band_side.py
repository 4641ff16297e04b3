"""One side of a trigger band: the longs or the shorts of an instrument, in signed prices.

Trailing stops live in groups that share one peak, so a new high moves any number of them at once.
Removal is lazy: a heap item counts while its ticket is alive.
"""

from __future__ import annotations

from heapq import heappop, heappush
from math import inf, nextafter
from typing import Final

from engine.domain.ids import PositionId

SLACK: Final = 1e-12
"""Floats wake this much too early, relative: a wake only asks the rules, which decide exactly."""

Item = tuple[float, int, PositionId]
"""(sort key, ticket, position)."""


class Group:
    """Armed trailing stops with one peak; `stops` holds (key of the fraction, ticket, id)."""

    __slots__ = ("below", "peak", "stops")

    def __init__(self, peak: float) -> None:
        self.peak = peak
        self.stops: list[Item] = []
        self.below = -inf
        """Nearest level among the groups with a higher peak."""


class Side:
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
        self.groups: list[Group] = []
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
            self.groups.insert(at, Group(peak))
        heappush(self.groups[at].stops, item)
        self._rebase(at)

    def _rebase(self, start: int) -> None:
        for at in range(start, len(self.groups)):
            self.groups[at].below = (
                max(self.groups[at - 1].below, self._level(self.groups[at - 1])) if at else -inf
            )

    def _level(self, group: Group) -> float:
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
