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
from contextlib import suppress
from typing import Any, Final

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.events import InputEvent, Key
from textual.message import Message

from engine.domain.ids import SECOND
from engine.ports.clock import Clock
from tui.intake import Intake
from tui.pace import Pace
from tui.squeeze import squeezed

PROBE: Final = "\x1b[5n"
"""Asks for the terminal's state: any terminal answers, once it has drawn everything before it."""
ANSWER: Final = re.compile(r"\x1b\[[03]n")
HALF: Final = re.compile(r"\x1b(\[[03]?)?\Z")
"""What may become an answer, or the escape key: the next bytes tell."""
ESCAPE: Final = "\x1b"
ALONE: Final = re.compile(r"\x1b(?=[^\x00-\x1f\x7f\[\]OP_^\\])")
"""The escape key with another one right behind it: what begins no sequence of a terminal's."""
PASTES: Final = ("\x1b[200~", "\x1b[201~")
PROBE_PATIENCE: Final = 5 * SECOND
"""Nanoseconds after which an unanswered probe no longer holds back a frame."""
FIRST_PATIENCE: Final = SECOND
"""The same before the first answer: there may be none ever."""
TICK_SECONDS: Final = 0.1
TICKS: Final = 2
"""After input Textual's parser is told of the passing of time so often; it waits for no more."""


class HardyDriver(LinuxDriver):
    """Reads whatever comes, and knows whether the terminal keeps up."""

    def __init__(self, app: Any, **options: Any) -> None:  # noqa: ANN401 Textual's own signature
        super().__init__(app, **options)
        self._clock: Clock = app.clock
        self.faults = 0
        """Input sequences that Textual could not take."""
        self.is_closed = False
        """Standard input has ended: the terminal is gone."""
        self.pace = Pace()
        self.intake = Intake(app, self._loop)
        self._held = ""
        """The end of what was read last, while it is not known what it is (see HALF)."""
        self._asked_at: int | None = None
        self._has_unasked = False
        """Something was written that no probe has followed yet."""
        self._is_ending = False
        self._wake = -1
        """Written to so that the input thread stops waiting."""
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)

    def run_input_thread(self) -> None:
        """Read and dispatch until told to stop; nothing read here can raise."""
        ear, self._wake = os.pipe()
        selector = selectors.SelectSelector()
        selector.register(self.fileno, selectors.EVENT_READ)
        selector.register(ear, selectors.EVENT_READ)
        decoder = getincrementaldecoder("utf-8")(errors="replace")
        parser, ticks = XTermParser(self._debug), TICKS
        try:
            while not self._is_ending:
                text = ""
                if selector.select(TICK_SECONDS if ticks else None):
                    if self._is_ending:
                        return
                    data = self._read()
                    if not data:
                        self.is_closed = True
                        return
                    if not self.intake.has_room():
                        continue  # not even looked at: a flood must not cost what the loop needs
                    text, ticks = decoder.decode(data).replace("\ufffd", ""), TICKS + 1
                ticks -= 1
                parser = self._take(parser, text)
        finally:
            selector.close()
            wake, self._wake = self._wake, -1
            os.close(ear)
            os.close(wake)

    def disable_input(self) -> None:
        """Read no more, and do not wait for the next key before."""
        self._is_ending = True
        with suppress(OSError):  # the thread has ended already
            os.write(self._wake, b".")
        super().disable_input()

    def send_message(self, message: Message) -> None:
        """Post to the app; of a flood of keys only as much as may wait."""
        if not isinstance(message, InputEvent) or self.intake.has_room():
            self.intake.give(self._app._post_message(message))  # noqa: SLF001 as Textual's own

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, 4096)
        except OSError:
            return b""

    def _take(self, parser: XTermParser, text: str) -> XTermParser:
        """Feed the parser, but never let it take `esc w`, typed fast, for alt+w: esc would be lost.

        No alt key means anything here, and a slow line delivers keys in bunches.
        """
        held, self._held = self._held, ""
        if held and not text:
            if held == ESCAPE:
                self._press_escape()
                return parser
            return self._dispatch(parser, held)
        if ESCAPE in held + text:
            text = self._without_answers(held + text)
            half = HALF.search(text)
            if half is not None:
                self._held, text = half[0], text[: half.start()]
            if not text:
                return parser
        is_pasted = any(mark in text for mark in PASTES)
        for number, part in enumerate([text] if is_pasted else ALONE.split(text)):
            if number:
                self._press_escape()
            if part or not number:
                parser = self._dispatch(parser, part)
        return parser

    def _without_answers(self, text: str) -> str:
        """Take the terminal's answers out of what was typed."""
        text, count = ANSWER.subn("", text)
        if count and self._asked_at is not None:
            mono = self._clock.monotonic()
            self.pace.answered(mono - self._asked_at, mono)
            self._asked_at = None
            if self.pace.is_slow and self._has_unasked:
                self.probe()
        return text

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

    def write(self, data: str) -> None:
        """Write with as few bytes as it can be drawn with; a slow line is asked about it."""
        super().write(squeezed(data))
        self._has_unasked = True
        if self.pace.is_slow:
            self.probe()

    def probe(self) -> None:
        """Ask the terminal to answer once it has drawn everything so far; once at a time."""
        now = self._clock.monotonic()
        is_lost = self._waited > PROBE_PATIENCE and self.pace.round_trip is not None
        if self._asked_at is None or is_lost:
            self._asked_at, self._has_unasked = now, False
            super().write(PROBE)

    @property
    def _waited(self) -> int:
        """Return how long the terminal owes an answer."""
        return 0 if self._asked_at is None else self._clock.monotonic() - self._asked_at

    @property
    def is_drained(self) -> bool:
        """Whether the last frame has left, as far as it can be known.

        A slow line is asked after every frame, any other now and then.
        """
        writer = self._writer_thread
        if writer is not None and not writer._queue.empty():  # noqa: SLF001 no public way
            return False
        if self._asked_at is None:
            return not (self.pace.is_slow and self._has_unasked)
        has_answered = self.pace.round_trip is not None
        return self._waited > (PROBE_PATIENCE if has_answered else FIRST_PATIENCE)
