"""How the console follows its line: answers are no keys, frames wait while it lags."""

from __future__ import annotations

import pytest
from textual._xterm_parser import XTermParser
from textual.events import Key
from textual.message import Message

from engine.domain.ids import SECOND, Nanos
from tests.tui.rig import Rig
from tui.driver import FIRST_PATIENCE, PROBE, PROBE_PATIENCE, HardyDriver
from tui.pace import REST_MAX, TRUSTED, Pace

MS = SECOND // 1000
ANSWER = "\x1b[0n"


class Writer:
    """Where the driver writes to; nothing waits in it."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self._queue = self

    def write(self, text: str) -> None:
        self.written.append(text)

    def empty(self) -> bool:
        return True


class Line(HardyDriver):
    """The driver between a keyboard and a terminal that only remember."""

    def __init__(self) -> None:
        self.rig = Rig()
        super().__init__(self.rig.app)
        self.heard: list[Message] = []
        self.writer = Writer()
        self._writer_thread = self.writer  # type: ignore[assignment]
        self._parser = XTermParser(debug=False)

    def process_message(self, message: Message) -> None:
        self.heard.append(message)

    def type(self, *chunks: str) -> list[str]:
        """Read `chunks`, one after the other; return the keys that came of all so far."""
        for chunk in chunks:
            self._parser = self._take(self._parser, chunk)
        return [message.key for message in self.heard if isinstance(message, Key)]

    def answer_after(self, ms: int) -> None:
        self.pass_ms(ms)
        self.type(ANSWER)

    def pass_ms(self, ms: int) -> None:
        clock = self.rig.clock
        clock.set(Nanos(clock.now() + ms * MS))

    @property
    def asked(self) -> int:
        return self.writer.written.count(PROBE)


@pytest.mark.parametrize(
    ("chunks", "keys"),
    [
        ((ANSWER,), []),
        (("\x1b[3n",), []),
        (("\x1b", "[0n"), []),
        (("\x1b[", "0n"), []),
        (("\x1b[0", "n"), []),
        (("j" + ANSWER + "k",), ["j", "k"]),
        (("j", ANSWER, "\x1b[A"), ["j", "up"]),
        (("\x1b[", "A"), ["up"]),
        ((ANSWER + "\x1b", "x"), ["escape", "x"]),
        ((ANSWER + "\x1b", ""), ["escape"]),
        ((ANSWER * 3 + "n",), ["n"]),
    ],
)
async def test_an_answer_is_no_key_wherever_it_is_cut(
    chunks: tuple[str, ...], keys: list[str]
) -> None:
    assert Line().type(*chunks) == keys


async def test_an_answer_that_nobody_asked_for_says_nothing_of_the_line() -> None:
    line = Line()
    line.type(ANSWER)
    assert line.pace.round_trip is None


async def test_a_line_that_keeps_up_is_not_asked_by_itself() -> None:
    line = Line()
    line.probe()
    line.answer_after(5)
    line.write("figures")
    assert (line.asked, line.is_drained, line.pace.is_slow) == (1, True, False)


async def test_a_line_that_lags_is_asked_until_all_has_been_drawn() -> None:
    line = Line()
    for ms in (5, 400):
        line.probe()
        assert not line.is_drained
        line.answer_after(ms)
    assert line.pace.is_slow
    line.write("a frame")
    line.write("a key's own paint")
    line.answer_after(400)
    assert (line.asked, line.is_drained) == (4, False)
    line.answer_after(400)
    assert line.is_drained


async def test_one_question_is_open_at_a_time_and_a_lost_answer_ends_nothing() -> None:
    line = Line()
    line.probe()
    line.answer_after(5)
    line.probe()
    line.probe()
    assert line.asked == 2
    line.pass_ms(PROBE_PATIENCE // MS + 1)
    assert line.is_drained
    line.probe()
    assert line.asked == 3


async def test_a_terminal_that_never_answers_holds_back_a_moment_and_is_asked_once() -> None:
    line = Line()
    line.probe()
    assert not line.is_drained
    line.pass_ms(FIRST_PATIENCE // MS + 1)
    line.probe()
    assert (line.asked, line.is_drained) == (1, True)


def test_a_frame_is_followed_by_as_much_silence_as_it_was_late() -> None:
    pace = Pace()
    pace.answered(100 * MS, mono=0)  # the way alone: a distant terminal is not a slow one
    assert (pace.free_at, pace.is_slow) == (0, False)
    pace.answered(180 * MS, mono=SECOND)
    assert SECOND + 75 * MS < pace.free_at <= SECOND + 80 * MS
    assert pace.is_slow


def test_a_line_that_lags_from_the_first_answer_on_is_followed_to_its_end() -> None:
    pace = Pace()
    pace.answered(600 * MS, mono=0)
    assert pace.is_slow
    pace.answered(20 * MS, mono=0)
    assert not pace.is_slow


def test_a_line_is_fast_again_when_its_answers_come_early() -> None:
    pace = Pace()
    for took in (2, 300, 300, 300):
        pace.answered(took * MS, mono=0)
    assert pace.is_slow
    for _ in range(6):
        pace.answered(2 * MS, mono=0)
    assert not pace.is_slow


def test_a_line_is_trusted_after_a_while_and_no_more_once_it_lags() -> None:
    pace = Pace()
    for _ in range(TRUSTED):
        assert not pace.is_trusted
        pace.answered(2 * MS, mono=0)
    assert pace.is_trusted
    pace.answered(300 * MS, mono=0)
    assert not pace.is_trusted


def test_a_way_that_became_longer_is_learnt() -> None:
    pace = Pace()
    for took in (10, *[60] * 400):
        pace.answered(took * MS, mono=0)
    assert not pace.is_slow


def test_no_silence_is_longer_than_a_person_would_wait() -> None:
    pace = Pace()
    pace.answered(MS, mono=0)
    pace.answered(60 * SECOND, mono=0)
    assert pace.free_at == REST_MAX
