"""The frame loop: what changed is drawn, at the link's pace, unless the display is paused.

A frame follows what the engine says, so many times a second at most; while nothing is said hardly
any time passes here. A line that lags gets a frame when it has taken the last one (see tui.pace).
"""

from __future__ import annotations

import asyncio
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Final

from engine.domain.ids import SECOND, Nanos
from tui.driver import HardyDriver
from tui.panels.positions import PositionsPanel
from tui.panels.quality import LatencyPanel
from tui.replica import EVERYTHING, SILENT_AFTER, Concern
from tui.terminal import is_gone
from tui.title import Title

if TYPE_CHECKING:
    from tui.app import Console

PATIENCE: Final = 5 * SECOND
"""A frame waits at most so long for a terminal that does not keep up."""
PROBE_EVERY: Final = SECOND
"""How often a line that keeps up is asked whether it still does."""
IDLE_SECONDS: Final = 1.25
"""With nothing to draw the desk is looked at so often: a little less than the clock beats."""
BUSY_SECONDS: Final = 0.5
"""The same while something on screen counts seconds by itself."""
RETRY_SECONDS: Final = 0.02
"""A frame that waits for the line is tried again so soon."""
HANG_UP: Final = 129
"""Exit code when the terminal is gone: 128 + SIGHUP."""
SLOW_CONCERNS: Final = frozenset({Concern.HEALTH, Concern.QUALITY})
"""Renewed every second whatever happens: they come with the next beat of the clock."""


