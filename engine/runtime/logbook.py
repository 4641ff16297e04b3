"""The engine's log (O-8): what happened, to files and consoles, without ever holding it up.

The caller's part is a bounded queue and a ring for the console; a thread of its own writes. When
the disk cannot keep up the newest lines are dropped and their number is written later.
"""

from __future__ import annotations

import json
import queue
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from engine.domain.calendar import local
from engine.domain.event import Entry, OrderAdopted, OrderRequested
from engine.domain.ids import SECOND, OrderId
from engine.domain.log import LogRecord
from engine.domain.narrate import narrate
from engine.domain.order import Order
from engine.domain.state import State
from engine.ports.clock import Clock
from engine.runtime.log_file import KEPT, SIZE_MAX, LogFile
from engine.runtime.redaction import Redactor

QUEUE_MAX: Final = 10_000
RECENT_MAX: Final = 2_000
ORDERS_MAX: Final = 1_000
CLOSE_S: Final = 2.0
"""Longest wait for the writer at the end."""
_TEXT_MAX: Final = 4_000
_GRAVE: Final = frozenset({"error", "critical"})
_UNSAFE: Final = re.compile(
    "[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\ufff9-\ufffb]"
)
"""What JSON leaves as it is and a terminal or an eye falls for."""

Listener = Callable[[LogRecord], None]


class Logbook:
    """`holdfast.log` has everything, `errors.log` what went wrong, `performance.log` figures."""

    def __init__(
        self,
        directory: Path,
        clock: Clock,
        redactor: Redactor | None = None,
        *,
        size_max: int = SIZE_MAX,
        kept: int = KEPT,
        queue_max: int = QUEUE_MAX,
    ) -> None:
        self.redactor = redactor or Redactor()
        self.recent: deque[LogRecord] = deque(maxlen=RECENT_MAX)
        self.dropped = 0
        """Lines that found the queue full."""
        self.failed = 0
        """Lines that could not be written (disk full, no permission)."""
        self._directory = directory
        self._clock = clock
        self._queue: queue.Queue[tuple[str, LogRecord] | None] = queue.Queue(queue_max)
        self._files = {
            name: LogFile(directory / f"{name}.log", size_max, kept)
            for name in ("holdfast", "errors", "performance")
        }
        self._listeners: list[Listener] = []
        self._orders: dict[OrderId, Order] = {}
        self._told = 0
        self._late: deque[LogRecord] = deque(maxlen=100)
        """Alarms of other threads that listeners have not heard yet."""
        self._writer: threading.Thread | None = None

    def start(self) -> None:
        """Make the directory and start the writer. Raises OSError if there can be none."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._writer = threading.Thread(target=self._write, name="logbook", daemon=True)
        self._writer.start()

    def close(self) -> None:
        """Write what is queued and stop; gives up after CLOSE_S."""
        if self._writer is None:
            return
        try:
            self._queue.put(None, timeout=CLOSE_S)
        except queue.Full:
            return
        self._writer.join(CLOSE_S)

    def hide(self, secrets: Iterable[str]) -> None:
        """Replace `secrets` in every line from now on."""
        for secret in secrets:
            self.redactor.hide(secret)

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with every line from now on; it must not wait."""
        self._listeners.append(listener)

    def unsubscribe(self, listener: Listener) -> None:
        self._listeners.remove(listener)

    def log(
        self, level: str, source: str, text: str, fields: Iterable[tuple[str, str]] = ()
    ) -> None:
        """Note that something happened now."""
        self.note(LogRecord(self._clock.now(), level, source, text, tuple(fields)))

    def note(self, record: LogRecord) -> None:
        """Take `record`: to the console's ring, the listeners and the files."""
        record = self._cleaned(record)
        while self._late:
            self._show(self._late.popleft())
        self._show(record)
        self._put("holdfast", record)

    def alarm(self, text: str) -> None:
        """Note something grave from any thread: in the files at once, at the listeners (who live
        in the event loop) with the next line.
        """
        record = self._cleaned(LogRecord(self._clock.now(), "critical", "watchdog", text))
        self._put("holdfast", record)
        self._late.append(record)

    def on_entry(self, entry: Entry, state: State) -> None:
        """Narrate a durable journal entry; an engine's entry listener."""
        if isinstance(entry.event, OrderRequested | OrderAdopted):
            self._orders[entry.event.order.id] = entry.event.order
            if len(self._orders) > ORDERS_MAX:
                del self._orders[next(iter(self._orders))]
        record = narrate(entry, state, self._orders)
        if record is not None:
            self.note(record)

    def performance(self, figures: Mapping[str, str]) -> None:
        """Write one line of figures; consoles get theirs elsewhere."""
        record = LogRecord(self._clock.now(), "info", "performance", "", tuple(figures.items()))
        self._put("performance", self._cleaned(record))

    def _show(self, record: LogRecord) -> None:
        self.recent.append(record)
        for listener in tuple(self._listeners):
            listener(record)

    def _cleaned(self, record: LogRecord) -> LogRecord:
        clean = self.redactor.clean
        fields = tuple((clean(name), clean(value)[:_TEXT_MAX]) for name, value in record.fields)
        text = clean(record.text)[:_TEXT_MAX]
        return LogRecord(record.at, record.level, record.source, text, fields)

    def _put(self, file: str, record: LogRecord) -> None:
        try:
            self._queue.put_nowait((file, record))
        except queue.Full:
            self.dropped += 1

    def _write(self) -> None:
        while (item := self._queue.get()) is not None:
            file, record = item
            line = line_of(record)
            self._append(file, line)
            if file == "holdfast" and record.level in _GRAVE:
                self._append("errors", line)
            if self.dropped > self._told:
                lost, self._told = self.dropped - self._told, self.dropped
                text = f"{lost} log lines were dropped: the disk was too slow"
                self._append("holdfast", line_of(LogRecord(record.at, "warning", "log", text)))
        for each in self._files.values():
            each.close()

    def _append(self, file: str, line: bytes) -> None:
        try:
            self._files[file].write(line)
        except OSError:
            self.failed += 1
            self._files[file].close()


def line_of(record: LogRecord) -> bytes:
    """Return `record` as one line of JSON without any control character."""
    at = f"{local(record.at, 'UTC'):%Y-%m-%dT%H:%M:%S}.{record.at % SECOND // 1_000:06}Z"
    data: dict[str, object] = {"at": at, "level": record.level, "source": record.source}
    if record.text:
        data["text"] = record.text
    if record.fields:
        data["fields"] = dict(record.fields)
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode() + b"\n"
