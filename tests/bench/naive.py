"""The naive loop: every rule of every position on every tick. Slow, and obviously right.

Peer of the speed figures and, on the same positions, the reference that exits are compared with.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from itertools import islice

from tests.bench.arena import Levels, Opening

NaiveExit = tuple[int, str, str]
"""(time, position, reason)."""


class Held:
    """A position and what its stops stand at."""

    __slots__ = ("activation", "name", "peak", "sign", "stop", "target")

    def __init__(self, opening: Opening, levels: Levels) -> None:
        sign, entry = opening.sign, opening.entry
        self.name, self.sign, self.peak = opening.position, sign, entry
        self.stop = entry * (1 - sign * float(levels.initial))
        self.activation = entry * (1 + sign * float(levels.activation))
        self.target = entry * (1 + sign * float(levels.target))


def run(
    records: Iterable[tuple[int, int, float, float, float]],
    opened: Sequence[Opening],
    levels: Levels,
    setup: int,
    ticks: int,
) -> tuple[list[NaiveExit], float]:
    """Return the exits over `setup + ticks` records and the CPU seconds of the last `ticks`.

    `opened` says when positions enter; each is judged from the next record on.
    """
    held: defaultdict[int, list[Held]] = defaultdict(list)
    waiting = deque(opened)
    trail = float(levels.trail)
    found: list[NaiveExit] = []
    began = time.process_time()
    for number, (index, at, price, _, _) in enumerate(islice(records, setup + ticks)):
        if number == setup:
            began = time.process_time()
        fired = []
        for position in held[index]:
            sign, peak = position.sign, position.peak
            if (price - peak) * sign > 0:
                position.peak = peak = price
            if (price - position.stop) * sign <= 0:
                fired.append((position, "stop_loss_hit"))
            elif (peak - position.activation) * sign >= 0 and (
                price - peak * (1 - sign * trail)
            ) * sign <= 0:
                fired.append((position, "trailing_stop_hit"))
            elif (price - position.target) * sign >= 0:
                fired.append((position, "take_profit_hit"))
        for position, reason in fired:  # the first rule in the specification's order names it
            found.append((at, position.name, reason))
            held[index].remove(position)
        while waiting and waiting[0].at <= at:
            opening = waiting.popleft()
            held[opening.index].append(Held(opening, levels))
    return found, time.process_time() - began
