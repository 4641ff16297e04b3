"""What can be configured, with defaults. Percentages are fractions (0.25); unknown keys are errors.

Importing pydantic costs a tenth of a second: only what starts an engine imports this.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)
from pydantic_core import PydanticCustomError

from engine.settings.policies import ReconcileTable, RecoveryTable
from engine.settings.table import (
    AtLeastOne,
    ClockTime,
    Count,
    Fraction,
    Interval,
    Positive,
    Table,
)


class Initial(Table):
    enabled: bool = True
    pct: Fraction = Decimal("0.25")


class Trailing(Table):
    enabled: bool = True
    activation_pct: Annotated[Decimal, Field(ge=0, lt=10, max_digits=12)] = Decimal("0.10")
    pct: Fraction = Decimal("0.10")


class Vwap(Table):
    enabled: bool = True
    pct: Fraction = Decimal("0.05")


class OpenInterest(Table):
    enabled: bool = True
    pct: Positive = Decimal("0.10")


def _needing(table: TakeProfit | TimeStop | KillSwitch, *figures: str) -> None:
    """Refuse a rule that is switched on without the figure it acts by: it would protect nobody."""
    if table.enabled and all(getattr(table, name) is None for name in figures):
        raise PydanticCustomError(
            "no_figure", "it is enabled and needs {names}", {"names": " or ".join(figures)}
        )


class TakeProfit(Table):
    enabled: bool = False
    pct: Positive | None = None

    @model_validator(mode="after")
    def _has_its_figure(self) -> Self:
        _needing(self, "pct")
        return self


class EndOfDay(Table):
    enabled: bool = True
    time: ClockTime | None = None
    """Exchange-local; None: the session's close alone."""


class TimeStop(Table):
    enabled: bool = False
    minutes: AtLeastOne | None = None

    @model_validator(mode="after")
    def _has_its_figure(self) -> Self:
        _needing(self, "minutes")
        return self


class KillSwitch(Table):
    enabled: bool = False
    daily_loss: Positive | None = None
    """Money lost since the session began, in an account's currency."""
    max_drawdown: Fraction | None = None

    @model_validator(mode="after")
    def _has_its_figure(self) -> Self:
        _needing(self, "daily_loss", "max_drawdown")
        return self


class Exits(Table):
    initial: Initial = Initial()
    trailing: Trailing = Trailing()
    vwap: Vwap = Vwap()
    oi: OpenInterest = OpenInterest()
    take_profit: TakeProfit = TakeProfit()
    end_of_day: EndOfDay = EndOfDay()
    time_stop: TimeStop = TimeStop()
    kill_switch: KillSwitch = KillSwitch()

    @model_validator(mode="before")
    @classmethod
    def _a_value_enables(cls, data: Any) -> Any:  # noqa: ANN401
        """Setting the figure of a rule that is off switches it on, unless `enabled` is given."""
        if isinstance(data, dict):
            for rule in ("take_profit", "time_stop", "kill_switch"):
                table = data.get(rule)
                if isinstance(table, dict) and "enabled" not in table:
                    given = any(value is not None for value in table.values())
                    data = {**data, rule: {**table, "enabled": given}}
        return data


class FeeTable(Table):
    maker: Annotated[Decimal, Field(gt=-1, lt=1, max_digits=12)] = Decimal(0)
    taker: Annotated[Decimal, Field(ge=0, lt=1, max_digits=12)] = Decimal(0)
    cap: Annotated[Decimal, Field(ge=0, max_digits=20)] | None = None


class Disturb(Table):
    """A drill: trades on the paper account that the engine is not told of. Said on screen."""

    every: Annotated[float, Field(gt=0)] | None = None
    """Seconds between two of them; none: off."""
    kinds: tuple[Literal["close", "reduce", "enlarge", "open", "vanish", "flip", "order"], ...] = (
        "close",
        "open",
        "reduce",
        "order",
        "enlarge",
        "vanish",
        "flip",
    )
    """What is done, in turn. vanish: a close that the venue tells no fill of."""


