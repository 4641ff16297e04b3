"""`A`: the alerts that wait, newest first; acknowledging clears them (C-20)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from tui import formatting as fmt
from tui.dialog import wrapped
from tui.sheet import Sheet
from tui.widgets.line import Line


class AlertList(Sheet[bool]):
    """Answers whether the alerts were acknowledged."""

    heading = "Alerts"
    YES: ClassVar[str] = "Acknowledge all"

    def lines(self, width: int) -> Sequence[Line]:
        waiting = tuple(reversed(self.desk.alerts.waiting))
        if not waiting:
            return [(("No alert waits.", "muted"),)]
        zone = self.desk.replica.zone
        out: list[Line] = []
        for alert in waiting:
            out += wrapped(f"{fmt.clock(alert.at, zone)}  {alert.text}", width, alert.token)
        return out

    def answer(self) -> bool:
        return True
