"""`holdfast doctor` (O-4): what stands in the way of a start, and how each thing is mended.

Every check looks and changes nothing. What this room may not know (the configuration, the store,
the terminal) is handed in as a question that raises when the answer is bad.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum, unique
from importlib import resources
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.domain.calendar import local
from engine.ports.clock import Clock
from engine.runtime.host import Host

PYTHON_LEAST: Final = (3, 11)
DISK_FAIL_MB: Final = 50.0
"""Entries stop below this; so a start is pointless."""
DISK_WARN_MB: Final = 1_000.0
_WAL_FIXED: Final = (3, 51, 3)
_BUILT: Final = date(2025, 11, 1)
"""Before this nobody ran this program: a clock that says so is wrong."""
_ZONES: Final = ("UTC", "Asia/Kolkata", "America/New_York")


@unique
class Grade(Enum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's."""

    grade: Grade
    about: str
    """The part that was looked at, in a word or two."""
    what: str
    mend: str = ""
    """What to do about it; never empty unless it is ok."""


@dataclass(frozen=True, slots=True)
class Question:
    """Something that only the caller can look at; `ask` raises when it is not well."""

    about: str
    ask: Callable[[], str]
    """Returns what is well, in a few words."""
    mend: str
    expected: tuple[type[Exception], ...] = (Exception,)
    is_needed: bool = True
    """False: a bad answer is a warning."""


def examine(data_dir: Path, clock: Clock, questions: Iterable[Question] = ()) -> list[Finding]:
    """Return all findings, in the order in which a person would mend them. Never raises."""
    return [
        python(sys.version_info[:3]),
        sqlite(sqlite3.sqlite_version_info[:3]),
        time_zones(),
        wall_clock(clock),
        disk(data_dir),
        *permissions(data_dir),
        *(answer(question) for question in questions),
    ]


def worst(findings: Iterable[Finding]) -> Grade:
    """Return the worst grade of `findings`; OK without any."""
    grades = {finding.grade for finding in findings}
    return next((g for g in (Grade.FAIL, Grade.WARN) if g in grades), Grade.OK)


def python(version: tuple[int, ...]) -> Finding:
    """Judge an interpreter's version."""
    said = ".".join(map(str, version))
    if version < PYTHON_LEAST:
        return Finding(Grade.FAIL, "python", said, "install Python 3.11 or newer")
    return Finding(Grade.OK, "python", said)


def sqlite(version: tuple[int, ...]) -> Finding:
    """Judge SQLite's version. The WAL-reset fault needs two writers; the store has one, by design:
    a note, nothing to mend.
    """
    said = ".".join(map(str, version))
    if version < (3, 37, 0):
        return Finding(
            Grade.FAIL, "sqlite", f"{said}: no STRICT tables", "use SQLite 3.37 or newer"
        )
    if version < _WAL_FIXED:
        said = f"{said}; its WAL-reset fault (fixed in 3.51.3) needs two writers, we are one"
    return Finding(Grade.OK, "sqlite", said)


def time_zones(names: Iterable[str] = _ZONES) -> Finding:
    """Judge whether exchange times can be known."""
    for name in names:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, OSError, ValueError) as error:
            what = f"{name} cannot be read: {error}"
            return Finding(Grade.FAIL, "time zones", what, "pip install tzdata")
    try:
        release = (resources.files("tzdata") / "zones").is_file() and "tzdata is installed"
    except ModuleNotFoundError:
        release = False
    return Finding(Grade.OK, "time zones", release or "of the system")


def wall_clock(clock: Clock) -> Finding:
    """Judge whether the clock can be right; how far it is off only a venue can tell."""
    day = local(clock.now(), "UTC").date()
    if day < _BUILT:
        what = f"it says {day}, before this program was made"
        return Finding(Grade.FAIL, "clock", what, "set the clock, e.g. timedatectl set-ntp true")
    if day.year >= _BUILT.year + 50:
        what = f"it says {day}"
        return Finding(Grade.WARN, "clock", what, "set the clock, e.g. timedatectl set-ntp true")
    return Finding(Grade.OK, "clock", f"{local(clock.now(), 'UTC'):%Y-%m-%d %H:%M:%S} UTC")


