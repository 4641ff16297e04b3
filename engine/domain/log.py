"""One line of the engine's log, as files and consoles show it."""

from __future__ import annotations

from typing import Final

from engine.domain.ids import Nanos
from engine.domain.records import dataclass

LEVELS: Final = ("debug", "info", "warning", "error", "critical")


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One line of the engine's log. `text` comes from outside in part: escape it to show it."""

    at: Nanos
    level: str
    """debug, info, warning, error or critical."""
    source: str
    """Part of the engine: stop, order, fill, feed, store, strategy, health, session, …"""
    text: str
    fields: tuple[tuple[str, str], ...] = ()
