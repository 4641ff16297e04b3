"""`q`: leave, after saying what will and will not watch the open positions (E-67)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, unique
from typing import ClassVar, Final

from textual.binding import BindingType

from engine.domain.ids import SECOND
from engine.ports.clock import Clock
from tui import formatting as fmt
from tui.action import Context
from tui.actions import bindings_for
from tui.dialog import Dialog, key_here, wrapped
from tui.panel import Desk
from tui.permission import why_not_send
from tui.widgets.line import Line

TWICE_WITHIN: Final = 2 * SECOND
"""A second ctrl+c so soon leaves the console at once."""


@unique
class Leave(Enum):
    """How to go."""

    CONSOLE = "console"
    """The engine goes on and guards."""
    ENGINE = "engine"
    """The engine is ended too; nothing watches what is open."""


def _next_start(desk: Desk) -> str:
    """Return what becomes of what stays open when an engine is started again."""
    if desk.is_recorded:
        return "The recorded day stands still until the next start."
    return (
        "The next start looks back at what their market did; where a rule would have closed one, "
        "it asks, and `recovery.gap` answers if nobody does."
    )


class LeaveDialog(Dialog[Leave]):
    """Two ways out and one back; ending the engine takes a second key."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for(Context.QUIT)]
    heading = "Leave"
    YES: ClassVar[str] = ""
    NO: ClassVar[str] = "Stay"

    def __init__(self, desk: Desk, clock: Clock) -> None:
        super().__init__(desk, clock)
        self.is_ending = False
        """The engine's end was chosen and waits for its confirmation."""
        self._asked_at = clock.monotonic()

    def lines(self, width: int) -> Sequence[Line]:
        positions = tuple(self.desk.replica.state.positions.values())
        names = ", ".join(
            f"{fmt.symbol(p.instrument)} {fmt.standing(p.side)} {fmt.quantity(p.qty)}"
            for p in positions[:4]
        )
        more = f" and {len(positions) - 4} more" if len(positions) > 4 else ""
        background, end = key_here(self, "quit.console"), key_here(self, "quit.engine")
        yes = key_here(self, "dialog.confirm")
        out: list[Line] = [
            *wrapped(f"{len(positions)} open: {names}{more}", width, "title!"),
            *wrapped(
                f"{background}  Leave the console: the engine goes on in the background and "
                "guards them as before; `holdfast` comes back to it.",
                width,
            ),
            *wrapped(
                f"{end}  Stop the engine too: they stay open and NOTHING watches them. "
                f"{_next_start(self.desk)}",
                width,
                "warning",
            ),
        ]
        if self.is_ending:
            text = (
                f"Stop the engine with {len(positions)} open? {yes} stops it; nothing guards then"
            )
            out += [(), *wrapped(text, width, "alert")]
        return out

    def objection(self) -> str:
        if not self.is_ending:
            return f"choose first: {key_here(self, 'quit.console')} or " + key_here(
                self, "quit.engine"
            )
        why = why_not_send(self.desk)
        return f"{why}; the engine goes on" if why else ""

    def answer(self) -> Leave:
        return Leave.ENGINE

    def act(self, name: str) -> None:
        if name == "quit.console":
            self.dismiss(Leave.CONSOLE)
        elif name == "quit.engine":
            self.is_ending = True
            self.ask_again()

    def interrupted(self) -> None:
        """Another ctrl+c: soon after the first it leaves the console, later it cancels."""
        if self.clock.monotonic() - self._asked_at <= TWICE_WITHIN:
            self.dismiss(Leave.CONSOLE)
        else:
            self.cancel()
