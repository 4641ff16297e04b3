"""Strategies: where each stands, what it waits for, what it wanted and why not (C-12)."""

from __future__ import annotations

import json
from typing import ClassVar, Final

from engine.domain import event as ev
from engine.domain.ids import Nanos, StrategyName
from engine.domain.strategy import Phase, StrategyRecord
from tui import formatting as fmt
from tui.action import Context
from tui.panel import Desk, Panel
from tui.replica import Concern, Replica
from tui.sanitise import for_screen
from tui.widgets.grid import Column, Grid
from tui.widgets.line import BLANK, Line, Span, cut

COLUMNS: Final = (
    Column("name", "STRATEGY", 0, is_left=True, width=12),
    Column("phase", "STATE", 1, is_left=True, width=13),
    Column("since", "FOR", 4, width=6),
    Column("signals", "SIGNALS", 3, width=7),
    Column("refused", "REFUSED", 5, width=7),
    Column("waits", "WAITS FOR", 2, is_left=True, width=20),
    Column("kind", "KIND", 6, is_left=True, width=10),
)
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
        (fmt.words(record.phase.value), hue),
        (fmt.duration(now - record.since), "muted"),
        (f"{record.signals}", "text"),
        (f"{record.refused}", "warning" if record.refused else "muted"),
        (fmt.symbols_in(for_screen(record.failure or record.waits_for, 90)) or fmt.NOTHING, hue),
        (for_screen(record.kind, 24), "muted"),
    )


def detail(record: StrategyRecord, replica: Replica, width: int) -> list[Line]:
    """Return settings, memory, and the last signals and refusals of one strategy."""
    lines: list[Line] = []
    if record.last_refusal:
        lines.append(_pair("refused", for_screen(record.last_refusal, 200), width, "warning"))
    lines += [_pair(name, for_screen(value, 120), width) for name, value in record.settings]
    lines += _memory(record, width)
    lines.append(BLANK)
    for entry in reversed(replica.signals):
        text, hue = _signal(entry.event, record.name)
        if text:
            head = f"  {fmt.clock(entry.at, replica.zone)} "
            lines.append(cut(((head, "muted"), (fmt.symbols_in(text), hue)), width))
    return lines


def _memory(record: StrategyRecord, width: int) -> list[Line]:
    try:
        memory = json.loads(record.memory)
    except ValueError:
        return [_pair("memory", for_screen(record.memory, 200), width)]
    if not isinstance(memory, dict):
        return []
    return [
        _pair(str(name), fmt.symbols_in(for_screen(value, 160)), width, "accent")
        for name, value in memory.items()
    ]


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
    CONTEXT: ClassVar[Context] = Context.LIST
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
    CONCERNS: ClassVar[frozenset[Concern]] = frozenset({Concern.STATE, Concern.LINK})

    def heading(self) -> str:
        return for_screen(self.desk.strategy, 40) if self.desk.strategy else self.TITLE

    def draw(self, width: int, height: int) -> list[Line]:
        record = self.desk.replica.state.strategies.get(StrategyName(self.desk.strategy or ""))
        if record is None:
            return []
        lines = detail(record, self.desk.replica, width)
        if lines == [BLANK]:
            lines = [(("  nothing heard since this console came", "muted"),)]
        return self.scrolled(lines, height)
