"""What a link serves: a running engine as its hub, server and consoles need it.

The composition root's live engine has this shape. Everything is called in the engine's own loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeAlias

from engine.domain.command import Command
from engine.domain.event import Entry
from engine.domain.health import Health
from engine.domain.ids import InstrumentId
from engine.domain.log import LogRecord
from engine.domain.market import Quote, Tick
from engine.domain.quality import QualityReport
from engine.domain.state import State
from engine.link.protocol import Pulse, Welcome

EntryListener: TypeAlias = Callable[[Entry, State], None]
TickListener: TypeAlias = Callable[[Tick, Quote], None]
Report: TypeAlias = Health | QualityReport | Pulse | LogRecord
"""What is told beside the journal. A log record counts, the others replace the one before."""


class EngineSource(Protocol):
    """An engine that consoles can look at and command."""

    @property
    def database(self) -> Path | None:
        """The store's file, for questions about the past; None: nothing is kept."""

    @property
    def quotes(self) -> Mapping[InstrumentId, Quote]:
        """The live quotes; the hub copies what it hands on."""

    def welcome(self) -> Welcome:
        """Return a snapshot. The hub replaces `state` by the newest durable one, and `lease`."""

    def submit(self, command: Command) -> None:
        """Take a command; never blocks. What becomes of it is in the journal."""

    def subscribe(self, on_entry: EntryListener, on_tick: TickListener) -> None:
        """Call `on_entry` with every durable entry and `on_tick` with every tick, from now on."""

    def watch(self, on_report: Callable[[Report], None]) -> None:
        """Call `on_report` with every new pulse (twice a second), health, quality, log line."""


class RunningEngine(EngineSource, Protocol):
    """An engine that a process hosts: open already, running while `run` does."""

    async def run(self) -> None:
        """Run until `stop`, then end in order (E-67): within ten seconds."""

    def stop(self, reason: str) -> None:
        """Begin the orderly end; `reason` says who asked, e.g. `SIGTERM`. May be called twice."""
