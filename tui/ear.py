"""What the engine says, as far as a person is to be told: alerts, commands' steps, its return."""

from __future__ import annotations

from typing import Final

from engine.domain.event import DecisionTaken, DecisionWithdrawn, Entry
from engine.domain.ids import Nanos
from engine.link.protocol import Disconnected, Update, Welcome
from tui.alerts import Alert, alert_of
from tui.door import Door
from tui.panel import Desk
from tui.sanitise import for_screen

FIRST_ROWS: Final = 50
"""Positions brought up to date before the first frame, not by the next ones."""


class Ear:
    """Hears every update after the replica took it; remembers whom it heard."""

    def __init__(self) -> None:
        self._pid = 0
        """Of the engine that was heard last."""
        self._was_lost = False
        self.door = Door()

    def hear(self, update: Update, desk: Desk, mono: Nanos) -> None:
        """Tell of `update` what a person wants to know."""
        if isinstance(update, Welcome):
            desk.mono = mono
            first = tuple(desk.replica.state.positions)[:FIRST_ROWS]
            desk.book.update(desk.replica, desk.now, frozenset(), first)
            self._is_back(update, desk)
        elif isinstance(update, Entry):
            desk.progress.apply(update, mono)
            if isinstance(update.event, DecisionTaken | DecisionWithdrawn):
                desk.alerts.drop(f"decision:{update.event.decision}")
            alert = alert_of(update, desk.replica)
            if alert is not None:
                desk.alerts.raise_alert(alert)
        elif isinstance(update, Disconnected):
            self._was_lost = True
            why = for_screen(update.why, 80)
            desk.alerts.raise_alert(Alert(desk.now, "error", f"link lost: {why}", "link"))

    def _is_back(self, welcome: Welcome, desk: Desk) -> None:
        """Say that a lost engine is heard again, and what it holds; the same one or its heir."""
        pid, self._pid = self._pid, welcome.engine_pid
        if not self._was_lost:
            return
        self._was_lost = False
        count = len(welcome.state.positions)
        held = f"{count} open position{'' if count == 1 else 's'}"
        how = "heard again" if pid == welcome.engine_pid else "restarted"
        text = f"engine {how} (pid {welcome.engine_pid}), {held} watched"
        desk.alerts.raise_alert(Alert(desk.now, "ok", text, "link"))
