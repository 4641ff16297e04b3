"""Of a flood of keys only so much waits; what does not fit is dropped, counted and told once."""

from __future__ import annotations

from textual.app import App
from textual.events import Key

from tui.intake import TOLD, WAITING_MAX, Intake


class Hearing(App[None]):
    """Notes the keys that reach it."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = 0

    def on_key(self, _event: Key) -> None:
        self.heard += 1


async def test_of_a_flood_only_so_many_keys_wait_and_later_keys_are_heard_again() -> None:
    app = Hearing()
    async with app.run_test() as pilot:
        assert app._loop is not None
        intake = Intake(app, app._loop)
        assert intake.complaint() == ""
        for _ in range(10 * WAITING_MAX):  # the loop has no turn meanwhile: nothing is handled
            if intake.has_room():
                intake.give(app._post_message(Key("x", "x")))
        assert intake.dropped == 9 * WAITING_MAX
        assert intake.complaint() == TOLD
        assert intake.complaint() == ""  # once
        await pilot.pause()
        assert app.heard == WAITING_MAX
        assert intake.has_room()
        intake.give(app._post_message(Key("y", "y")))
        await pilot.pause()
        assert app.heard == WAITING_MAX + 1
        assert intake.dropped == 9 * WAITING_MAX
