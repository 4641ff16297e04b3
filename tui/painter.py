"""The frame loop: what changed is drawn, at the link's pace, unless the display is paused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.timer import Timer

from engine.domain.ids import SECOND, Nanos
from tui import formatting as fmt
from tui.book import totals
from tui.driver import HardyDriver
from tui.panels.positions import PositionsPanel
from tui.panels.quality import LatencyPanel
from tui.replica import EVERYTHING, Concern

if TYPE_CHECKING:
    from tui.app import Console

PATIENCE: Final = 5 * SECOND
"""A frame waits at most so long for a terminal that does not keep up."""
TITLE_EVERY: Final = 2 * SECOND
SAVE_TITLE: Final = "\x1b[22;2t"
RESTORE_TITLE: Final = "\x1b[23;2t"


class Painter:
    """Draws the desk of one console."""

    def __init__(self, app: Console) -> None:
        self._app = app
        self._timer: Timer | None = None
        self._drawn_at = Nanos(0)
        self._was_grey = True
        self._silent_second = -1
        self._rung = 0
        self._title = ""
        self._titled_at = Nanos(0)

    def start(self, seconds: float) -> None:
        """Draw every so many seconds from now on."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self._app.set_interval(seconds, self._app.flush)

    def flush(self) -> None:
        """Draw one frame, if something changed and the terminal has taken the last one."""
        app, desk = self._app, self._app.desk
        desk.mono = app.clock.monotonic()
        if not self._may_draw(desk.mono):
            return
        self._ring()
        if desk.paused_at is not None:
            app.stage.draw_frame()
            return
        if desk.alerts.forget(desk.mono):
            app.stage.draw_frame()
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
        self._show_title(desk.mono)
        self._probe()

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
        if driver is None or driver.is_drained:
            return True
        return mono - self._drawn_at > PATIENCE

    def _probe(self) -> None:
        driver = self._app.console_driver
        if driver is None:
            return
        driver.probe()
        latency = self._app.stage.panels.get("latency")
        if isinstance(latency, LatencyPanel) and driver.round_trip is not None:
            latency.link_ms = driver.round_trip / 1_000_000

    def _ring(self) -> None:
        alerts = self._app.desk.alerts
        if alerts.rung != self._rung:
            self._rung = alerts.rung
            if self._app.settings.has_bell:
                self._app.bell()

    # The terminal's own title (C-20): P&L and alerts, also for tmux's window list.

    def _show_title(self, mono: Nanos) -> None:
        driver, desk = self._app.console_driver, self._app.desk
        if driver is None or not self._app.settings.has_title:
            return
        if mono - self._titled_at < TITLE_EVERY and self._title:
            return
        sums = totals(desk.replica, desk.book)
        money = fmt.signed_money(sums.day, sums.currency) if sums else "holdfast"
        count = desk.alerts.count
        title = f"{money}{f' {count}!' if count else ''}"
        if title != self._title:
            driver.write(f"{'' if self._title else SAVE_TITLE}\x1b]2;{title}\x07")
            self._title, self._titled_at = title, mono

    def restore_title(self) -> None:
        """Give the terminal its own title back."""
        driver = self._app.console_driver
        if driver is not None and self._title:
            driver.write(RESTORE_TITLE)

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
