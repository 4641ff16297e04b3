"""`e`: change the stop or target of a live position (E-18), seeing what it would cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType

from engine.domain.command import ChangeStop
from engine.domain.ids import CommandId, PositionId
from engine.domain.money import Price, rounded
from engine.ports.clock import Clock
from tui import formatting as fmt
from tui.action import Context
from tui.actions import bindings_for
from tui.book import TARGET, Figures
from tui.dialog import Dialog, key_here, labelled, wrapped
from tui.guard import guard
from tui.panel import Desk
from tui.permission import why_not_send
from tui.sanitise import for_screen
from tui.stop_preview import preview, rule_lines, start_of
from tui.ticket import figures_now, stop_objection
from tui.typed import typed_number
from tui.widgets.line import Line

STOP: Final = "stop"
_STEPS: Final = {"level.up": 1, "level.down": -1, "level.up_ten": 10, "level.down_ten": -10}


class LevelsDialog(Dialog[ChangeStop]):
    """Two fields, one of them active; a field holds a price, or nothing: the rules alone."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_for(Context.LEVELS),
        Binding("enter", "enter", show=False, priority=True),
    ]
    heading = "Stop and target"
    YES = "Set it"

    def __init__(
        self,
        desk: Desk,
        clock: Clock,
        position: PositionId,
        command: CommandId,
        *,
        field: str = STOP,
        proposed: Price | None = None,
    ) -> None:
        super().__init__(desk, clock)
        self.position = position
        self.command = command
        self.field = field
        item = self.item
        self._before = _own(item)
        self.values: dict[str, Price | None] = dict(self._before)
        if proposed is not None:
            self.values[field] = proposed
        self.typing: str | None = None
        """Digits of a price that is being typed; None: the field's value stands."""

    @property
    def item(self) -> Figures | None:
        """The position now; None when it is not open any more."""
        return figures_now(self.desk.replica, self.position, self.clock.monotonic())

    @property
    def is_changed(self) -> bool:
        return self.values != self._before

    def lines(self, width: int) -> Sequence[Line]:
        item = self.item
        if item is None:
            closed = [t for t in self.desk.replica.state.closed if t.id == self.position]
            name = fmt.symbol(closed[-1].instrument) if closed else for_screen(self.position, 60)
            return wrapped(f"{name} is not open any more: its stops are gone", width, "alert")
        position, instrument = item.position, item.instrument
        name = f"{fmt.symbol(position.instrument)} {fmt.standing(position.side)}"
        last = fmt.price(item.quote.last, instrument) if item.quote else "no price"
        entry = fmt.price(position.entry, instrument)
        wrong, value = self._wrong(item), self.values[self.field]
        is_target = self.field == TARGET
        out: list[Line] = [
            ((f"{name} {fmt.quantity(position.qty)}", "title!"), (f"  at {entry}", "muted")),
            labelled("LTP", (last, "text!"), (f"  {self._age(item)}", "muted")),
            self._field_line(STOP, item),
            self._field_line(TARGET, item),
            *wrapped(wrong or preview(value, item, is_target=is_target), width, _token(wrong)),
            (),
            *rule_lines(item, self.desk.replica.zone),
            *wrapped(self._hint(), width, "muted"),
        ]
        return out

    def objection(self) -> str:
        why, item = why_not_send(self.desk), self.item
        if why:
            return f"{why}; nothing was sent"
        if item is None:
            return "the position is closed; nothing was sent"
        if item.position.close is not None:
            return "a close is in flight, its stops cannot be changed; nothing was sent"
        if _own(item) != self._before:
            self._before = _own(item)
            return "somebody changed it meanwhile: look again; nothing was sent"
        if not self.is_changed:
            return "nothing is changed yet; nothing was sent"
        wrong = self._wrong(item)
        return f"{wrong}; nothing was sent" if wrong else ""

    def answer(self) -> ChangeStop:
        return ChangeStop(
            self.command,
            self.position,
            "console",
            stop_loss=self.values[STOP],
            take_profit=self.values[TARGET],
        )

    def act(self, name: str) -> None:
        self.said = ""
        if name in _STEPS:
            self._step(_STEPS[name])
        elif name == "level.other":
            self.field = TARGET if self.field == STOP else STOP
        elif name == "level.clear":
            self.values[self.field] = None
        self.typing = None

    @guard
    def action_enter(self) -> None:
        """Cancel on opening; once something is changed, say how to confirm it."""
        if not self.is_changed:
            self.cancel()
        elif self.focused is not None and self.focused.id == "confirm":
            self.confirm()
        else:
            self.ask_again(f"press {key_here(self, 'dialog.confirm')} to set it")

    @guard
    def on_key(self, event: events.Key) -> None:
        """Take digits of a price; those typed ahead are dropped."""
        is_digit = event.character is not None and event.character in "0123456789."
        if not is_digit and not (event.key == "backspace" and self.typing is not None):
            return
        event.stop()
        if not self.is_readable:
            return
        typed = self.typing or ""
        self.typing = (
            typed[:-1] if event.key == "backspace" else (typed + (event.character or ""))[:16]
        )
        self._take_typed()
        self.show()

    def _take_typed(self) -> None:
        self.said = ""
        if not self.typing:
            self.typing = None
            self.values[self.field] = self._before[self.field]
            return
        value = typed_number(self.typing)
        self.values[self.field] = None if value is None else Price(value)

    def _wrong(self, item: Figures) -> str:
        """Return what is wrong with the active field, or with the other one."""
        if self.typing and self.values[self.field] is None:
            return f"was {self.typing!r}; a price above 0 is needed"
        for field in (self.field, *self.values):
            value = self.values[field]
            if value is not None and value != self._before[field]:
                why = stop_objection(value, item, is_target=field == TARGET)
                if why:
                    return why
        return ""

    def _step(self, ticks: int) -> None:
        item = self.item
        if item is None or item.instrument is None:
            return
        tick = item.instrument.tick_size
        value = self.values[self.field]
        start = value or start_of(item, is_target=self.field == TARGET)
        moved = rounded(start, tick) + ticks * tick
        if moved > 0:
            self.values[self.field] = Price(moved)

    def _field_line(self, field: str, item: Figures) -> Line:
        value, is_active = self.values[field], field == self.field
        if is_active and self.typing is not None:
            text = f"{self.typing}_"
        else:
            text = "rules only" if value is None else fmt.price(value, item.instrument)
        before = self._before[field]
        was = "rules only" if before is None else fmt.price(before, item.instrument)
        note = f"  was {was}" if value != before else "  as it is"
        mark = "> " if is_active else "  "
        name = "target" if field == TARGET else "stop"
        token = "key!" if is_active else "text"
        return ((f"{mark}{name:<9}", token), (text, token), (note, "muted"))

    def _age(self, item: Figures) -> str:
        if item.quote is None:
            return ""
        age = fmt.age(item.quote.age(self.desk.replica.now(self.clock.monotonic())))
        return "just now" if age == "now" else f"{age} old"

    def _hint(self) -> str:
        up, down, ten, other, clear = (
            key_here(self, f"level.{name}") for name in ("up", "down", "up_ten", "other", "clear")
        )
        return f"{up} {down} one tick, {ten} ten, or type a price; {other} other, {clear} clear"


def _own(item: Figures | None) -> dict[str, Price | None]:
    if item is None:
        return {STOP: None, TARGET: None}
    return {STOP: item.position.stop_loss, TARGET: item.position.take_profit}


def _token(wrong: str) -> str:
    return "warning" if wrong else "text"
