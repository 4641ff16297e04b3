"""A process beside the console: takes ticks at a rate, sends what an engine would: newest quotes.

`python -m tests.bench.victims.feeder SOCKET TICKS_PER_SECOND`; 0 ticks: only the heartbeat.
"""

from __future__ import annotations

import socket
import sys
import time
from decimal import Decimal
from random import Random

from engine.domain.ids import Nanos
from engine.domain.market import Quote
from engine.domain.money import Price
from engine.link.protocol import Quotes, Update
from engine.link.wire import encode_update
from tests.tui.rig import NOW, pulse
from tests.tui.rig_crowd import crowd

POSITIONS = 100
BATCHES = 10
"""Per second."""


def main(path: str, rate: int) -> None:
    link = socket.socket(socket.AF_UNIX)
    link.connect(path)
    quotes = list(crowd(POSITIONS).quotes)
    lasts = [float(quote.last) for quote in quotes]
    rng = Random(7)
    began = time.monotonic()
    batch = 0
    while True:
        batch += 1
        dirty: set[int] = set()
        for _ in range(rate // BATCHES):
            index = rng.randrange(POSITIONS)
            lasts[index] *= 1 + rng.uniform(-2e-4, 2e-4)
            dirty.add(index)
        now = Nanos(NOW + batch * 1_000_000_000 // BATCHES)
        if dirty:
            send(link, Quotes(tuple(moved(quotes[i], lasts[i], now) for i in sorted(dirty))))
        if batch % (BATCHES // 2) == 0:
            send(link, pulse(now, ticks_per_s=float(rate)))
        time.sleep(max(0.0, began + batch / BATCHES - time.monotonic()))


def moved(quote: Quote, last: float, now: Nanos) -> Quote:
    quote.last = Price(Decimal(f"{last:.2f}"))
    quote.at = now
    return quote


def send(link: socket.socket, update: Update) -> None:
    data = encode_update(update)
    link.sendall(len(data).to_bytes(4, "big") + data)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