def disk(data_dir: Path) -> Finding:
    """Judge free space where the data directory is or will be."""
    place = next(p for p in (data_dir, *data_dir.absolute().parents) if p.exists())
    free = Host(place).disk_free_mb()
    if free is None:
        return Finding(Grade.WARN, "disk", f"free space at {place} is unknown", "check the mount")
    return judge_free(free, place)


def judge_free(free: float, place: Path) -> Finding:
    """Judge `free` MB."""
    what = f"{free:,.0f} MB free at {place}"
    if free < DISK_FAIL_MB:
        return Finding(Grade.FAIL, "disk", what, f"free at least {DISK_WARN_MB:,.0f} MB")
    if free < DISK_WARN_MB:
        return Finding(Grade.WARN, "disk", what, f"free at least {DISK_WARN_MB:,.0f} MB")
    return Finding(Grade.OK, "disk", what)


def permissions(data_dir: Path) -> Iterator[Finding]:
    """Judge who may read and write what is kept (O-7)."""
    try:
        mode = data_dir.stat().st_mode
    except FileNotFoundError:
        yield _would_be_made(data_dir)
        return
    except OSError as error:
        yield Finding(Grade.FAIL, "data directory", str(error), "choose another --data-dir")
        return
    if not stat.S_ISDIR(mode):
        what = f"{data_dir} is no directory"
        yield Finding(Grade.FAIL, "data directory", what, "choose another --data-dir")
        return
    if not os.access(data_dir, os.R_OK | os.W_OK | os.X_OK):
        what, mend = (
            f"{data_dir} may not be written",
            f"chown it to this user, chmod 700 {data_dir}",
        )
        yield Finding(Grade.FAIL, "data directory", what, mend)
        return
    yield _private("data directory", data_dir, mode, 0o700)
    yield from _files(data_dir)


def _files(data_dir: Path) -> Iterator[Finding]:
    """Judge every file that others could read; nothing is said of those that are private."""
    count = 0
    for place in (data_dir, data_dir / "logs"):
        for path in sorted(place.iterdir()) if place.is_dir() else ():
            try:
                mode = path.lstat().st_mode
            except OSError:
                continue  # it went while we looked
            if stat.S_ISREG(mode) or stat.S_ISSOCK(mode):
                count += 1
                finding = _private("files", path, mode, 0o600)
                if finding.grade is not Grade.OK:
                    yield finding
    yield Finding(Grade.OK, "files", f"{count} looked at")


def _private(about: str, path: Path, mode: int, right: int) -> Finding:
    found = stat.S_IMODE(mode)
    if found & 0o077:
        what = f"{path} is {found:04o}: others may get at it"
        return Finding(Grade.WARN, about, what, f"chmod {right:o} {path}")
    return Finding(Grade.OK, about, f"{path} is {found:04o}")


def _would_be_made(data_dir: Path) -> Finding:
    parent = next(p for p in data_dir.absolute().parents if p.exists())
    if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
        return Finding(Grade.OK, "data directory", f"{data_dir} will be made at the first start")
    what = f"{data_dir} is not there and cannot be made in {parent}"
    return Finding(Grade.FAIL, "data directory", what, "choose another --data-dir")


def answer(question: Question) -> Finding:
    """Ask a question of the caller's; whatever it raises becomes its finding."""
    try:
        return Finding(Grade.OK, question.about, question.ask())
    except Exception as error:  # noqa: BLE001  a doctor that falls ill helps nobody
        grade = Grade.FAIL if question.is_needed else Grade.WARN
        name = "" if isinstance(error, question.expected) else f"{type(error).__name__}: "
        return Finding(grade, question.about, f"{name}{error}", question.mend)
