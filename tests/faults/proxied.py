"""A console's line cut between a command and its answer, again and again, on the real engine.

`python -m tests.faults.proxied --n 1000 --seed 1 [--planted]`

Each intent closes one lot of a real position on the paper venue. Its command is sent, the line is
cut before the answer (or before the command arrives), and whoever sent it does so again, with the
same id, until there is an answer. The planted bug is a client that makes a new id each time.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from engine.bootstrap.live import LiveEngine, live_engine
from engine.bootstrap.options import LiveOptions
from engine.domain.command import ClosePosition, SubmitSignal
from engine.domain.event import CommandAccepted, Entry, OrderFilled, OrderRequested
from engine.domain.ids import CommandId, InstrumentId, PositionId
from engine.domain.money import Qty
from engine.domain.order import Side
from engine.domain.signal import Signal
from engine.domain.state import State
from engine.link.address import socket_path
from engine.link.client import SocketLink
from engine.link.frames import Hello
from engine.link.hub import Hub
from engine.link.protocol import Update, Welcome
from engine.link.server import serving
from engine.runtime.clock import SystemClock
from tests.faults.fault_proxy import FaultProxy, Mode, proxied
from tests.faults.recorder import remember

BTC: Final = InstrumentId("BTC_USDC-PERPETUAL")
LOT: Final = Decimal("0.001")
PATIENCE: Final = 30.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of it."""

    intents: int
    cuts: int
    sent: int
    """Commands sent, those sent again included."""
    orders: int
    """Orders that the engine made of them."""
    connections: int

    @property
    def doubled(self) -> int:
        return self.orders - self.intents

    @property
    def text(self) -> str:
        return (
            f"{self.intents} commands, {self.cuts} times the line cut before the answer or the "
            f"command: {self.orders} orders, {self.doubled} doubled"
        )


class Person:
    """Sends until answered."""

    def __init__(self, path: Path, *, planted: bool) -> None:
        self._planted = planted
        self._welcome = asyncio.Event()
        self._link = SocketLink(path, Hello("person", "client-person"))
        self.sent = 0

    def hear(self, update: Update) -> None:
        if isinstance(update, Welcome):
            self._welcome.set()

    def attach(self) -> None:
        self._link.attach(self.hear)

    async def close(self) -> None:
        await self._link.close()

    async def act(self, number: int, position: PositionId) -> str:
        """Close a lot, whatever happens to the line, until the engine has said something.

        Returns the id that was answered.
        """
        async with asyncio.timeout(PATIENCE):
            while True:
                await self._welcome.wait()
                self.sent += 1
                id_ = f"c{number}-{self.sent}" if self._planted else f"c{number}"
                self._welcome.clear()
                try:
                    await self._link.send(
                        ClosePosition(CommandId(id_), position, "person", Qty(LOT))
                    )
                except ConnectionError:
                    continue  # was it heard? nobody knows: say it again
                self._welcome.set()
                return id_


@asynccontextmanager
async def at_work(directory: Path) -> AsyncIterator[tuple[LiveEngine, FaultProxy]]:
    """Yield a whole engine with its socket, and a proxy before it."""
    clock = SystemClock()
    path = socket_path(directory)
    async with (
        live_engine(LiveOptions(directory), clock) as live,
        serving(hub := Hub(live, clock), path),
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(live.run())
        telling = tasks.create_task(hub.run())
        async with proxied(FaultProxy(path.with_name("line.sock"), path)) as proxy:
            yield live, proxy
        telling.cancel()
        live.stop("done")


async def opened(live: LiveEngine, lots: int) -> PositionId:
    """Return a position of so many lots on the simulated perpetual."""
    async with asyncio.timeout(PATIENCE):
        while BTC not in live.core.quotes:
            await asyncio.sleep(0.01)
        signal = Signal("s", BTC, Side.BUY, live.clock.now(), qty=Qty(LOT * lots))
        live.submit(SubmitSignal(CommandId("s"), signal, "person"))
        while not live.core.state.positions:
            await asyncio.sleep(0.01)
    (id_,) = live.core.state.positions
    return id_


async def cut_again_and_again(
    directory: Path, count: int, seed: int, *, planted: bool = False
) -> Figures:
    """Return what became of `count` intents whose line was cut."""
    rng = random.Random(seed)
    exits: set[str] = set()
    done: set[str] = set()
    acted: set[str] = set()

    def note(entry: Entry, _state: State) -> None:
        if isinstance(entry.event, CommandAccepted):
            acted.add(entry.event.command)
        elif isinstance(entry.event, OrderRequested) and entry.event.order.exit is not None:
            exits.add(entry.event.order.id)
        elif isinstance(entry.event, OrderFilled) and entry.event.fill.order in exits:
            done.add(entry.event.fill.order)

    async with at_work(directory) as (live, proxy):
        lots = 4 * count if planted else count + 20
        position = await opened(live, lots)
        live.engine.subscribe(note)
        assert isinstance(proxy.listen, Path)
        person = Person(proxy.listen, planted=planted)
        person.attach()
        for number in range(count):
            proxy.mode = rng.choice((Mode.PASS, Mode.CUT_ANSWER, Mode.CUT_ANSWER, Mode.CUT_WORD))
            id_ = await person.act(number, position)
            async with asyncio.timeout(PATIENCE):
                while id_ not in acted or len(done) < len(exits):
                    await asyncio.sleep(0.001)
        await person.close()
        left = live.core.state.positions[position].qty
        assert left == LOT * (lots - len(exits))
        return Figures(count, proxy.cuts, person.sent, len(exits), proxy.accepted)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--planted", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        work = cut_again_and_again(Path(place), args.n, args.seed, planted=args.planted)
        figures = asyncio.run(work)
    print(figures.text)
    if args.planted:
        return 0 if figures.doubled else 1
    remember("U02", figures.text, n=figures.intents, seed=args.seed)
    return 1 if figures.doubled else 0


if __name__ == "__main__":
    raise SystemExit(main())
