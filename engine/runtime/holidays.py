"""Which days an exchange does not trade, asked of `exchange_calendars` in a short-lived process.

The library brings pandas along: 80 MB and half a second that an engine must not carry for a list
of dates. Its answer is kept in a file, so that it is asked once a year and after an update. What
lies outside the range it knows is unknown, not a trading day.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

CODES: Final[Mapping[str, str]] = {
    "NSE": "XBOM",  # the two Indian exchanges share their holidays
    "BSE": "XBOM",
    "NYSE": "XNYS",
    "NASDAQ": "XNYS",
}
"""Calendar code of an instrument -> code of the library."""
LIMIT_S: Final = 30.0
"""Longest wait for the library, which loads slowly on a busy machine."""
_ROOT: Final = Path(__file__).resolve().parents[2]
_KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")
_SATURDAY: Final = 5


class HolidaysUnknown(Exception):
    """The calendar library has no answer; says why."""


@dataclass(frozen=True, slots=True)
class Holidays:
    """Days of one exchange that are not what their weekday says."""

    exchange: str
    first: date
    last: date
    """The range that is known, both ends included."""
    closed: frozenset[date]
    """Weekdays without a session."""
    special: frozenset[date] = frozenset()
    """Saturdays and Sundays with one."""
    early: Mapping[date, str] = field(default_factory=dict)
    """Day -> exchange-local HH:MM at which it closes before its time."""

    def is_session(self, day: date) -> bool | None:
        """Return whether the exchange trades on `day`; None: not known."""
        if not self.first <= day <= self.last:
            return None
        if day.weekday() >= _SATURDAY:
            return day in self.special
        return day not in self.closed


async def holidays(exchange: str, today: date, cache: Path) -> Holidays:
    """Return the holidays of the year before `today` to the year after it, as far as known.

    `cache` is a directory. Raises HolidaysUnknown.
    """
    code = CODES.get(exchange)
    if code is None:
        raise HolidaysUnknown(f"no holidays are known of {exchange}, only of {', '.join(CODES)}")
    path = cache / f"holidays-{exchange}.json"
    from importlib.metadata import version  # not on the way to a start

    made_by = f"{code} {today.year} exchange_calendars {version('exchange_calendars')}"
    kept = _kept(path, made_by)
    if kept is not None:
        return _holidays(exchange, kept)
    answer = await _ask(code, today.year)
    try:
        found = _holidays(exchange, answer)
    except (KeyError, TypeError, ValueError) as error:
        raise HolidaysUnknown(f"{exchange}: an answer that cannot be read: {error!r}") from None
    with suppress(OSError):  # without its file it is asked again, that is all
        _keep(path, {**answer, "made_by": made_by})
    return found


async def _ask(code: str, year: int) -> dict[str, Any]:
    try:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "engine.runtime.holidays", code, str(year)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(),
            start_new_session=True,
        )
    except OSError as error:
        raise HolidaysUnknown(f"the calendar process could not be started: {error}") from None
    try:
        async with asyncio.timeout(LIMIT_S):
            printed, said = await child.communicate()
    except TimeoutError:
        raise HolidaysUnknown(f"no answer within {LIMIT_S:g} s") from None
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if child.returncode:
        last = said.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise HolidaysUnknown(f"{code}: exit code {child.returncode}: {last[:200]}")
    try:
        answer: dict[str, Any] = json.loads(printed)
    except ValueError:
        raise HolidaysUnknown(f"{code}: an answer that is no JSON") from None
    return answer


def _environment() -> dict[str, str]:
    """Return what the library needs of our environment; credentials stay here."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": str(_ROOT)}


def _kept(path: Path, made_by: str) -> dict[str, Any] | None:
    """Return a kept answer of this year and library; anything odd about it and it is asked."""
    try:
        answer: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        _holidays("", answer)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return answer if answer.get("made_by") == made_by else None


def _keep(path: Path, answer: Mapping[str, Any]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_suffix(f".{os.getpid()}")
    try:
        handle = os.open(new, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(answer, file)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _holidays(exchange: str, answer: Mapping[str, Any]) -> Holidays:
    return Holidays(
        exchange,
        date.fromisoformat(answer["first"]),
        date.fromisoformat(answer["last"]),
        frozenset(map(date.fromisoformat, answer["closed"])),
        frozenset(map(date.fromisoformat, answer["special"])),
        {date.fromisoformat(day): str(at) for day, at in answer["early"].items()},
    )


def look_up(code: str, year: int) -> dict[str, Any]:
    """Ask the library itself; slow to import, so it is done in a process of its own."""
    import exchange_calendars

    calendar = exchange_calendars.get_calendar(code)
    first = max(date(year - 1, 1, 1), calendar.first_session.date())
    last = min(date(year + 1, 12, 31), calendar.last_session.date())
    if last < first:
        raise ValueError(f"{code} is known until {last} only")
    sessions = {stamp.date() for stamp in calendar.sessions_in_range(str(first), str(last))}
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    early = [stamp for stamp in calendar.early_closes if first <= stamp.date() <= last]
    return {
        "first": str(first),
        "last": str(last),
        "closed": [str(d) for d in days if d.weekday() < _SATURDAY and d not in sessions],
        "special": [str(d) for d in days if d.weekday() >= _SATURDAY and d in sessions],
        "early": {
            str(stamp.date()): f"{calendar.session_close(stamp).tz_convert(calendar.tz):%H:%M}"
            for stamp in early
        },
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(look_up(sys.argv[1], int(sys.argv[2]))))
