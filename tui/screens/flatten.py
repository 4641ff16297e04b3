"""`X` and `K`: close everything, or the kill switch, against a code that is on screen (C-2)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import ClassVar, Final

from textual import events

from engine.domain.command import Flatten
from engine.domain.ids import CommandId
from engine.domain.money import ZERO, plain
from engine.domain.risk import LatchCause
from engine.domain.state import State
from engine.ports.clock import Clock
from tui import formatting as fmt
from tui.book import Figures, figures
from tui.dialog import Dialog, labelled, wrapped
from tui.guard import guard
from tui.panel import Desk
from tui.permission import why_not_send
from tui.sanitise import for_screen
from tui.widgets.line import Line

LETTERS: Final = "acdefghjkmpqrtuvwx3479"
"""What a code is made of: nothing that two eyes read differently, nor y, n or s."""
CODE_LENGTH: Final = 3
LISTED: Final = 6

_SAYS: Final[Mapping[LatchCause, tuple[str, str]]] = {
    LatchCause.OPERATOR: (
        "Flatten all",
        (
            "Blocks entries, cancels every order, closes every position at market, checks that "
            "nothing is open. Entries stay blocked until somebody lifts it with a reason."
        ),
    ),
    LatchCause.KILL_SWITCH: (
        "KILL SWITCH",
        (
            "Cancels every order, closes every position at market and stops all entries, also "
            "after a restart, until somebody lifts it with a reason."
        ),
    ),
}


def code_for(cause: LatchCause, state: State) -> str:
    """Return the code that stands for flattening exactly the positions of `state`."""
    held = sorted(f"{p.id}:{plain(p.qty)}" for p in state.positions.values())
    session = state.session.id if state.session is not None else ""
    digest = hashlib.sha256("\n".join([cause.value, session, *held]).encode()).digest()
    code = ""
    for byte in digest:
        letter = LETTERS[byte % len(LETTERS)]
        if letter not in code:
            code += letter
        if len(code) == CODE_LENGTH:
            break
    return code


class FlattenDialog(Dialog[Flatten]):
    """Asks for the code; positions that come or go meanwhile change it."""

    YES: ClassVar[str] = ""

    def __init__(
        self, desk: Desk, clock: Clock, cause: LatchCause, command: CommandId, reason: str = ""
    ) -> None:
        super().__init__(desk, clock)
        self.heading, self._does = _SAYS[cause]
        self.cause = cause
        self.command = command
        self.reason = reason or f"{cause.value.replace('_', ' ')} from the console"
        self.code = code_for(cause, desk.replica.state)
        self.typed = ""

    def lines(self, width: int) -> Sequence[Line]:
        items = self._items()
        typed = self.typed + "_" * (CODE_LENGTH - len(self.typed))
        code: Line = (
            ("Type ", "text"),
            (f" {self.code} ", "alert"),
            (" to go ahead   ", "text"),
            (f"[{typed}]", "key!"),
        )
        head = wrapped(self._does, width)
        return [code, (), *_positions(items), labelled("P&L est.", *_sum(items)), (), *head]

    def objection(self) -> str:
        why = why_not_send(self.desk)
        if why:
            return f"{why}; nothing was sent"
        if self.desk.replica.state.latch is not None:
            return "a flatten is in force already; nothing was sent"
        return ""

    def answer(self) -> Flatten:
        return Flatten(self.command, "console", self.cause, self.reason)

    @guard
    def tick(self) -> None:
        self._renew_code()
        super().tick()

    def confirm(self) -> None:
        """Go ahead only on the code: `y` means nothing here."""
        if self.typed == self.code and not self._renew_code():
            super().confirm()
            self.typed = ""

    @guard
    def on_key(self, event: events.Key) -> None:
        """Take one character of the code; those typed ahead are dropped."""
        if event.key == "backspace":
            self.typed = self.typed[:-1]
        elif event.character is not None and event.character.lower() in LETTERS:
            if not self.is_readable:
                event.stop()
                return
            self.typed += event.character.lower()
        else:
            return
        event.stop()
        if len(self.typed) >= CODE_LENGTH:
            if self.typed == self.code:
                self.confirm()
            else:
                self.ask_again(f"was {self.typed}, not {self.code}: nothing was sent")
            self.typed = ""
        self.show()

    def _renew_code(self) -> bool:
        code = code_for(self.cause, self.desk.replica.state)
        if code == self.code:
            return False
        self.code, self.typed = code, ""
        self.ask_again("positions changed while you looked: the code is a new one")
        return True

    def _items(self) -> list[Figures]:
        replica = self.desk.replica
        now = replica.now(self.clock.monotonic())
        return [figures(p, replica.state, replica, now) for p in replica.state.positions.values()]


def _positions(items: Sequence[Figures]) -> list[Line]:
    if not items:
        return [(("Nothing is open; orders are cancelled and entries blocked.", "text"),)]
    out: list[Line] = []
    for item in items[:LISTED]:
        position = item.position
        what = f"{fmt.symbol(position.instrument)} {fmt.standing(position.side)}"
        out.append(((f"{what} {fmt.quantity(position.qty)}", "text!"),))
    if len(items) > LISTED:
        out.append(((f"and {len(items) - LISTED} more: {len(items)} positions", "text!"),))
    return out


def _sum(items: Sequence[Figures]) -> list[tuple[str, str]]:
    sums: dict[str, Decimal] = {}
    missing = sum(item.pnl is None for item in items)
    for item in items:
        if item.pnl is not None:
            currency = item.position.currency
            sums[currency] = sums.get(currency, ZERO) + item.pnl
    spans = [
        (
            f"{fmt.signed_money(value, currency)} {for_screen(currency, 10)}  ",
            "profit" if value > 0 else "loss" if value < 0 else "text",
        )
        for currency, value in sums.items()
    ]
    if missing:
        spans.append((f"{missing} without a price", "stale"))
    return spans or [(fmt.NOTHING, "muted")]
