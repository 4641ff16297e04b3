"""The terminal's own title (C-20): P&L and alerts, also for tmux's window list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.domain.ids import SECOND, Nanos
from tui import formatting as fmt
from tui.book import totals

if TYPE_CHECKING:
    from tui.app import Console

EVERY: Final = 2 * SECOND
SAVE: Final = "\x1b[22;2t"
RESTORE: Final = "\x1b[23;2t"


class Title:
    """Says it now and then, and gives the terminal back its own in the end."""

    def __init__(self, app: Console) -> None:
        self._app = app
        self._shown = ""
        self._shown_at = Nanos(0)

    def show(self, mono: Nanos) -> None:
        """Say how things stand, if it has changed and was not said just now."""
        driver, desk = self._app.console_driver, self._app.desk
        if driver is None or not self._app.settings.has_title:
            return
        if mono - self._shown_at < EVERY and self._shown:
            return
        sums = totals(desk.replica, desk.book)
        money = fmt.signed_money(sums.day, sums.currency) if sums else "holdfast"
        count = desk.alerts.count
        title = f"{money}{f' {count}!' if count else ''}"
        if title != self._shown:
            driver.write(f"{'' if self._shown else SAVE}\x1b]2;{title}\x07")
            self._shown, self._shown_at = title, mono

    def restore(self) -> None:
        """Give the terminal its own title back."""
        driver = self._app.console_driver
        if driver is not None and self._shown:
            driver.write(RESTORE)
