"""Strategies of a user's own file, well-behaved and not; loaded by path in the tests."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from engine.domain.ids import InstrumentId, Nanos, StrategyName
from engine.domain.instrument import Instrument
from engine.domain.market import Tick
from engine.domain.money import Qty
from engine.domain.order import Side
from engine.domain.signal import Signal
from engine.domain.strategy import Advice, Holding, Moment, Needs, Phase


@dataclass(frozen=True)
class NoSettings:
    pass


class Counter:
    """Counts its bars and says so."""

    Settings: ClassVar[type] = NoSettings

    def __init__(self, name: StrategyName, settings: Any) -> None:
        self.name = name
        self.settings = settings
        self.bars = 0

    def needs(self) -> Needs:
        return Needs(bar_seconds=60)

    def on_start(
        self, instruments: Mapping[InstrumentId, Instrument], holding: Holding | None, now: Nanos
    ) -> Advice:
        if holding is not None:
            return self.on_opened(holding)
        return Advice(phase=Phase.ANALYZING, waits_for="a bar")

    def on_bars(self, moment: Moment) -> Advice:
        self.bars += 1
        return Advice(notes=(f"bar {self.bars}",))

    def on_tick(self, tick: Tick) -> Advice:
        return Advice()

    def on_opened(self, holding: Holding) -> Advice:
        return Advice(phase=Phase.POSITION_OPEN, waits_for="an exit")

    def on_closed(self, holding: Holding, reason: str, pnl: Decimal, now: Nanos) -> Advice:
        return Advice(phase=Phase.COOLDOWN, waits_for="cooldown 60 s")

    def on_refused(self, signal: Signal, reason: str) -> Advice:
        return Advice(phase=Phase.ANALYZING, waits_for=f"refused: {reason}")

    def memory(self) -> dict[str, Any]:
        return {"bars": self.bars}

    def restore(self, memory: Mapping[str, Any]) -> None:
        self.bars = memory["bars"]


@dataclass(frozen=True)
class BuyerSettings:
    qty: Decimal = Decimal(75)


class Buyer(Counter):
    """Buys after every bar while it has nothing."""

    Settings: ClassVar[type] = BuyerSettings

    def __init__(self, name: StrategyName, settings: BuyerSettings) -> None:
        super().__init__(name, settings)
        self.wanted: list[Any] | None = None
        self.is_flat = True

    def on_start(
        self, instruments: Mapping[InstrumentId, Instrument], holding: Holding | None, now: Nanos
    ) -> Advice:
        if holding is None and self.wanted is not None:
            return Advice((self.signal(*self.wanted),), (), Phase.ENTERING, "a fill")
        return super().on_start(instruments, holding, now)

    def on_bars(self, moment: Moment) -> Advice:
        self.bars += 1
        notes = (f"bar {self.bars}",)
        if not self.is_flat or self.wanted is not None:
            return Advice(notes=notes)
        self.wanted = [f"{self.name}-{moment.at}", min(moment.closes), moment.ends]
        return Advice((self.signal(*self.wanted),), notes, Phase.ENTERING, "a fill")

    def signal(self, id_: str, instrument: str, at: int) -> Signal:
        qty = Qty(self.settings.qty)
        return Signal(id_, InstrumentId(instrument), Side.BUY, Nanos(at), qty, strategy=self.name)

    def on_opened(self, holding: Holding) -> Advice:
        self.wanted, self.is_flat = None, False
        return super().on_opened(holding)

    def on_refused(self, signal: Signal, reason: str) -> Advice:
        self.wanted = None
        return super().on_refused(signal, reason)

    def memory(self) -> dict[str, Any]:
        return {"bars": self.bars, "wanted": self.wanted, "is_flat": self.is_flat}

    def restore(self, memory: Mapping[str, Any]) -> None:
        self.bars, self.wanted = memory["bars"], memory["wanted"]
        self.is_flat = memory["is_flat"]


@dataclass(frozen=True)
class RaiserSettings:
    when: str = "bars"


class Raiser(Buyer):
    Settings: ClassVar[type] = RaiserSettings

    def fail(self, when: str) -> None:
        if self.settings.when == when:
            raise RuntimeError(f"planted at {when}")

    def signal(self, id_: str, instrument: str, at: int) -> Signal:
        return Signal(
            id_, InstrumentId(instrument), Side.BUY, Nanos(at), Qty(Decimal(75)), strategy=self.name
        )

    def on_start(
        self, instruments: Mapping[InstrumentId, Instrument], holding: Holding | None, now: Nanos
    ) -> Advice:
        self.fail("start")
        return super().on_start(instruments, holding, now)

    def on_bars(self, moment: Moment) -> Advice:
        self.fail("bars")
        return super().on_bars(moment)

    def on_opened(self, holding: Holding) -> Advice:
        self.fail("opened")
        return super().on_opened(holding)

    def memory(self) -> dict[str, Any]:
        if self.bars:
            self.fail("memory")
        return super().memory()


class Looper(Counter):
    """Never answers, and catches what it can."""

    def on_bars(self, moment: Moment) -> Advice:
        while True:
            try:
                self.bars += 1
            except Exception:
                self.bars = 0


class Unstoppable(Counter):
    """Catches everything: only SIGKILL ends it."""

    def on_bars(self, moment: Moment) -> Advice:
        while True:
            try:
                while True:
                    self.bars += 1
            except BaseException:
                continue


class Crasher(Counter):
    """Takes its whole process down without an exception."""

    def on_bars(self, moment: Moment) -> Advice:
        ctypes.string_at(0)
        return Advice()


class Quitter(Counter):
    def on_bars(self, moment: Moment) -> Advice:
        sys.exit("enough")


class Printer(Counter):
    """Prints bytes that would tear a protocol on standard output."""

    def on_bars(self, moment: Moment) -> Advice:
        print("\x00\x00\x00\x05hello" * 1000, flush=True)
        os.write(2, b"\xff" * 100)
        return super().on_bars(moment)


class Number:
    """Like numpy's: not a number to json, but it has `item`."""

    def __init__(self, value: float) -> None:
        self.value = value

    def item(self) -> float:
        return self.value


@dataclass(frozen=True)
class ForeignSettings:
    is_nan: bool = False


class Foreign(Counter):
    Settings = ForeignSettings

    def memory(self) -> dict[str, Any]:
        value = float("nan") if self.settings.is_nan and self.bars else 28684875
        return {"bars": self.bars, "oi": Number(value)}


class Secretive(Counter):
    """Says which credentials it can see."""

    def on_bars(self, moment: Moment) -> Advice:
        return Advice(notes=(f"sees {os.environ.get('BITVAVO_API_SECRET')}",))
