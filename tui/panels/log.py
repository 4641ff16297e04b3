"""The engine's log: level filter, search, follow, pause; one record in full (C-14)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from textual.binding import BindingType

from engine.link.protocol import LogRecord
from tui import formatting as fmt
from tui.action import Context
from tui.actions import bindings_for
from tui.panel import Desk, Panel
from tui.replica import Concern
from tui.sanitise import for_screen
from tui.widgets.line import BLANK, Line, Span, cut

LEVELS: Final = ("debug", "info", "warning", "error", "critical")
_HUES: Final = {
    "debug": "muted",
    "info": "accent",
    "warning": "warning",
    "error": "error",
    "critical": "live",
}
_SHORT: Final = {"debug": "DEBUG", "info": "INFO ", "warning": "WARN ", "error": "ERROR"}


def level_of(record: LogRecord) -> int:
    """Return the rank of a record's level; an unknown one counts as info."""
    return LEVELS.index(record.level) if record.level in LEVELS else 1


def project(record: LogRecord, zone: str, width: int, mark: str = " ") -> Line:
    """Return one record as a line."""
    head = fmt.clock(record.at, zone) if width < 100 else fmt.precise_clock(record.at, zone)
    spans: list[Span] = [
        (mark, "accent!"),
        (f"{head} ", "muted"),
        (f"{_SHORT.get(record.level, 'CRIT ')} ", _HUES.get(record.level, "text")),
        (f"{fmt.fit(for_screen(record.source, 10), 9)} ", "muted"),
        (fmt.symbols_in(for_screen(record.text)), "text"),
    ]
    if width >= 100 and record.fields:
        fields = "  ".join(f"{for_screen(k, 20)}={for_screen(v, 40)}" for k, v in record.fields)
        spans.append((f"  {fields}", "muted"))
    return cut(spans, width)


def matches(record: LogRecord, least: int, wanted: str) -> bool:
    """Return whether a record is shown."""
    if level_of(record) < least:
        return False
    return not wanted or wanted in f"{record.source} {record.text}".lower()


class LogPanel(Panel):
    """Follows the newest record until the cursor moves up."""

    NAME: ClassVar[str] = "log"
    TITLE: ClassVar[str] = "Log"
    CONTEXT: ClassVar[Context] = Context.LOGS
    CONCERNS: ClassVar[frozenset[Concern]] = frozenset({Concern.LOGS, Concern.LINK})
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_for(Context.LOGS),
        *bindings_for(Context.LIST),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.level = 1
        self.search = ""
        self.is_following = True
        self.at: int | None = None
        """Absolute number of the record under the cursor."""
        self._numbers: list[int] = []

    def notes(self) -> str:
        parts = [f"/{for_screen(self.search, 30)}"] if self.search else []
        behind = self._numbers[-1] - self.at if self._numbers and self.at is not None else 0
        parts.append("follow" if self.is_following else f"held, {behind} newer")
        return "  ".join([*parts, f"{LEVELS[self.level]} and above"])

    def draw(self, width: int, height: int) -> list[Line]:
        shown = self._chosen()
        self._numbers = [number for number, _ in shown]
        if not shown:
            return [(("  nothing logged yet" if not self.search else "  no match", "muted"),)]
        end = len(shown)
        if not self.is_following and self.at is not None:
            index = next((i for i, n in enumerate(self._numbers) if n >= self.at), end - 1)
            end = min(end, max(index + 1, height))
        start = max(0, end - height)
        zone = self.desk.replica.zone
        lines = [
            project(record, zone, width, ">" if number == self.at and self.has_focus else " ")
            for number, record in shown[start:end]
        ]
        return [*lines, *([BLANK] * (height - len(lines)))]

    def _chosen(self) -> list[tuple[int, LogRecord]]:
        replica = self.desk.replica
        first = replica.log_count - len(replica.logs)
        least, wanted = self.level, self.search.lower()
        numbered: Iterable[tuple[int, LogRecord]] = enumerate(replica.logs, first)
        return [(n, record) for n, record in numbered if matches(record, least, wanted)]

    @property
    def record(self) -> LogRecord | None:
        """The record under the cursor, else the newest."""
        shown = self._chosen()
        if self.at is None or self.is_following:
            return shown[-1][1] if shown else None
        return next((record for number, record in shown if number == self.at), None)

    def move(self, rows: int) -> None:
        if not self._numbers:
            return
        last = len(self._numbers) - 1
        known = self.at in self._numbers and not self.is_following
        index = self._numbers.index(self.at) if known and self.at is not None else last
        index = min(last, max(0, index + rows))
        self.at = self._numbers[index]
        self.is_following = index == last and rows > 0
        self.show()

    def follow(self) -> None:
        """Follow the newest record, or hold still at it."""
        self.is_following = not self.is_following
        self.at = self._numbers[-1] if self._numbers else None
        self.show()

    def set_level(self, name: str | None = None) -> None:
        """Show `name` and above; None: the next level."""
        index = LEVELS.index(name) if name in LEVELS else (self.level + 1) % 4
        self.level = index
        self.show()

    @property
    def filter_text(self) -> str:
        """The filter in force; empty for none."""
        return self.search

    def set_filter(self, text: str) -> None:
        """Show only records that contain `text`."""
        self.search = text
        self.show()


class RecordPanel(Panel):
    """The structured fields of the record under the log's cursor."""

    NAME: ClassVar[str] = "record"
    TITLE: ClassVar[str] = "Record"
    CONCERNS: ClassVar[frozenset[Concern]] = frozenset({Concern.LOGS, Concern.LINK})

    source: LogPanel | None = None

    def draw(self, width: int, height: int) -> list[Line]:
        record = self.source.record if self.source is not None else None
        if record is None:
            return []
        zone = self.desk.replica.zone
        text = fmt.symbols_in(for_screen(record.text, 400))
        stamp = f"{fmt.day(record.at, zone)} {fmt.precise_clock(record.at, zone)}"
        rows = [("time", stamp), ("level", record.level), ("from", record.source), ("text", text)]
        rows += [(name, value) for name, value in record.fields]
        lines: list[Line] = []
        for name, value in rows:
            clean = for_screen(value, 400)
            step = max(10, width - 16)
            for at in range(0, max(1, len(clean)), step):
                label = fmt.fit(for_screen(name, 12), 12) if at == 0 else " " * 12
                lines.append(cut(((f"  {label}", "muted"), (clean[at : at + step], "text")), width))
        return self.scrolled(lines, height)
