"""Squeezed frames draw the same picture, with fewer bytes."""

from __future__ import annotations

import pyte
from hypothesis import given
from hypothesis import strategies as st

from tui.squeeze import squeezed

COLOURS = st.sampled_from(["", "31", "92", "38;5;12", "38;2;1;2;3", "38;2;9;9;9"])
GROUNDS = st.sampled_from(["", "41", "48;2;5;6;7", "48;5;200"])
ATTRIBUTES = st.sets(st.sampled_from(["1", "3", "4", "7", "9"]), max_size=3)
TEXT = st.text("ab  ", min_size=1, max_size=5)


@st.composite
def runs(draw: st.DrawFn) -> str:
    codes = [*sorted(draw(ATTRIBUTES)), draw(COLOURS), draw(GROUNDS)]
    kept = ";".join(code for code in codes if code)
    text = draw(TEXT)
    move = f"\x1b[{draw(st.integers(1, 4))};{draw(st.integers(1, 10))}H"
    lead = move if draw(st.booleans()) else ""
    return f"{lead}\x1b[{kept}m{text}\x1b[0m" if kept else f"{lead}{text}"


def picture(frame: str) -> list[list[tuple[object, ...]]]:
    screen = pyte.Screen(20, 5)
    pyte.Stream(screen).feed(frame)
    cells = [[screen.buffer[y][x] for x in range(20)] for y in range(5)]
    return [[visible(cell) for cell in row] for row in cells]


def visible(cell: pyte.screens.Char) -> tuple[object, ...]:
    """A blank shows its background, and its foreground only where a line or reverse shows it."""
    is_plain_blank = cell.data == " " and not (
        cell.reverse or cell.underscore or cell.strikethrough
    )
    if is_plain_blank:
        return (" ", cell.bg)
    return tuple(cell)


@given(st.lists(runs(), max_size=12))
def test_a_squeezed_frame_draws_the_same_cells_and_leaves_a_plain_pen(parts: list[str]) -> None:
    frame = "".join(parts)
    small = squeezed(frame)
    assert picture(small + "\x1b[5;1HX") == picture(frame + "\x1b[5;1HX")


def test_runs_that_share_a_background_send_it_once() -> None:
    run = "\x1b[38;2;1;2;3;48;2;9;9;9mab\x1b[0m\x1b[38;2;4;5;6;48;2;9;9;9mcd\x1b[0m"
    assert squeezed(run).count("48;2;9;9;9") == 1
    assert len(squeezed(run)) < len(run)


def test_blanks_do_not_change_the_foreground() -> None:
    run = "\x1b[31mab\x1b[0m\x1b[32m  \x1b[0m\x1b[31mcd\x1b[0m"
    assert squeezed(run) == "\x1b[31mab  cd\x1b[0m"


def test_codes_that_are_not_understood_leave_the_frame_as_it_was() -> None:
    frame = "\x1b[58;2;1;1;1mab\x1b[0m"
    assert squeezed(frame) == frame


def test_other_escapes_pass_unchanged() -> None:
    frame = "\x1b[?2026h\x1b[1;1Hab\x1b]2;title\x07\x1b[?2026l"
    assert squeezed(frame) == frame