class Painter:
    """Draws the desk of one console."""

    def __init__(self, app: Console) -> None:
        self._app = app
        self._seconds = 0.1
        self._timer: asyncio.TimerHandle | None = None
        self._context: Context | None = None
        self._flushed_at = 0.0
        """Time of the loop when a frame was last looked for."""
        self._drawn_at = Nanos(0)
        self._probed_at = Nanos(0)
        self._was_grey = True
        self._silent_second = -1
        self._rung = 0
        self.title = Title(app)
        self._is_following = False
        """What follows the cursor has not been brought along yet."""

    def start(self, seconds: float) -> None:
        """Draw at most every so many seconds from now on."""
        self._seconds = seconds
        self.stop()
        self._context = copy_context()
        self._arm(seconds)

    def wake(self) -> None:
        """Draw a frame soon: something was heard."""
        if not self._app.desk.replica.touched <= SLOW_CONCERNS:
            self._arm(self._until_due)

    def stop(self) -> None:
        """Draw no more."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._context = None

    @property
    def _until_due(self) -> float:
        """Return the seconds until another frame may follow the last one."""
        passed = asyncio.get_running_loop().time() - self._flushed_at
        return max(0.0, self._seconds - passed)

    def _arm(self, seconds: float) -> None:
        """Look for a frame in so many seconds, unless that is to happen earlier anyway."""
        if self._context is None:
            return
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            if self._timer.when() <= loop.time() + seconds:
                return
            self._timer.cancel()
        self._timer = loop.call_later(seconds, self._turn, context=self._context)

    def _turn(self) -> None:
        self._timer = None
        self._app.flush()
        self._arm(self._until_next())

    def _until_next(self) -> float:
        """Return the seconds until something may have to be drawn although nothing is heard."""
        desk = self._app.desk
        is_paused = desk.paused_at is not None
        if not is_paused and (self._is_following or desk.replica.touched or desk.book.is_behind):
            return max(self._until_due, RETRY_SECONDS)
        if is_paused or desk.is_grey or desk.counts_seconds:
            return max(self._seconds, BUSY_SECONDS)
        silent_in = (desk.replica.heard + SILENT_AFTER - desk.mono) / SECOND
        return max(self._seconds, min(IDLE_SECONDS, silent_in + 0.01))

    def flush(self) -> None:
        """Draw one frame, if something changed and the terminal has taken the last one."""
        app, desk = self._app, self._app.desk
        desk.mono = app.clock.monotonic()
        if not self._may_draw(desk.mono):
            return
        self._flushed_at = asyncio.get_running_loop().time()
        self._ring()
        if desk.paused_at is not None:
            app.stage.draw_frame()
            return
        if desk.alerts.forget(desk.mono):
            app.stage.draw_frame()
        self._follow()
        changes = desk.replica.take()
        concerns = changes.concerns | self._of_silence()
        if desk.book.is_behind:
            concerns |= {Concern.QUOTES}
        if not concerns:
            return
        self._drawn_at = desk.mono
        positions = app.stage.panels.get("positions")
        seen = positions.seen() if isinstance(positions, PositionsPanel) else []
        desk.book.update(desk.replica, desk.now, changes.instruments, seen)
        for item in desk.book.all():
            desk.alerts.approach(item, desk.now)
        app.stage.draw(concerns)
        app.brush.flush()
        self.title.show(desk.mono)
        self._probe(desk.mono)

    def cursor_moved(self) -> None:
        """Bring along what follows the cursor, after the cursor itself was painted.

        On a line that lags it comes with the next frame: a key must not wait for a ladder.
        """
        if self._is_following:
            return
        self._is_following = True
        driver = self._app.console_driver
        if driver is not None and driver.pace.is_slow:
            self._arm(max(self._until_due, RETRY_SECONDS))
        else:
            asyncio.get_running_loop().call_soon(self._follow)

    def _follow(self) -> None:
        if self._is_following:
            self._is_following = False
            self._app.stage.cursor_moved()

    def _of_silence(self) -> frozenset[Concern]:
        """Return what must be drawn because nothing came: grey figures, a growing age."""
        desk = self._app.desk
        is_grey = desk.is_grey
        second = desk.replica.silence(desk.mono) // SECOND if is_grey else -1
        if is_grey is self._was_grey and second == self._silent_second:
            return frozenset()
        if is_grey is not self._was_grey:
            self._was_grey = is_grey
            for panel in self._app.stage.panels.values():
                panel.refresh()
        self._silent_second = second
        return EVERYTHING

    def _may_draw(self, mono: Nanos) -> bool:
        driver = self._app.console_driver
        if driver is None:
            return True
        if driver.is_drained and mono >= driver.pace.free_at:
            return True
        return mono - self._drawn_at > PATIENCE

    def _probe(self, mono: Nanos) -> None:
        driver = self._app.console_driver
        if driver is None:
            return
        is_trusted = driver.pace.is_trusted and not self._app.settings.terminal.is_remote
        if not is_trusted or mono - self._probed_at > PROBE_EVERY:
            self._probed_at = mono
            driver.probe()
        latency = self._app.stage.panels.get("latency")
        if isinstance(latency, LatencyPanel) and driver.pace.round_trip is not None:
            latency.link_ms = driver.pace.round_trip / 1_000_000

    def _ring(self) -> None:
        alerts = self._app.desk.alerts
        if alerts.rung != self._rung:
            self._rung = alerts.rung
            if self._app.settings.has_bell:
                self._app.bell()

    def watch_terminal(self) -> None:
        """Leave once the terminal is gone without having said so; tell of dropped keys."""
        driver = self._app.console_driver
        if driver is None:
            return
        if driver.is_closed or is_gone():
            self._app.leave(HANG_UP)
        elif complaint := driver.intake.complaint():
            self._app.say(complaint)

    # What the operator asks of it.

    def toggle_pause(self) -> None:
        """Hold the display still, or let it run on; the engine never notices."""
        desk = self._app.desk
        if desk.paused_at is None:
            desk.paused_at = desk.mono
        else:
            desk.paused_at = None
            desk.book.update(desk.replica, desk.now, frozenset(desk.replica.quotes), ())
        self._app.stage.draw_frame()

    def redraw(self) -> None:
        """Paint every cell again."""
        self._app.stage.draw_all()
        self._app.stage.refresh(layout=True)


def driver_of(app: Console) -> HardyDriver | None:
    """Return the driver of a real terminal; None in tests and in a browser."""
    driver = app._driver  # noqa: SLF001 Textual offers no public way to its driver
    return driver if isinstance(driver, HardyDriver) else None
