"""A scripted engine for the console: its state is made by real events through `evolve`.

`python -m tests.tui.rig` shows it in a terminal (moving prices with `--live`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import cast

from engine.domain import event as ev
from engine.domain.command import Command
from engine.domain.event import Entry, Event
from engine.domain.evolve import evolve
from engine.domain.ids import SECOND, InstrumentId, Nanos, Seq
from engine.domain.market import Quote
from engine.domain.money import Price
from engine.domain.state import State
from engine.link.archive import NOTHING_KEPT, Archive
from engine.link.past_wire import decode_answer, unfold
from engine.link.protocol import PROTOCOL, Lease, LogRecord, Pulse, Quotes, Update, Welcome
from engine.link.protocol_past import A, Asks, EntryPage, NoPast, Question
from engine.runtime.clock import ManualClock
from tests.tui import rig_script as script
from tui.app import Console
from tui.settings import ConsoleSettings

START = Nanos(1_769_744_700 * SECOND)
"""2026-01-30 09:15:00 in Kolkata."""
NOW = Nanos(1_769_753_527 * SECOND)
"""2026-01-30 11:42:07 in Kolkata."""


class ScriptedLink:
    """An engine that says what it is told to and remembers what it was sent."""

    def __init__(self, welcome: Welcome) -> None:
        self.welcome = welcome
        self.sent: list[Command] = []
        self.asked: list[object] = []
        self.past: Archive | None = None
        """A real store's; None: there is no past."""
        self.lease_asked = 0
        self.state = welcome.state
        self.is_closed = False
        self.is_down = False
        self._on_update: Callable[[Update], None] = lambda update: None

    def attach(self, on_update: Callable[[Update], None]) -> None:
        self._on_update = on_update
        on_update(self.welcome)

    async def send(self, command: Command) -> None:
        if self.is_down:
            raise ConnectionError("the engine is gone")
        self.sent.append(command)

    async def take_lease(self) -> None:
        self.lease_asked += 1

    async def ask(self, question: Asks[A]) -> A:
        if self.is_down:
            raise ConnectionError("the engine is gone")
        self.asked.append(question)
        if self.past is None:
            raise NoPast(NOTHING_KEPT)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def told(data: bytes, why: str) -> None:
            if why:
                answer.set_exception(NoPast(why))
            else:
                answer.set_result(data)

        self.past.ask(cast("Question", question), told)
        return decode_answer(question, await answer)

    def unfold(self, page: EntryPage) -> list[Entry]:
        return unfold(page)

    async def close(self) -> None:
        self.is_closed = True

    def push(self, *updates: Update) -> None:
        """Tell the console something."""
        for update in updates:
            self._on_update(update)

    def happen(self, at: Nanos, *events: Event) -> None:
        """Journal events and tell the console."""
        for event in events:
            entry = Entry(Seq(self.state.seq + 1), at, event)
            self.state = evolve(self.state, entry)
            self.push(entry)


def scripted_state() -> State:
    """Return the state after the script's events."""
    state = State()
    for at, event in script.events(START, NOW):
        state = evolve(state, Entry(Seq(state.seq + 1), at, event))
    return state


def scripted_quotes(now: Nanos = NOW) -> tuple[Quote, ...]:
    """Return a quote of every instrument, one of them stale."""
    return tuple(script.quotes(now))


def pulse(now: Nanos = NOW, **changes: object) -> Pulse:
    """Return a heartbeat; `changes` replace its fields."""
    fields: dict[str, object] = {
        "now": now,
        "seq": Seq(41_207),
        "ticks": 1_204_511,
        "ticks_per_s": 1240.0,
        "feed_age": Nanos(SECOND // 5),
        "is_feed_up": True,
        "is_persisted": True,
        "commit_ms_p50": 0.31,
        "commit_ms_p99": 4.12,
        "decision_ms_p99": 0.18,
        "rss_mb": 64.0,
    }
    return Pulse(**{**fields, **changes})  # type: ignore[arg-type]


def welcome(state: State | None = None, *, is_mine: bool = True) -> Welcome:
    """Return a console's first snapshot."""
    held = scripted_state() if state is None else state
    return Welcome(
        protocol=PROTOCOL,
        engine_pid=4242,
        started_at=START,
        data_dir="/data",
        venue="paper",
        feed="sim",
        time_zone="Asia/Kolkata",
        state=held,
        quotes=scripted_quotes(),
        instruments=tuple(held.instruments.values()),
        health=script.health(NOW),
        quality=script.quality(NOW),
        pulse=pulse(),
        logs=tuple(script.logs(NOW)),
        lease=Lease("console pid 77 on box" if is_mine else "console pid 12 on box", is_mine),
    )


class Rig:
    """A console over a scripted engine on a clock that stands still."""

    def __init__(
        self, settings: ConsoleSettings | None = None, start: Welcome | None = None
    ) -> None:
        self.clock = ManualClock(NOW)
        self.link = ScriptedLink(start or welcome())
        self.app = Console(self.link, self.clock, settings or ConsoleSettings(has_bell=False))
        seconds = range(240, 0, -1)
        for quote in self.link.welcome.quotes:
            path = script.wiggle(float(quote.last), quote.instrument)
            for back, value in zip(seconds, path, strict=False):
                ring = self.app.desk.replica.sparks.setdefault(quote.instrument, script.ring())
                ring.append(((NOW // SECOND) - back, value))

    def draw(self) -> None:
        """Draw a frame now, whatever the timer says."""
        self.app.painter.flush()

    def tick(self, name: str, last: str) -> None:
        """Move one price."""
        old = next(q for q in self.link.welcome.quotes if q.instrument == name)
        self.link.push(
            Quotes((Quote(InstrumentId(name), price(last), self.clock.now(), oi=old.oi),))
        )

    def pass_time(self, seconds: float, *, with_pulse: bool = True) -> None:
        """Let time go by; a heartbeat keeps the engine alive."""
        self.clock.set(Nanos(self.clock.now() + int(seconds * SECOND)))
        if with_pulse:
            self.link.push(pulse(self.clock.now()))

    def log(self, text: str, level: str = "info", source: str = "feed") -> None:
        """Log one line."""
        self.link.push(LogRecord(self.clock.now(), level, source, text))

    def text(self) -> str:
        """Return everything on screen, line by line."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def price(text: str) -> Price:
    """Return a price."""
    return Price(Decimal(text))


__all__ = ["NOW", "START", "Rig", "ScriptedLink", "ev", "price", "pulse", "welcome"]


if __name__ == "__main__":
    from tests.tui.rig_live import main

    main()
