"""What is measured of a running engine, in plain figures; `engine.domain.checkup` scores it."""

from __future__ import annotations

from dataclasses import field
from typing import Final

from engine.domain.ids import InstrumentId, Nanos, PositionId
from engine.domain.records import dataclass

WAL_MB: Final = 64.0
"""From here on a write-ahead log is called grown."""


@dataclass(frozen=True, slots=True)
class FeedVitals:
    name: str = "feed"
    is_up: bool = True
    why: str = ""
    """Why it is down."""
    is_market_open: bool = True
    """False: silence is what is expected."""
    age_s: float | None = None
    """Age of the newest tick of any instrument; None: none came yet."""
    limit_s: float = 3.0
    """From here on the feed counts as silent."""
    ticks_per_s: float = 0.0
    stale: tuple[tuple[InstrumentId, float], ...] = ()
    """Instruments with a position whose price is older than its limit, with their age (s)."""


@dataclass(frozen=True, slots=True)
class ExitVitals:
    """The path from a tick to a durable exit."""

    positions: int = 0
    decision_ms_p50: float = 0.0
    decision_ms_p99: float = 0.0
    durable_ms_p99: float = 0.0
    """From the decision to close until it is on disk."""
    unchecked: tuple[tuple[PositionId, float], ...] = ()
    """Positions and how long nobody has looked at them (s), longest first; those that matter."""
    unknown_orders: int = 0
    """Exit orders whose outcome nobody knows."""
    failed_closes: int = 0
    """Positions whose last close failed."""
    waiting: int = 0
    """Inputs in the inbox."""


@dataclass(frozen=True, slots=True)
class StoreVitals:
    is_persisted: bool = True
    is_on: bool = True
    """False: a person chose to run without a store."""
    why: str = ""
    commits: int = 0
    commit_ms_p50: float = 0.0
    commit_ms_p99: float = 0.0
    checkpoint_age_s: float | None = None
    """None: there are no checkpoints (yet)."""
    checkpoint_every_s: float = 30.0
    wal_mb: float = 0.0
    """Size of the write-ahead log: it grows while somebody reads and does not end (D16)."""


@dataclass(frozen=True, slots=True)
class HostVitals:
    """The process and the machine under it."""

    lag_ms_p99: float = 0.0
    """How late the event loop woke from a short sleep."""
    lag_ms_max: float = 0.0
    rss_mb: float = 0.0
    rss_limit_mb: float = 500.0
    disk_free_mb: float | None = None
    skew_s: float | None = None
    """How far the venue's time is from ours; None: unknown."""


@dataclass(frozen=True, slots=True)
class QualityVitals:
    """Data quality, summed up."""

    score: float = 100.0
    gate: float = 60.0
    below: tuple[InstrumentId, ...] = ()
    """Instruments below the gate: no entries."""
    refused: int = 0
    """Samples that never became a tick."""
    worst: str = ""


@dataclass(frozen=True, slots=True)
class StrategyVitals:
    total: int = 0
    active: int = 0
    paused: int = 0
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReconcileVitals:
    """How well engine, database and venue agree."""

    runs: int = 0
    age_s: float | None = None
    """Since the venue last gave an answer that could be believed; None: it never did."""
    every_s: float = 60.0
    asking: tuple[str, ...] = ()
    """What a person must decide, a line each."""
    left: tuple[str, ...] = ()
    """What a person decided to leave as it is, a line each."""
    outcomes: tuple[tuple[str, int], ...] = ()
    """How often each kind of finding came to each end."""
    found: int = 0
    """Differences found so far, settled ones included."""
    why: str = ""
    """Why the newest run got no answer."""


@dataclass(frozen=True, slots=True)
class Vitals:
    at: Nanos
    ticks: int = 0
    feed: FeedVitals = field(default_factory=FeedVitals)
    exits: ExitVitals = field(default_factory=ExitVitals)
    store: StoreVitals = field(default_factory=StoreVitals)
    host: HostVitals = field(default_factory=HostVitals)
    data: QualityVitals = field(default_factory=QualityVitals)
    strategies: StrategyVitals = field(default_factory=StrategyVitals)
    reconcile: ReconcileVitals = field(default_factory=ReconcileVitals)
