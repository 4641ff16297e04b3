"""Strategies: where each stands, what it waits for, what it wanted and why not (C-12)."""

from __future__ import annotations

from typing import ClassVar, Final

from engine.domain import event as ev
from engine.domain.ids import Nanos, StrategyName
from engine.domain.strategy import Phase, StrategyRecord
from tui import formatting as fmt
from tui.action import Context
from tui.memory import readable
from tui.panel import Desk, Panel
from tui.replica import Concern, Replica
from tui.sanitise import for_screen
from tui.widgets.grid import Column, Grid
from tui.widgets.line import BLANK, Line, Span, cut

COLUMNS: Final = (
    Column("name", "STRATEGY", 0, is_left=True, width=12),
    Column("phase", "STATE", 1, is_left=True, width=13),
    Column("since", "FOR", 3, width=6),
    Column("signals", "SIGNALS", 2, width=7),
    Column("refused", "REFUSED", 5, width=7),
    Column("waits", "WAITS FOR", 4, is_left=True, width=16, is_flexible=True),
    Column("kind", "KIND", 6, is_left=True, width=10),
)
_HEARD: Final = frozenset({"strategy", "signal"})
_HUES: Final = {
    Phase.FAILED: "error",
    Phase.PAUSED: "warning",
    Phase.STOPPED: "muted",
    Phase.POSITION_OPEN: "accent",
    Phase.ENTERING: "accent",
    Phase.EXITING: "accent",
}


def project(record: StrategyRecord, now: Nanos) -> tuple[Span, ...]:
    """Return the cells of one strategy."""
    hue = _HUES.get(record.phase, "text")
    return (
        (for_screen(record.name, 24), "text"),
        (_phase(record.phase), hue),
        (fmt.span(now - record.since), "muted"),
        (f"{record.signals}", "text"),
        (f"{record.refused}", "warning" if record.refused else "muted"),
        (fmt.symbols_in(for_screen(record.failure or record.waits_for, 90)) or fmt.NOTHING, hue),
        (for_screen(record.kind, 24), "muted"),
    )


def detail(record: StrategyRecord, replica: Replica, width: int, now: Nanos) -> list[Line]:
    """Return where one strategy stands, what it remembers, wanted, and is set to."""
    lines: list[Line] = []
    if record.failure:
        lines.append(_pair("FAILED", for_screen(record.failure, 200), width, "error"))
    stands = f"{_phase(record.phase)} for {fmt.duration(now - record.since)}"
    waits = fmt.symbols_in(for_screen(record.waits_for, 160))
    lines.append(_pair("stands", f"{stands}, waits for {waits}" if waits else stands, width))
    counts = f"{record.signals} accepted, {record.refused} refused"
    lines.append(_pair("signals", counts, width))
    if record.last_refusal:
        refusal = fmt.symbols_in(for_screen(record.last_refusal, 200))
        lines.append(_pair("last refused because", refusal, width, "warning"))
    for name, value in readable(record.memory, replica.zone, now):
        lines.append(_pair(name, value, width, "accent"))
    said = _said(record.name, replica, width)
    lines += [BLANK, _section("SIGNALS, REFUSALS AND NOTES, newest first")]
    lines += said or [(("  none yet", "muted"),)]
    lines += [BLANK, _section("PARAMETERS")]
    lines += [_pair(name, for_screen(value, 120), width) for name, value in record.settings]
    if not record.settings:
        lines.append((("  as built in: the configuration changes none", "muted"),))
    return lines


def _section(title: str) -> Line:
    return ((f"  {title}", "title"),)


def _phase(phase: Phase) -> str:
    return "in a position" if phase is Phase.POSITION_OPEN else fmt.words(phase.value)


def _said(name: StrategyName, replica: Replica, width: int) -> list[Line]:
    """Return its signals, refusals and notes; those before this console came, from the log."""
    first = replica.signals[0].at if replica.signals else None
    lines: list[Line] = []
    for entry in reversed(replica.signals):
        text, hue = _signal(entry.event, name)
        if text:
            lines.append(_when(entry.at, text, hue, replica, width))
    for record in reversed(replica.logs):
        is_old = first is None or record.at < first
        if is_old and record.source in _HEARD and record.text.startswith(_openings(name)):
            hue = "warning" if record.level == "warning" else "text"
            text = for_screen(record.text.removeprefix(name).lstrip(": "), 200)
            lines.append(_when(record.at, text, hue, replica, width))
    return lines


def _openings(name: StrategyName) -> tuple[str, ...]:
    return (f"{name}: ", f"{name} may ", f"{name} wanted ", f"{name} failed")


def _when(at: Nanos, text: str, hue: str, replica: Replica, width: int) -> Line:
    head = f"  {fmt.clock(at, replica.zone)} "
    return cut(((head, "muted"), (fmt.symbols_in(text), hue)), width)


def _pair(name: str, value: str, width: int, hue: str = "text") -> Line:
    return cut(((f"  {fmt.fit(fmt.words(name), 22)} ", "muted"), (value, hue)), width)


def _signal(event: ev.Event, name: StrategyName) -> tuple[str, str]:
    match event:
        case ev.SignalAccepted(signal=signal) if signal.strategy == name:
            what = f"{signal.side.value.upper()} {fmt.symbol(signal.instrument)}"
            return f"signal {what} {for_screen(signal.reason, 120)}", "ok"
        case ev.SignalRefused(signal=signal, reason=reason) if signal.strategy == name:
            what = f"{signal.side.value.upper()} {fmt.symbol(signal.instrument)}"
            return f"refused {what}: {for_screen(reason, 120)}", "warning"
        case ev.StrategyNoted(strategy=strategy, text=text) if strategy == name:
            return for_screen(text, 200), "text"
        case _:
            return "", ""


class StrategiesPanel(Panel):
    """All strategies; the cursor chooses whose detail is shown."""

    NAME: ClassVar[str] = "strategies"
    TITLE: ClassVar[str] = "Strategies"
    CONTEXT: ClassVar[Context] = Context.PLAIN
    CONCERNS: ClassVar[frozenset[Concern]] = frozenset({Concern.STATE, Concern.PULSE, Concern.LINK})

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.grid = Grid(COLUMNS)

    def heading(self) -> str:
        return f"Strategies {len(self.desk.replica.state.strategies)}"

    def draw(self, width: int, height: int) -> list[Line]:
        records = self.desk.replica.state.strategies
        self.grid.arrange(sorted(records), self.desk.mono)
        self.desk.strategy = self.grid.cursor
        if not self.grid.order:
            return [(("  no strategy runs", "muted"),)]
        return self.grid.draw(
            width,
            height,
            lambda row: project(records[StrategyName(row)], self.desk.now),
            is_focused=self.has_focus,
        )

    def move(self, rows: int) -> None:
        self.grid.move(rows, self.desk.mono)
        self.show()


class StrategyPanel(Panel):
    """Settings, memory and words of the strategy under the cursor."""

    NAME: ClassVar[str] = "strategy"
    TITLE: ClassVar[str] = "Strategy"
    CONCERNS: ClassVar[frozenset[Concern]] = frozenset({Concern.STATE, Concern.PULSE, Concern.LINK})

    def heading(self) -> str:
        return for_screen(self.desk.strategy, 40) if self.desk.strategy else self.TITLE

    def draw(self, width: int, height: int) -> list[Line]:
        record = self.desk.replica.state.strategies.get(StrategyName(self.desk.strategy or ""))
        if record is None:
            return []
        lines = detail(record, self.desk.replica, width, self.desk.now)
        return self.scrolled(lines, height)
