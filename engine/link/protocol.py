"""Messages between an engine and its consoles. Depends on the domain only.

A console gets one `Welcome` (a full snapshot), then updates. Entries carry sequence numbers and
are never dropped; quotes are conflated to the newest value per instrument; health, quality and
the pulse replace the one before. Commands go the other way; what became of one arrives as the
entries `CommandAccepted` / `CommandRefused` with its id.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

from engine.domain.command import Command
from engine.domain.event import Entry
from engine.domain.health import Health
from engine.domain.ids import InstrumentId, Nanos, Seq
from engine.domain.instrument import Instrument
from engine.domain.log import LogRecord
from engine.domain.market import Quote
from engine.domain.quality import QualityReport
from engine.domain.records import dataclass
from engine.domain.state import State
from engine.link.protocol_past import A, Asks, EntryPage

__all__ = [
    "PROTOCOL",
    "Disconnected",
    "EngineLink",
    "InstrumentMap",
    "Lease",
    "LogRecord",
    "NotTaken",
    "Pulse",
    "Quotes",
    "Update",
    "Welcome",
]

PROTOCOL: Final = 2
"""Version of everything in this file; another one is refused by number."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """The engine's heartbeat, at least twice a second: a silent engine shows within 2 s."""

    now: Nanos
    seq: Seq
    """Last durable journal entry."""
    ticks: int
    """Ticks handled since the start."""
    ticks_per_s: float
    feed_age: Nanos
    """Age of the newest tick of any instrument."""
    is_feed_up: bool
    is_persisted: bool
    """False: NOT PERSISTED, shown until it is true again."""
    commit_ms_p50: float = 0.0
    commit_ms_p99: float = 0.0
    decision_ms_p99: float = 0.0
    waiting: int = 0
    """Inputs in the inbox."""
    rss_mb: float = 0.0


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may send commands; all others only read."""

    owner: str
    """Empty: nobody."""
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Welcome:
    """Where a console starts."""

    protocol: int
    engine_pid: int
    started_at: Nanos
    data_dir: str
    venue: str
    feed: str
    time_zone: str
    """Zone that the clock on screen shows."""
    state: State
    quotes: tuple[Quote, ...]
    instruments: tuple[Instrument, ...]
    health: Health | None
    quality: QualityReport | None
    pulse: Pulse
    logs: tuple[LogRecord, ...]
    lease: Lease
    persistence: str = "on"
    """`off`: a person chose to run without a store; said on screen all the time."""


@dataclass(frozen=True, slots=True)
class Quotes:
    """Newest quotes of the instruments that changed since the last batch."""

    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The engine cannot be heard any more; everything on screen is as old as `since`."""

    why: str


Update: TypeAlias = (
    Welcome | Entry | Quotes | Health | QualityReport | Pulse | LogRecord | Lease | Disconnected
)


class NotTaken(ConnectionError):
    """The engine answered and did not take a command: whoever sent it may not send now."""


class EngineLink(Protocol):
    """A console's view of an engine."""

    def attach(self, on_update: Callable[[Update], None]) -> None:
        """Send a `Welcome` and everything after it to `on_update` (in the caller's loop)."""

    async def send(self, command: Command) -> None:
        """Submit `command`; raises ConnectionError when the engine cannot be reached.

        NotTaken, one of them, when it was reached and the sender is not in control.
        """

    async def take_lease(self) -> None:
        """Ask for the right to send commands; the outcome arrives as a `Lease`."""

    async def ask(self, question: Asks[A]) -> A:
        """Return the answer to a question about the past; allowed to everyone.

        Raises ConnectionError when the engine cannot be reached; NoPast, one of them, when it was
        and cannot tell.
        """

    def unfold(self, page: EntryPage) -> list[Entry]:
        """Return the entries of a page. Raises ConnectionError if they make no sense."""

    async def close(self) -> None:
        """Leave; the engine goes on."""


InstrumentMap: TypeAlias = dict[InstrumentId, Instrument]
