"""What was done by hand, on screen: the panel, the detail, and why."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.domain import event as ev
from engine.domain.ids import SECOND, Nanos, PositionId
from engine.domain.shadow import shadow_id
from tests.tui.rig import NOW, Rig, welcome
from tests.tui.rig_hand import RULE, UNSEEN, WORKED, welcome_by_hand
from tests.tui.rig_script import PUT
from tui.arrangement import VIEWS, arrange
from tui.left_alone import interventions, of_position, sides, standing, would_exit
from tui.panels import shadows
from tui.settings import ConsoleSettings
from tui.widgets.line import Line, line_cells

SIZES = [(80, 24), (120, 36), (200, 50)]


def rig(**settings: object) -> Rig:
    return Rig(ConsoleSettings(has_bell=False, **settings), welcome_by_hand())  # type: ignore[arg-type]


def words(lines: list[Line]) -> list[str]:
    return ["".join(text for text, _ in line).strip() for line in lines]


def row(of: Rig, name: str, now: Nanos = NOW) -> list[str]:
    replica = of.app.desk.replica
    shadow = next(s for s in interventions(replica) if s.position.id == name)
    return [text for text, _ in shadows.project(shadow, replica, now)]


def told(of: Rig) -> Rig:
    of.link.attach(lambda update: of.app.desk.replica.apply(update, Nanos(0)))
    return of


def test_the_worked_example_stands_in_its_row() -> None:
    assert row(told(rig()), "p1")[1:9] == [
        "closed",
        "11:22:07",
        "-11.25",
        "+11.25",
        "-22.50",
        "final",
        "trailing stop hit 30.15",
        "LONG",
    ]


def test_what_is_unknown_is_no_figure() -> None:
    cells = row(told(rig()), "p9")
    assert cells[3:8] == ["+207.00", "–", "–", "unknown", "end of day"]
    assert "\x1b" not in "".join(cells)


def test_what_is_open_follows_the_price_and_is_called_stale_without_one() -> None:
    of = told(rig())
    assert row(of, "p5")[3:8] == ["+236.00", "-510.00", "+746.00", "open", "–"]
    of.link.attach(lambda update: of.app.desk.replica.apply(update, Nanos(0)))
    of.tick("RELIANCE", "2960.00")
    assert row(of, "p5")[3:6] == ["+236.00", "+236.00", "0.00"]
    assert row(of, "p5", Nanos(NOW + 90 * SECOND))[6] == "stale"
    replica = of.app.desk.replica
    shadow = next(s for s in interventions(replica) if s.position.id == "p5")
    replica.quotes.clear()
    assert standing(shadow, replica, NOW) == ("stale", "warning")
    assert sides(shadow, replica).difference is None
    assert would_exit(shadow, replica) == "–"


def test_a_moved_stop_has_both_sides_open_on_the_live_position() -> None:
    assert row(told(rig()), "p7")[1:7] == [
        "stop moved",
        "11:22:09",
        "-310.00",
        "-310.00",
        "0.00",
        "open",
    ]


def test_the_detail_tells_both_sides_and_what_the_rules_did() -> None:
    replica = told(rig()).app.desk.replica
    assert words(of_position(PositionId("p1"), replica, 100)) == [
        "11:22:07.000 closed by console: 75 at 29.85",
        "operator -11.25, alone +11.25, difference -22.50",
        "the rules: 11:42:07 trailing stop hit 30.15",
    ]
    assert words(of_position(PositionId("p9"), replica, 100))[1:] == [
        "operator +207.00, alone –, difference –",
        "the rules: 11:42:07 end of day",
        "unknown: the last price was 92 s old, allowed: 60 s",
    ]
    assert words(of_position(PositionId("p7"), replica, 100))[1:] == [
        "operator -310.00 so far, alone -310.00 so far, difference 0.00"
    ]
    assert of_position(PositionId("p2"), replica, 100) == []
    assert all(line_cells(line) <= 30 for line in of_position(PositionId("p9"), replica, 30))


def test_a_gap_in_what_was_seen_is_told() -> None:
    of = told(rig())
    of.link.happen(NOW, ev.FeedChanged("sim", False, "silent"))
    replica = of.app.desk.replica
    lines = words(of_position(PositionId("p7"), replica, 100))
    assert lines[2:] == ["the engine was away or its feed down once meanwhile"]
    of.link.happen(NOW, ev.FeedChanged("sim", False, "silent again"))
    lines = words(of_position(PositionId("p5"), replica, 100))
    assert lines[2:] == ["the engine was away or its feed down 2 times meanwhile"]


def test_newest_first_and_each_once() -> None:
    replica = told(rig()).app.desk.replica
    assert [s.position.id for s in interventions(replica)] == ["p7", "p5", "p9", "p1"]
    assert {s.id for s in replica.state.interventions} == {shadow_id(WORKED), shadow_id(UNSEEN)}
    assert replica.state.interventions[0].ending is not None
    assert replica.state.interventions[0].ending.reason == RULE


@pytest.mark.parametrize("size", SIZES)
async def test_the_key_shows_the_panel_and_its_cursor_chooses(size: tuple[int, int]) -> None:
    made = rig()
    async with made.app.run_test(size=size) as pilot:
        await pilot.press("B")
        made.draw()
        await pilot.pause()
        said = made.text()
        assert "By hand 4" in said
        assert "2 still followed, before fees" in said
        assert "-22.50" in said
        assert made.app.desk.selected == "p7"
        await pilot.press("j", "j", "j")
        assert made.app.desk.selected == "p1"
        await pilot.press("w")
        await pilot.pause()
        assert "operator -11.25, alone +11.25, difference -22.50" in made.text()
        await pilot.press("escape", "enter", "z")
        await pilot.pause()
        made.draw()
        assert made.app.stage.focused is made.app.stage.panels["detail"]
        assert "the rules: 11:42:07 trailing stop hit 30.15" in made.text()


async def test_positions_do_not_mix_with_shadows() -> None:
    made = rig(view="positions")
    async with made.app.run_test(size=(200, 50)):
        made.draw()
        assert "Positions 7" in made.text()
        assert made.app.stage.panels["positions"].grid.order.count("h1") == 0  # type: ignore[attr-defined]


async def test_nothing_by_hand_is_said() -> None:
    made = Rig(ConsoleSettings(has_bell=False, view="positions"), welcome())
    async with made.app.run_test(size=(200, 50)):
        made.draw()
        assert "nothing was done by hand" in made.text()


@pytest.mark.parametrize("size", [(40, 8), *SIZES])
def test_the_panel_has_its_place_on_the_second_screen(size: tuple[int, int]) -> None:
    assert "shadows" in VIEWS["positions"]
    plan = arrange("positions", *size, front="shadows")
    assert plan.regions["shadows"].height >= 5


def test_an_instrument_nobody_knows_has_no_figures() -> None:
    replica = told(rig()).app.desk.replica
    shadow = next(s for s in interventions(replica) if s.position.id == "p1")
    replica.instruments.clear()
    state = replica.state
    object.__setattr__(state, "instruments", {})
    assert sides(shadow, replica).operator is None
    assert Decimal(shadow.gross) == Decimal("-11.25")
    assert shadow.position.instrument == PUT
