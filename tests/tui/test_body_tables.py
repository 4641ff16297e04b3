"""Tables, places, the replica and the book, without a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.ids import SECOND, InstrumentId, Nanos
from engine.domain.money import Currency
from tests.tui.rig import NOW, Rig
from tui.arrangement import VIEWS, arrange
from tui.book import Book, totals
from tui.panels import PANELS, stops
from tui.panels.positions import project
from tui.replica import Changes, Concern, Replica
from tui.widgets.grid import Column, Grid
from tui.widgets.line import cut, line_cells

COLUMNS = (Column("n", "NAME", 0, is_left=True), Column("a", "A", 1), Column("b", "B", 2))


def cells_of(row: str) -> tuple[tuple[str, str], ...]:
    return ((row, "text"), ("1234567", "text"), ("7654321", "text"))


def test_columns_drop_by_priority_and_the_first_never() -> None:
    grid = Grid(COLUMNS)
    grid.arrange(["one"], Nanos(0))
    for width, titles in ((40, {"NAME", "A", "B"}), (16, {"NAME", "A"}), (6, {"NAME"})):
        header = "".join(text for text, _ in grid.draw(width, 3, cells_of)[0])
        assert set(header.split()) == titles


def test_only_rows_in_view_are_made() -> None:
    grid, made = Grid(COLUMNS), []
    grid.arrange([f"r{i}" for i in range(1000)], Nanos(0))

    def counted(row: str) -> tuple[tuple[str, str], ...]:
        made.append(row)
        return cells_of(row)

    grid.draw(40, 11, counted)
    assert made == [f"r{i}" for i in range(10)]


def test_rows_change_places_at_most_every_two_seconds_unless_asked() -> None:
    grid = Grid(COLUMNS)
    grid.arrange(["a", "b"], Nanos(0))
    grid.arrange(["c", "b", "a"], Nanos(SECOND))
    assert grid.order == ["a", "b", "c"]
    grid.arrange(["c", "b", "a"], Nanos(2 * SECOND))
    assert grid.order == ["c", "b", "a"]
    grid.sort_now()
    grid.arrange(["a", "b", "c"], Nanos(2 * SECOND))
    assert grid.order == ["a", "b", "c"]


def test_the_cursor_moves_on_when_its_row_goes() -> None:
    grid = Grid(COLUMNS)
    grid.arrange(["a", "b", "c"], Nanos(0))
    grid.move(1, Nanos(0))
    grid.arrange(["a", "c"], Nanos(5 * SECOND))
    assert grid.cursor == "c"
    grid.arrange([], Nanos(5 * SECOND))
    assert grid.cursor is None


@given(st.lists(st.sampled_from("abcdef"), unique=True), st.integers(-3, 9), st.integers(1, 5))
def test_the_cursor_is_always_in_view(ids: list[str], rows: int, height: int) -> None:
    grid = Grid(COLUMNS)
    grid.arrange(ids, Nanos(0))
    grid.move(rows, Nanos(0))
    seen = grid.seen(height)
    assert (grid.cursor in seen) if ids else seen == []


@given(st.sampled_from(sorted(VIEWS)), st.integers(40, 300), st.integers(8, 100), st.booleans())
def test_panels_fill_the_body_and_never_overlap(
    view: str, width: int, height: int, is_zoomed: bool
) -> None:
    zoomed = VIEWS[view][0] if is_zoomed else ""
    plan = arrange(view, width, height, zoomed=zoomed)
    cells: set[tuple[int, int]] = set()
    for region in plan.regions.values():
        assert region.height >= 2
        assert region.right <= width
        assert region.bottom <= height
        corners = {
            (x, y) for x in (region.x, region.right - 1) for y in range(region.y, region.bottom)
        }
        assert not corners & cells
        cells |= corners
    assert set(plan.regions) | set(plan.tabs) <= set(PANELS)
    assert max(region.bottom for region in plan.regions.values()) == height


def test_taking_the_changes_forgets_them() -> None:
    rig = Rig()
    replica = Replica()
    replica.apply(rig.link.welcome, NOW)
    assert replica.take().concerns == frozenset(Concern)
    assert replica.take() == Changes(frozenset(), frozenset())


def test_money_adds_up_with_open_positions_at_their_last_price() -> None:
    replica, book = Replica(), Book()
    replica.apply(Rig().link.welcome, NOW)
    book.update(replica, NOW, frozenset(), tuple(replica.state.positions))
    sums = totals(replica, book)
    assert sums is not None
    account = replica.state.accounts[Currency("INR")]
    assert sums.equity == account.initial + account.realised - account.fees + sums.open
    assert sums.day == sums.realised + sums.open
    assert not sums.is_partial


def test_a_position_without_a_price_is_said_to_be_missing_from_the_sum() -> None:
    replica, book = Replica(), Book()
    replica.apply(Rig().link.welcome, NOW)
    del replica.quotes[InstrumentId("TCS")]
    book.update(replica, NOW, frozenset(), tuple(replica.state.positions))
    sums = totals(replica, book)
    assert sums is not None
    assert sums.is_partial
    cells = [
        text
        for text, _ in project(
            book[next(p for p in replica.state.positions if p == "p7")], replica, NOW
        )
    ]
    assert cells[1] == "no price"


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_of_the_ladder_is_wider_than_the_panel(width: int) -> None:
    replica, book = Replica(), Book()
    replica.apply(Rig().link.welcome, NOW)
    book.update(replica, NOW, frozenset(), tuple(replica.state.positions))
    for item in book.all():
        for height in (2, 5, 20):
            lines = stops.project(item, NOW, width, height)
            assert len(lines) <= height
            assert max(line_cells(line) for line in lines) <= width
            assert any("LTP" in text for line in lines for text, _ in line)


def test_cutting_keeps_tokens_and_marks_the_cut() -> None:
    assert cut((("abc", "text"), ("def", "loss")), 5) == (("abc", "text"), ("d…", "loss"))
