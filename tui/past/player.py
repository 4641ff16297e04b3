"""The play head on a time line: where it stands, how fast it runs, where it jumps to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.domain.ids import Nanos
from tui.past.kinds import Kind
from tui.past.timeline import Timeline

SPEEDS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


@dataclass(slots=True)
class Player:
    """A position, and a time at or after that entry's: ages grow between entries too."""

    line: Timeline
    position: int = 0
    now: Nanos = Nanos(0)
    speed: int = 1
    is_playing: bool = False
    _mono: Nanos = Nanos(0)

    def go(self, position: int) -> None:
        """Stand at a position, as near as there is one, at the time of its entry."""
        self.position = min(max(position, 0), len(self.line))
        self.now = self.line.time(self.position)

    def step(self, entries: int) -> None:
        """Go so many entries on, or back."""
        self.is_playing = False
        self.go(self.position + entries)

    def jump(self, kind: Kind, step: int) -> bool:
        """Go to the next (or previous) entry of a kind; False: there is none."""
        found = self.line.next_of(kind, self.position, step)
        if found is None:
            return False
        self.is_playing = False
        self.go(found)
        return True

    def seek(self, at: Nanos) -> None:
        """Go to a time within the session."""
        first, last = self.line.time(1), self.line.time(len(self.line))
        self.is_playing = False
        self.now = Nanos(min(max(at, first), last))
        self.position = self.line.at_time(self.now)

    def change_speed(self, step: int) -> None:
        """Run faster or slower."""
        at = SPEEDS.index(self.speed) + step
        self.speed = SPEEDS[min(max(at, 0), len(SPEEDS) - 1)]

    def toggle(self, mono: Nanos) -> None:
        """Run, or stand still."""
        self.is_playing = not self.is_playing and self.position < len(self.line)
        self._mono = mono

    def advance(self, mono: Nanos) -> bool:
        """Move by what passed since the last call; return whether it runs."""
        if not self.is_playing:
            return False
        passed, self._mono = mono - self._mono, mono
        self.now = Nanos(self.now + max(0, passed) * self.speed)
        self.position = max(self.position, self.line.at_time(self.now))
        if self.position >= len(self.line) and self.line.is_complete:
            self.is_playing = False
            self.now = self.line.time(self.position)
        return True
