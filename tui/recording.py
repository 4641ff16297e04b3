"""A recorded day as a feed: how it runs, and what a typed word asks of it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from engine.domain.calendar import local
from engine.domain.command import ControlFeed
from engine.domain.ids import SECOND, CommandId, Nanos
from engine.domain.log import LogRecord
from engine.domain.money import plain
from tui.typed import typed_number

VERBS: Final = ("pause", "resume", "step", "seek", "speed")
PACES: Final = (1, 2, 5, 10, 20, 60, 120, 300, 600, 900, 1800, 3600)
"""Recorded seconds per second that `+` and `-` go through; beyond the last: as fast as it goes."""
MAX: Final = "max"
STEPS_MAX: Final = 100_000
_SAID: Final = re.compile(r"\bfeed (pause|resume|step|seek|speed)\b(?: (\S+))?$")
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_SMOOTH: Final = 0.5
_MEASURED_AFTER: Final = SECOND // 4


class AskedWrong(Exception):
    """The feed cannot be told that; the message says what is allowed."""


@dataclass(slots=True)
class Recording:
    """What is known of the feed's pace, from the engine's log and its heartbeats."""

    is_paused: bool = False
    has_ended: bool = False
    speed: str = ""
    """Last asked for; empty: as it was started."""
    pace: float = 0.0
    """Recorded seconds per second, measured."""
    _now: Nanos = Nanos(0)
    _mono: Nanos = Nanos(0)

    def hear(self, record: LogRecord) -> None:
        """Follow what the engine logs of its feed."""
        if record.source == "feed" and record.text.endswith("feed has ended"):
            self.has_ended = True
            return
        said = _SAID.search(record.text) if record.source == "command" else None
        if said is None or " refused: " in record.text:
            return
        verb, value = said.groups()
        self.is_paused = verb in {"pause", "step"} or (self.is_paused and verb != "resume")
        if verb == "speed" and value:
            self.speed = value

    def beat(self, now: Nanos, mono: Nanos) -> None:
        """Measure the pace by a heartbeat."""
        passed = mono - self._mono
        if passed < _MEASURED_AFTER:
            return
        if self._mono:
            measured = max(0.0, (now - self._now) / passed)
            self.pace += (measured - self.pace) * (_SMOOTH if self.pace else 1.0)
        self._now, self._mono = now, mono

    @property
    def told(self) -> str:
        """Return how it runs, in a word for the header."""
        if self.has_ended:
            return "ENDED"
        if self.is_paused:
            return "PAUSED"
        return self.speed if self.speed == MAX else f"×{self.speed or f'{self.pace:.0f}'}"


def control(verb: str, value: str, id_: CommandId, by: str, now: Nanos, zone: str) -> ControlFeed:
    """Return the command that `:feed VERB VALUE` means; raises AskedWrong."""
    if verb in {"pause", "resume"} and value:
        raise AskedWrong(f"feed {verb} takes no value")
    match verb:
        case "step":
            return ControlFeed(id_, verb, by, count=_count(value))
        case "speed":
            return ControlFeed(id_, verb, by, speed=_speed(value))
        case "seek":
            return ControlFeed(id_, verb, by, at=_moment(value, now, zone))
        case _:
            return ControlFeed(id_, verb, by)


def next_pace(recording: Recording, step: int) -> str:
    """Return the pace after (or before) the present one."""
    if recording.speed == MAX:
        return MAX if step > 0 else str(PACES[-1])
    present = float(recording.speed) if recording.speed else recording.pace
    if step > 0:
        return next((str(pace) for pace in PACES if pace > present * 1.05), MAX)
    return next((str(pace) for pace in reversed(PACES) if pace < present * 0.95), str(PACES[0]))


def _count(value: str) -> int:
    if not value:
        return 1
    if not (value.isdecimal() and value.isascii() and 1 <= int(value) <= STEPS_MAX):
        raise AskedWrong(f"feed step was {value[:20]!r}; a number of items, 1 to {STEPS_MAX}")
    return int(value)


def _speed(value: str) -> Decimal | None:
    if value == MAX:
        return None
    typed = typed_number(value.removeprefix("×").removeprefix("x"))
    if typed is None:
        raise AskedWrong(f"feed speed was {value[:20]!r}; recorded seconds per second, or max")
    return Decimal(plain(typed))


def _moment(value: str, now: Nanos, zone: str) -> Nanos:
    found = _CLOCK.fullmatch(value)
    if found is not None:
        hour, minute, second = (int(part or 0) for part in found.groups())
        there = local(now, zone).replace(hour=hour, minute=minute, second=second, microsecond=0)
        return Nanos(int(there.timestamp()) * SECOND)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise AskedWrong(f"feed seek was {value[:30]!r}; a time such as 11:30 or 11:30:05")
    return Nanos(int(moment.timestamp()) * SECOND)
