"""Textual's terminal driver made hard to kill: stray bytes are dropped, a lost terminal ends it.

Stock Textual dies of one byte that is not UTF-8 or of an impossible key code, and spins on a
closed standard input (`field/reliability.md`, finding 5).
"""

from __future__ import annotations

import os
import re
import selectors
import signal
from codecs import getincrementaldecoder
from fcntl import ioctl
from struct import unpack
from termios import TIOCOUTQ
from typing import Any, Final

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Key
from textual.message import Message
from textual.messages import TerminalSupportsSynchronizedOutput

from engine.domain.ids import SECOND
from engine.ports.clock import Clock
from tui.squeeze import squeezed

PROBE: Final = "\x1b[?2026$p"
"""A harmless question; its answer says that all before it has been drawn."""
ESCAPE: Final = "\x1b"
ALONE: Final = re.compile(r"\x1b(?=[^\x00-\x1f\x7f\[\]OP_^\\])")
"""The escape key with another one right behind it: what begins no sequence of a terminal's."""
PASTES: Final = ("\x1b[200~", "\x1b[201~")
PROBE_PATIENCE: Final = 5 * SECOND
"""Nanoseconds after which an unanswered probe no longer holds back a frame."""


class HardyDriver(LinuxDriver):
    """Reads whatever comes, and knows whether the terminal keeps up."""

    def __init__(self, app: Any, **options: Any) -> None:  # noqa: ANN401 Textual's own signature
        super().__init__(app, **options)
        self._clock: Clock = app.clock
        self.faults = 0
        """Input sequences that Textual could not take."""
        self.is_closed = False
        """Standard input has ended: the terminal is gone."""
        self.round_trip: int | None = None
        """Nanoseconds from the last probe to its answer; None: the terminal never answers."""
        self._is_escape_held = False
        """The last byte was an escape: the next one says whether it was the key."""
        self._asked_at: int | None = None
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)

    def run_input_thread(self) -> None:
        """Read and dispatch until told to stop; nothing read here can raise."""
        selector = selectors.SelectSelector()
        selector.register(self.fileno, selectors.EVENT_READ)
        decoder = getincrementaldecoder("utf-8")(errors="replace")
        parser = XTermParser(self._debug)
        try:
            while not self.exit_event.is_set():
                text = ""
                if selector.select(0.1):
                    data = self._read()
                    if not data:
                        self.is_closed = True
                        return
                    text = decoder.decode(data).replace("\ufffd", "")
                parser = self._take(parser, text)
        finally:
            selector.close()

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, 4096)
        except OSError:
            return b""

    def _take(self, parser: XTermParser, text: str) -> XTermParser:
        """Feed the parser, but never let it take `esc w`, typed fast, for alt+w: esc would be lost.

        No alt key means anything here, and a slow line delivers keys in bunches.
        """
        if self._is_escape_held:
            self._is_escape_held = False
            if not text:
                self._press_escape()
                return parser
            text = ESCAPE + text
        if text.endswith(ESCAPE):
            self._is_escape_held, text = True, text[:-1]
            if not text:
                return parser
        is_pasted = any(mark in text for mark in PASTES)
        for number, part in enumerate([text] if is_pasted else ALONE.split(text)):
            if number:
                self._press_escape()
            if part or not number:
                parser = self._dispatch(parser, part)
        return parser

    def _press_escape(self) -> None:
        self.process_message(Key("escape", ESCAPE))

    def _dispatch(self, parser: XTermParser, text: str) -> XTermParser:
        """Feed the parser; one that choked is replaced, together with what it had half read."""
        try:
            for message in parser.feed(text) if text else parser.tick():
                self.process_message(message)
        except Exception:  # noqa: BLE001 any input may come; none may end the console
            self.faults += 1
            return XTermParser(self._debug)
        return parser

    def process_message(self, message: Message) -> None:
        if isinstance(message, TerminalSupportsSynchronizedOutput) and self._asked_at is not None:
            self.round_trip = self._clock.monotonic() - self._asked_at
            self._asked_at = None
        super().process_message(message)

    def write(self, data: str) -> None:
        """Write a frame with as few bytes as it can be drawn with."""
        super().write(squeezed(data))

    def probe(self) -> None:
        """Ask the terminal to answer once it has drawn everything so far."""
        if self._asked_at is None:
            self._asked_at = self._clock.monotonic()
            self.write(PROBE)

    @property
    def is_drained(self) -> bool:
        """Whether the last frame has left: queue and tty buffer empty, the probe answered."""
        writer = self._writer_thread
        if writer is not None and not writer._queue.empty():  # noqa: SLF001 no public way
            return False
        if self.round_trip is not None and self._asked_at is not None:
            return self._clock.monotonic() - self._asked_at > PROBE_PATIENCE
        return self._unsent() == 0

    def _unsent(self) -> int:
        try:
            return int(unpack("i", ioctl(2, TIOCOUTQ, b"\0" * 4))[0])
        except OSError:
            return 0
