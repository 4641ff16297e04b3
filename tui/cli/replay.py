"""`holdfast replay`: recorded files through the engine; one JSON object, or tables."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.domain.ids import SECOND
from engine.runtime.clock import SystemClock
from tui.cli.exits import DONE, HELD, STORE_REFUSED, USAGE, Failure
from tui.cli.output import as_json, say, table

if TYPE_CHECKING:
    from engine.bootstrap.replay import ReplayPlan
    from engine.domain.ids import InstrumentId
    from engine.domain.instrument import Instrument
    from engine.runtime.strategy_loading import StrategySpec


def command(args: argparse.Namespace) -> int:
    """Replay the files of `args`."""
    plan = _plan(args)
    if args.data_dir is not None:
        _make(args.data_dir)
    clock = SystemClock()
    began = clock.monotonic()
    result = asyncio.run(_run(plan, args))
    result["elapsed_s"] = round((clock.monotonic() - began) / SECOND, 3)
    if args.json:
        as_json(result)
    else:
        _show(result)
    return DONE


def _make(data_dir: Path) -> None:
    os.umask(0o077)
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"--data-dir: {data_dir} cannot be used: {error.strerror}", USAGE) from None


def _plan(args: argparse.Namespace) -> ReplayPlan:
    from engine.bootstrap.configure import replay_plan
    from engine.runtime.signal_lines import SignalFormatError, read_signals
    from engine.runtime.strategy_loading import StrategyLoadError, load
    from engine.settings import SettingsError
    from engine.settings import load as load_settings
    from engine.venues.refusals import FormatError
    from engine.venues.replay.instruments import load_instruments

    try:
        loaded = load_settings(args.config, data_dir=args.data_dir, sets=args.sets)
        instruments: dict[InstrumentId, Instrument] = {}
        for path in args.instruments:
            instruments.update(load_instruments(path))
        signals = tuple(s for path in args.signals for s in read_signals(path))
        plan = replay_plan(
            loaded.settings,
            tuple(args.files),
            instruments,
            signals,
            tuple(args.strategy),
            args.bar_path,
        )
        for spec in plan.strategies:
            _try(spec, load)
    except (SettingsError, SignalFormatError, FormatError, StrategyLoadError) as error:
        raise Failure(str(error), USAGE) from None
    return plan


def _try(spec: StrategySpec, load: Callable[[StrategySpec], object]) -> None:
    """Load a strategy once before anything starts: a user's file may raise anything."""
    from engine.runtime.strategy_loading import StrategyLoadError

    try:
        load(spec)
    except StrategyLoadError:
        raise
    except Exception as error:  # noqa: BLE001
        raise Failure(f"{spec.kind}: {type(error).__name__}: {error}", USAGE) from None


async def _run(plan: ReplayPlan, args: argparse.Namespace) -> dict[str, Any]:
    from engine.bootstrap.replay import export_trades, replay_journal, run_replay
    from engine.ports.journal import JournalRefused
    from engine.store.lock import DirectoryHeld
    from engine.venues.refusals import FormatError

    try:
        async with AsyncExitStack() as stack:
            journal = None
            if args.data_dir is not None:
                journal = await replay_journal(stack, args.data_dir)
            result = await run_replay(plan, journal, speed=args.speed)
            if args.data_dir is not None:
                export_trades(args.data_dir)
            return result
    except FormatError as error:
        raise Failure(str(error), USAGE) from None
    except DirectoryHeld as error:
        raise Failure(str(error), HELD) from None
    except JournalRefused as error:
        raise Failure(str(error), STORE_REFUSED) from None


def _show(result: dict[str, Any]) -> None:
    columns = ("symbol", "side", "qty", "entry_time", "entry_price", "exit_time", "exit_price")
    table(result["trades"], (*columns, "exit_reason", "pnl"))
    if result["open_positions"]:
        say("")
        table(
            result["open_positions"],
            ("symbol", "side", "qty", "entry_time", "entry_price", "last_price", "pnl"),
        )
    if result["refused_signals"]:
        say("")
        table(result["refused_signals"], ("id", "symbol", "time", "reason"))
    for strategy in result["strategies"]:
        for note in strategy["notes"]:
            say(f"{note['time']}  {strategy['name']}  {note['text']}")
    for account in result["accounts"].values():
        say("")
        say(
            f"{account['currency']}: initial {account['initial']}, equity {account['equity']}, "
            f"realised {account['realised_pnl']}, unrealised {account['unrealised_pnl']}, "
            f"fees {account['fees']}, {account['trades']} trades, {account['wins']} won"
        )
    for reason, count in result["quality"]["refused"].items():
        say(f"refused rows: {count} x {reason}, first {result['quality']['examples'][reason]}")
    for line in result["quality"]["inferred_instruments"]:
        say(line)
    sys.stdout.write(f"{result['ticks']} ticks in {result['elapsed_s']} s\n")
