"""What `oi_momentum` knows of the running day; all of it survives a restart (S-5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from engine.domain.ids import Nanos
from engine.domain.instrument import Right
from engine.domain.money import plain
from engine.domain.oi_history import OiHistory
from engine.domain.option_chain import Chain, Level, Levels, direction, levels, otm_strike


@dataclass(slots=True)
class OiDay:
    """One session: levels and direction fixed at its open, strike and OI as they move."""

    history: OiHistory
    session_start: Nanos = Nanos(-1)
    """Opening of the session; -1: none seen yet, 0: a market that never closes."""
    expiry: str | None = None
    levels: Levels | None = None
    direction: Right | None = None
    why: str = ""
    strike: Decimal | None = None
    """Trading strike, not to be confused with the levels."""
    last_bar: Nanos = Nanos(-1)
    reason: str = ""
    """Kind of the last reason against an entry; a note is due when it changes."""
    spot: Decimal | None = None

    def begin(self, session_start: Nanos, expiry: str | None) -> None:
        """Start a new session with nothing known of it."""
        self.history.clear()
        self.session_start, self.expiry = session_start, expiry
        self.levels = self.direction = self.strike = self.spot = None
        self.why = self.reason = ""

    def memory(self) -> dict[str, Any]:
        """Return the day as JSON data."""
        levels = self.levels
        return {
            "session_start": self.session_start,
            "expiry": self.expiry,
            "levels": None
            if levels is None
            else [[str(side.strike), str(side.oi)] for side in (levels.call, levels.put)],
            "direction": self.direction.value if self.direction else None,
            "why": self.why,
            "strike": _text(self.strike),
            "spot": _text(self.spot),
            "last_bar": self.last_bar,
            "reason": self.reason,
            "oi": self.history.memory(),
        }

    def restore(self, memory: Mapping[str, Any]) -> None:
        """Take over what `memory` returned."""
        self.session_start = Nanos(memory["session_start"])
        self.expiry = memory["expiry"]
        sides = memory["levels"]
        self.levels = None if sides is None else Levels(_level(sides[0]), _level(sides[1]))
        self.direction = Right(memory["direction"]) if memory["direction"] else None
        self.why = memory["why"]
        self.strike, self.spot = _number(memory["strike"]), _number(memory["spot"])
        self.last_bar = Nanos(memory["last_bar"])
        self.reason = memory["reason"]
        self.history.restore(memory["oi"])

    def find_levels(self, chain: Chain, strikes_around: int) -> bool:
        """Fix levels and direction if the data is complete; return whether it was."""
        if self.spot is None:
            return False
        known, wanted = self.known(chain, strikes_around)
        found = levels(chain, self.history.last(), self.spot, strikes_around)
        if known < wanted or found is None:
            return False
        self.levels = found
        self.direction, self.why = direction(self.spot, found)
        return True

    def known(self, chain: Chain, strikes_around: int) -> tuple[int, int]:
        """Return of how many options near spot the open interest is known, and of how many."""
        if self.spot is None:
            return 0, 0
        options = chain.options(chain.within(self.spot, strikes_around))
        return sum(1 for option in options if option in self.history.recent), len(options)

    def renew_strike(self, chain: Chain) -> str | None:
        """Follow the spot with the trading strike; return the line for the log if it changed."""
        if self.direction is None or self.spot is None:
            return None
        new = otm_strike(chain.strikes_of(self.direction), self.spot, self.direction)
        if new == self.strike:
            return None
        old = "none" if self.strike is None else plain(self.strike)
        shown = f"none, no OTM {self.direction.value}" if new is None else plain(new)
        self.strike, self.reason = new, ""
        return f"STRIKE {old} → {shown} (spot {plain(self.spot)})"

    @property
    def label(self) -> str:
        """What is traded, as a person reads it: `25900 PUT`."""
        if self.strike is None or self.direction is None:
            return "no strike"
        return f"{plain(self.strike)} {self.direction.value}"


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _level(pair: list[str]) -> Level:
    return Level(Decimal(pair[0]), Decimal(pair[1]))
