"""Keeping one engine alive: started again when it died, never twice, not for ever."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from engine.domain.ids import Nanos
from engine.runtime.clock import ManualClock
from engine.runtime.supervisor import HEALTHY, PAUSES, Site, Supervisor, Turn


@dataclass
class Child:
    """A process that ends after so many looks with a code; None: it never does."""

    looks: int
    code: int | None
    pid: int = 1

    def poll(self) -> int | None:
        self.looks -= 1
        return None if self.looks > 0 else self.code


@dataclass
class Place:
    """A data directory: who would start next, who holds it, what the engine said last."""

    children: list[Child] = field(default_factory=list)
    started: int = 0
    held: list[bool] = field(default_factory=list)
    farewell: str = ""
    told: list[tuple[Turn, str]] = field(default_factory=list)

    def start(self) -> Child:
        self.started += 1
        return self.children.pop(0)

    def is_held(self) -> bool:
        return self.held.pop(0) if self.held else False

    def supervise(self, first: Child | None, clock: ManualClock | None = None) -> Supervisor:
        site = Site(self.start, self.is_held, lambda: self.farewell)
        tell = lambda turn, text: self.told.append((turn, text))  # noqa: E731
        return Supervisor(site, clock or ManualClock(), tell, first)

    @property
    def turns(self) -> list[Turn]:
        return [turn for turn, _ in self.told]


async def test_an_engine_that_dies_is_started_again_after_growing_pauses_and_then_given_up() -> (
    None
):
    place = Place(children=[Child(1, -9) for _ in PAUSES])
    clock = ManualClock()
    supervisor = place.supervise(Child(1, -9), clock)
    await supervisor.run()
    assert place.started == len(PAUSES)
    assert place.turns == [Turn.DIED] * len(PAUSES) + [Turn.GAVE_UP]
    assert "signal 9" in place.told[0][1]
    assert "1 of 3" in place.told[0][1]
    assert clock.now() >= sum(PAUSES) * 1_000_000_000
    assert supervisor.exit_code == 1


async def test_an_engine_that_lived_long_has_all_its_restarts_again() -> None:
    clock = ManualClock()
    place = Place()

    class Old(Child):
        def poll(self) -> int | None:
            clock.set(Nanos(clock.now() + 2 * HEALTHY))
            return super().poll()

    place.children = [Old(1, -9) for _ in range(9)] + [Child(1, 0)]
    await place.supervise(Child(1, 1), clock).run()
    assert place.turns == [Turn.DIED] * 10 + [Turn.ENDED]


async def test_an_engine_that_ends_in_order_is_not_started_again() -> None:
    for code in (0, 129, 130, 143):
        place = Place()
        await place.supervise(Child(3, code)).run()
        assert (place.started, place.turns) == (0, [Turn.ENDED])


async def test_a_farewell_says_more_than_an_exit_code() -> None:
    place = Place(farewell="told to end by SIGTERM")
    await place.supervise(Child(1, 1)).run()
    assert place.told == [(Turn.ENDED, "told to end by SIGTERM")]


async def test_a_refusal_is_passed_on_and_not_tried_again() -> None:
    for code in (2, 4, 5):
        place = Place()
        supervisor = place.supervise(Child(1, code))
        await supervisor.run()
        assert (place.started, place.turns, supervisor.exit_code) == (0, [Turn.REFUSED], code)


async def test_a_child_that_found_another_engine_leaves_that_one_to_look_after() -> None:
    place = Place(held=[True, True, True, False], farewell="")
    place.children = [Child(1, 0)]
    supervisor = place.supervise(Child(1, 3))
    await supervisor.run()
    assert place.turns == [Turn.DIED, Turn.ENDED]
    assert place.started == 1


async def test_an_engine_that_was_there_before_is_replaced_when_it_dies() -> None:
    place = Place(held=[True, True, False, False], children=[Child(1, 143)])
    await place.supervise(None).run()
    assert place.turns == [Turn.DIED, Turn.ENDED]
    assert place.started == 1


async def test_no_second_engine_is_started_beside_one_that_came_meanwhile() -> None:
    place = Place(held=[True, False], farewell="")
    supervisor = place.supervise(Child(1, -9))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(supervisor.run())
        while not place.told:
            await asyncio.sleep(0)
        while supervisor.process is not None:
            await asyncio.sleep(0)
        assert place.started == 0
        running.cancel()
