"""Sends ticks to the engine's socket at a rate, each with the time it was sent.

`python -m tests.bench.victims.sender SOCKET RATE INSTRUMENTS CROSSINGS_PER_SECOND SWING`: of the
instruments, crossed ones fall 3 % at once, one after the other. The others walk in steps of 1e-5,
or with a SWING jump about their opening price by up to that ratio, so that every cell moves.
"""

from __future__ import annotations

import socket
import sys
import time
from random import Random

from tests.bench.victims.engine import RECORD

TURNS = 1000
"""Per second, at most."""


def main(path: str, rate: int, instruments: int, crossings: float, swing: float) -> None:
    link = socket.socket(socket.AF_UNIX)
    link.connect(path)
    rng = Random(11)
    lasts = [100.0] * instruments
    crossed = 0
    turns = min(rate, TURNS)
    began = time.monotonic()
    turn = sent = 0
    while True:
        turn += 1
        due = int(turn * rate / turns) - sent
        sent += due
        data = b""
        for _ in range(due):
            index = rng.randrange(crossed, instruments) if crossed < instruments else 0
            if index >= crossed:
                before, step = (100.0, swing) if swing else (lasts[index], 1e-5)
                lasts[index] = round(before * (1 + rng.uniform(-step, step)), 8)
            data += RECORD.pack(index, time.time_ns(), lasts[index])
        if crossed < int((time.monotonic() - began) * crossings) and crossed < instruments:
            lasts[crossed] = 97.0
            data += RECORD.pack(crossed, time.time_ns(), 97.0)
            crossed += 1
        link.sendall(data)
        time.sleep(max(0.0, began + turn / turns - time.monotonic()))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5]))