class Paper(Table):
    initial_capital: Positive = Decimal(100_000)
    leverage: Annotated[Decimal, Field(ge=1, le=1000, max_digits=12)] = Decimal(10)
    """Of perpetuals; everything else is paid in full."""
    capital_per_position: Positive | None = None
    default_qty: Positive | None = None
    slippage_bps: Annotated[Decimal, Field(ge=0, lt=10_000, max_digits=12)] = Decimal(0)
    fees: FeeTable = FeeTable()
    disturb: Disturb = Disturb()


class LimitTable(Table):
    positions_max: Count = 0
    """0: no limit."""
    positions_max_per_strategy: Count = 0
    positions_max_per_instrument: Count = 0
    cooldown_s: Count = 0


class Signals(Table):
    confidence_min: Annotated[Decimal, Field(ge=0, le=1)] = Decimal(0)
    file: Path | None = None
    """A JSON-lines file that is watched for signals."""


class Freshness(Table):
    price_age_max: AtLeastOne = 60
    """Seconds after which a price is no price."""
    silent: Annotated[float, Field(gt=0)] = 60
    """Seconds of silence after which a held instrument is polled."""
    danger: Annotated[float, Field(gt=0)] = 30
    """The same within `danger_pct` of a level."""
    danger_pct: Fraction = Decimal("0.05")
    stale: Annotated[float, Field(gt=0)] = 3
    """Seconds without any tick after which the feed is called stale."""


class BackupTable(Table):
    interval: Annotated[float, Field(gt=0)] = 3600
    """Seconds between two online backups of the store."""
    keep: Annotated[int, Field(ge=1)] = 24
    """Newest backups that are kept."""


class Quality(Table):
    enabled: bool = True
    gate: Annotated[float, Field(ge=0, le=100)] = 60


class Sim(Table):
    seed: int = 7
    speed: Annotated[float, Field(gt=0)] = 1.0
    pace: Annotated[float, Field(gt=0)] = 20.0


class Replay(Table):
    """A recorded day as the feed of a live session (`feed = "replay"`)."""

    files: tuple[Path, ...] = ()
    instruments: tuple[Path, ...] = ()
    speed: Annotated[float, Field(gt=0)] | None = 1.0
    """Recorded seconds per second; none: as fast as it goes."""
    bar_path: Literal["ohlc", "olhc"] = "olhc"


class Store(Table):
    persistence: Literal["on", "off"] = "on"


class ConsoleTable(Table):
    theme: str | None = None
    rate: Annotated[float, Field(gt=0, le=30)] | None = None
    mouse: bool | None = None
    bell: bool = True
    keymap: dict[str, str] = Field(default_factory=dict)


class StrategyTable(BaseModel):
    """`[strategies.NAME]`: its kind, whether it runs, and its own parameters beside them."""

    model_config = ConfigDict(extra="allow", frozen=True)
    kind: str | None = None
    """Registered name, entry point or path.py:Class; None: the table's name."""
    enabled: bool = True


class Settings(Table):
    """All of it."""

    environment: Literal["paper"] = "paper"
    """Live trading is not built into this version."""
    profile: Literal["default", "nifty-paper", "perp-paper"] = "default"
    data_dir: Path | None = None
    feed: Literal["sim", "replay"] = "sim"
    symbols: tuple[str, ...] = ()
    exits: Exits = Exits()
    paper: Paper = Paper()
    limits: LimitTable = LimitTable()
    signals: Signals = Signals()
    freshness: Freshness = Freshness()
    checkpoint: Interval = Interval()
    backup: BackupTable = BackupTable()
    recovery: RecoveryTable = RecoveryTable()
    reconcile: ReconcileTable = ReconcileTable()
    health: Interval = Interval(interval=1)
    quality: Quality = Quality()
    sim: Sim = Sim()
    replay: Replay = Replay()
    store: Store = Store()
    console: ConsoleTable = ConsoleTable()
    strategies: dict[str, StrategyTable] = Field(default_factory=dict)
    secrets: dict[str, SecretStr] = Field(default_factory=dict)


PROFILES: dict[str, dict[str, Any]] = {
    "default": {},
    "nifty-paper": {
        "paper": {"initial_capital": "100000", "default_qty": "75"},
        "exits": {"end_of_day": {"time": "15:15"}},
    },
    "perp-paper": {
        "paper": {"initial_capital": "10000", "leverage": "10", "capital_per_position": "200"},
    },
}
"""Values of a profile; everything said elsewhere wins over them."""
