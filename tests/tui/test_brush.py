"""Cells painted straight onto the terminal: the picture is the one that a full repaint gives."""

from __future__ import annotations

from collections.abc import Mapping

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyte.screens import Char

from tests.tui.pty_session import PtySession
from tui.formatting import cells, fit
from tui.widgets.line import Line, cut
from tui.widgets.lines import changed_runs

pytestmark = pytest.mark.serial

SIZE = (120, 36)
MOVES = [(b"j", b">"), (b"j", b">"), (b"\t", b"\x1b["), (b"k", b"\x1b[")]
"""Keys, and what is drawn when each was heard."""
ASCII = {"LANG": "C", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


def picture(output: bytes) -> list[list[Char]]:
    """Return what a terminal of that size shows after `output`."""
    screen = pyte.Screen(*SIZE)
    pyte.ByteStream(screen).feed(output)
    return [[screen.buffer[y][x] for x in range(SIZE[0])] for y in range(SIZE[1])]


def quiet(console: PtySession) -> None:
    """Read until nothing comes any more."""
    while console.read(0.4):
        pass


@pytest.mark.parametrize(
    ("theme", "env", "keys"),
    [
        ("dark", {}, MOVES),
        ("light", {}, [(b"x", b"Close at market"), (b"\x1b", b"Positions"), *MOVES]),
        ("ansi-16", {}, [(b"5", b"Record"), (b"1", b"Positions"), *MOVES]),
        ("dark", {"NO_COLOR": "1"}, [(b"4", b"Components"), (b"1", b"Positions"), *MOVES]),
        ("dark", ASCII, [(b"t", b"Positions"), (b"t", b"Positions"), *MOVES]),
    ],
)
def test_moving_figures_leave_the_picture_of_a_full_repaint(
    theme: str, env: Mapping[str, str], keys: list[tuple[bytes, bytes]]
) -> None:
    told = ("--live", "--step", "0.05", "--steps", "40", "--positions", "30", "--theme", theme)
    console = PtySession(*told, size=SIZE, env=env)
    try:
        console.read_until(b"Positions")
        for key, wanted in keys:
            seen = len(console.output)
            console.send(key)
            console.read_until(wanted, seen)
        console.read_until(b"the last step was taken")
        quiet(console)
        painted = picture(console.output)
        seen = len(console.output)
        console.send(b"\x0c")
        console.read_until(b"Positions", seen)
        quiet(console)
        repainted = picture(console.output)
        assert ["".join(c.data for c in row) for row in painted] == [
            "".join(c.data for c in row) for row in repainted
        ]
        assert [
            (y, x, shown, wanted)
            for y, row in enumerate(zip(painted, repainted, strict=True))
            for x, (shown, wanted) in enumerate(zip(*row, strict=True))
            if looks(shown) != looks(wanted)
        ] == []
    finally:
        console.close()


def looks(cell: Char) -> tuple[object, ...]:
    """Return what can be seen of a cell: a blank has no foreground."""
    fore = "" if cell.data == " " else (cell.fg, cell.bold, cell.italics)
    return cell.data, fore, cell.bg, cell.reverse, cell.underscore, cell.strikethrough


TEXTS = st.text(st.sampled_from("ab1 .▁█…中"), min_size=1, max_size=6)
LINES = st.lists(st.tuples(TEXTS, st.sampled_from(["text", "loss"])), max_size=5).map(tuple)


def shown(line: Line, width: int) -> list[tuple[str, str]]:
    """Return the cells of a line; a wide character fills two."""
    out = []
    for text, token in cut(line, width):
        for character in text:
            out += [(character, token)] + [("", token)] * (cells(character) - 1)
    return out[:width] + [(" ", "text")] * (width - len(out))


@given(LINES, LINES, st.integers(1, 30))
def test_the_changed_runs_turn_one_line_into_the_other(old: Line, new: Line, width: int) -> None:
    if sum(cells(text) for text, _ in (*old, *new)) > width:
        old, new = cut(old, width), cut(new, width)
    have = shown(old, width)
    for run in changed_runs(old, new, width):
        assert 0 <= run.x < run.end <= width
        have[run.x : run.end] = shown(run.line, run.end - run.x)
    assert have == shown(new, width)


@given(st.lists(TEXTS, min_size=1, max_size=5), st.data())
def test_a_cell_that_did_not_change_is_not_painted(texts: list[str], data: st.DataObject) -> None:
    old = tuple((fit(text, 6), "text") for text in texts)
    number = data.draw(st.integers(0, len(old) - 1))
    new = (*old[:number], (fit(data.draw(TEXTS), 6), "text"), *old[number + 1 :])
    for run in changed_runs(old, new, 60):
        assert number * 6 <= run.x < run.end <= number * 6 + 6
