"""An option chain at one moment: reference levels, the day's direction, the strike to trade (S-10).

Two kinds of strike must not be confused: the *levels* (greatest open interest, fixed once a day,
they decide the direction) and the *trading strike* (nearest out of the money, follows the spot).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from engine.domain.ids import InstrumentId
from engine.domain.instrument import Instrument, Kind, Right
from engine.domain.money import plain
from engine.domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Level:
    """The strike with the greatest open interest among the options of one right."""

    strike: Decimal
    oi: Decimal


@dataclass(frozen=True, slots=True)
class Levels:
    """The day's reference levels."""

    call: Level
    put: Level

    def text(self) -> str:
        """Return both values with their strikes, as the log shows them."""
        return (
            f"Max Call OI: {self.call.oi:,f} @ {plain(self.call.strike)}, "
            f"Max Put OI: {self.put.oi:,f} @ {plain(self.put.strike)}"
        )


@dataclass(frozen=True, slots=True)
class Chain:
    """The options on one underlying that expire on one day."""

    expiry: str
    strikes: tuple[Decimal, ...]
    """Ascending, each once."""
    ids: Mapping[tuple[Decimal, Right], InstrumentId]

    def within(self, spot: Decimal, count: int) -> tuple[Decimal, ...]:
        """Return the strike nearest `spot` and `count` strikes on either side of it."""
        return strikes_within(self.strikes, spot, count)

    def options(self, strikes: Iterable[Decimal]) -> list[InstrumentId]:
        """Return the options at `strikes` that exist, CALL before PUT."""
        pairs = [(strike, right) for strike in strikes for right in (Right.CALL, Right.PUT)]
        return [self.ids[pair] for pair in pairs if pair in self.ids]

    def strikes_of(self, right: Right) -> tuple[Decimal, ...]:
        """Return the strikes at which an option of `right` exists, ascending."""
        return tuple(strike for strike in self.strikes if (strike, right) in self.ids)


def chains(
    instruments: Mapping[InstrumentId, Instrument], underlying: InstrumentId
) -> dict[str, Chain]:
    """Return the chains on `underlying` by expiry (ISO date; empty text: none stated)."""
    found: dict[str, dict[tuple[Decimal, Right], InstrumentId]] = {}
    for item in instruments.values():
        if item.kind is not Kind.OPTION or item.underlying != underlying:
            continue
        if item.strike is not None and item.right is not None:
            found.setdefault(item.expiry or "", {})[item.strike, item.right] = item.id
    return {
        expiry: Chain(expiry, tuple(sorted({strike for strike, _ in ids})), ids)
        for expiry, ids in sorted(found.items())
    }


def nearest_expiry(expiries: Iterable[str], day: str) -> str | None:
    """Return the first expiry on or after `day` (ISO dates); None: all have expired.

    An option without a stated expiry (a simulated market) never expires.
    """
    alive = sorted(expiry for expiry in expiries if not expiry or expiry >= day)
    return alive[0] if alive else None


def strikes_within(strikes: Sequence[Decimal], spot: Decimal, count: int) -> tuple[Decimal, ...]:
    """Return the strike nearest `spot` (of two equally near the lower) and `count` either side."""
    if not strikes:
        return ()
    middle = min(range(len(strikes)), key=lambda i: (abs(strikes[i] - spot), strikes[i]))
    return tuple(strikes[max(0, middle - count) : middle + count + 1])


def greatest(oi: Mapping[Decimal, Decimal], spot: Decimal) -> Level | None:
    """Return the strike with the most open interest; equal ones: nearer spot, then lower."""
    if not oi:
        return None
    strike = min(oi, key=lambda strike: (-oi[strike], abs(strike - spot), strike))
    return Level(strike, oi[strike])


def levels(
    chain: Chain, oi: Mapping[InstrumentId, Decimal], spot: Decimal, count: int
) -> Levels | None:
    """Return the greatest OI among calls and among puts within `count` strikes of `spot`.

    None: there is no call, or no put, with a known open interest.
    """
    best: dict[Right, Level] = {}
    for right in Right:
        known: dict[Decimal, Decimal] = {}
        for strike in chain.within(spot, count):
            option = chain.ids.get((strike, right))
            if option is not None and option in oi:
                known[strike] = oi[option]
        level = greatest(known, spot)
        if level is None:
            return None
        best[right] = level
    return Levels(best[Right.CALL], best[Right.PUT])


def direction(spot: Decimal, at: Levels) -> tuple[Right, str]:
    """Return the day's direction, and why as a person reads it.

    Nearer the max-call-OI strike: CALL; nearer the max-put-OI strike: PUT; equally near: the side
    with the larger OI; equal in that too: CALL, so that the answer never depends on chance.
    """
    to_call, to_put = abs(spot - at.call.strike), abs(spot - at.put.strike)
    distances = (
        f"spot {plain(spot)} is {plain(to_call)} from max call OI strike {plain(at.call.strike)} "
        f"and {plain(to_put)} from max put OI strike {plain(at.put.strike)}"
    )
    if to_call != to_put:
        return (Right.CALL if to_call < to_put else Right.PUT), distances
    if at.call.oi != at.put.oi:
        right = Right.CALL if at.call.oi > at.put.oi else Right.PUT
        return right, f"{distances}: a tie, the larger OI decides ({at.text()})"
    return Right.CALL, f"{distances}: a tie with equal OI, CALL by convention"


def otm_strike(strikes: Sequence[Decimal], spot: Decimal, right: Right) -> Decimal | None:
    """Return the nearest out-of-the-money strike; None: the chain ends before it.

    CALL: the lowest strike >= spot. PUT: the highest strike < spot. So a strike that equals spot
    serves CALL only. `strikes` ascend.
    """
    place = bisect_left(strikes, spot)
    if right is Right.CALL:
        return strikes[place] if place < len(strikes) else None
    return strikes[place - 1] if place else None
