"""The planted bug: the real engine, but it says that entries are durable before they are.

`python -m tests.faults.early_engine engine …` takes the words of `python -m tui.cli engine`.
"""

from __future__ import annotations

import sys

from engine.domain.event import Entry
from engine.runtime.engine import Engine
from tui.cli import main

_commit, _publish = Engine._commit, Engine._publish


async def _early(self: Engine, entries: list[Entry]) -> None:
    _publish(self, entries)
    await _commit(self, entries)


def _said_already(self: Engine, entries: list[Entry]) -> None:
    """Say nothing: `_early` has."""


if __name__ == "__main__":
    Engine._commit = _early  # type: ignore[method-assign]
    Engine._publish = _said_already  # type: ignore[method-assign]
    sys.exit(main())
