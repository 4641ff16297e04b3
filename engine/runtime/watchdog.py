"""Looks at the engine from outside its loop: a loop that stands still cannot say so itself."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from typing import Final

from engine.domain.ids import SECOND, Nanos
from engine.ports.clock import Clock

STUCK_S: Final = 3.0
LOOK_S: Final = 0.5
_FRAMES: Final = 6


class LoopWatch:
    """A thread that alarms, once per stop, when the loop's heart has not beaten for STUCK_S and
    names the code that holds it up.
    """

    def __init__(
        self, clock: Clock, alarm: Callable[[str], None], *, stuck_s: float = STUCK_S
    ) -> None:
        self._clock = clock
        self._alarm = alarm
        self._stuck = int(stuck_s * SECOND)
        self._beat: Nanos | None = None
        self._loop_thread = threading.get_ident()
        self._is_told = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="loop-watch", daemon=True)

    def start(self) -> None:
        """Watch the calling thread's loop, from its first beat on: a start may take its time."""
        self._loop_thread = threading.get_ident()
        self._thread.start()

    def beat(self) -> None:
        """Say that the loop is alive; call it at least every second."""
        self._beat = self._clock.monotonic()

    def stop(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(1.0)

    def look(self) -> None:
        """Alarm if the loop stands still; the thread does it every LOOK_S."""
        if self._beat is None:
            return
        still = self._clock.monotonic() - self._beat
        if still < self._stuck:
            self._is_told = False
        elif not self._is_told:
            self._is_told = True
            self._alarm(f"event loop stuck for {still / SECOND:.1f} s in {self._culprit()}")

    def _watch(self) -> None:
        looked = self._clock.monotonic()
        while not self._ended.wait(LOOK_S):
            before, looked = looked, self._clock.monotonic()
            if looked - before >= self._stuck and self._beat is not None:
                self.beat()  # this thread stood still as well: the process did, not the loop
            self.look()

    def _culprit(self) -> str:
        """Return where the loop's thread is: places only, no values (they may hold secrets)."""
        frame = sys._current_frames().get(self._loop_thread)  # noqa: SLF001  there is no other way
        if frame is None:
            return "a thread that is gone"
        stack = traceback.extract_stack(frame)[-_FRAMES:]
        return " < ".join(f"{f.name} ({f.filename}:{f.lineno})" for f in reversed(stack))
