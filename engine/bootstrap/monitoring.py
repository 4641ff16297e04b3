"""The monitor of a live session: what is watched, and how closely."""

from __future__ import annotations

from typing import Final

from engine.bootstrap.options import LiveOptions
from engine.domain.ids import InstrumentId
from engine.domain.instrument import Instrument
from engine.domain.quality_book import QualityBook
from engine.ports.clock import Clock
from engine.runtime.engine import Engine
from engine.runtime.host import Host
from engine.runtime.monitor import Monitor
from engine.runtime.sensors import Watching

RECORDED_SILENT_S: Final = 3600.0
"""A recording may hold a snapshot every few minutes: its silence says nothing of a link."""


def monitor_of(
    engine: Engine,
    options: LiveOptions,
    clock: Clock,
    catalog: dict[InstrumentId, Instrument],
) -> Monitor:
    """Return a monitor of `engine` as `options` want it."""
    watching = Watching(
        feed=options.feed,
        is_persistent=options.is_persistent,
        checkpoint_s=options.checkpoint_s,
        silent_s=RECORDED_SILENT_S if options.feed == "replay" else options.stale_s,
        is_gated=options.quality_gate > 0,
        polls=options.polls,
    )
    book = QualityBook(catalog, gate=options.quality_gate)
    return Monitor(engine, clock, book, Host(options.data_dir), watching)
