"""A recorded day in the console: `holdfast run --replay FILE`, and `holdfast feed` to steer it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tui.cli.exits import USAGE, Failure

if TYPE_CHECKING:
    from engine.domain.command import ControlFeed
    from engine.domain.ids import CommandId

VERBS: Final = ("pause", "resume", "step", "seek", "speed")


def sets_of(args: argparse.Namespace) -> list[str]:
    """Return the settings that `--replay` and its companions stand for."""
    if not args.replay:
        if args.instruments or args.strategy or args.speed is not None:
            raise Failure("--instruments, --strategy and --speed go with --replay FILE", USAGE)
        return []
    sets = ["feed=replay", f"replay.files={_paths(args.replay)}"]
    if args.instruments:
        sets.append(f"replay.instruments={_paths(args.instruments)}")
    if args.speed is not None:
        sets.append(f"replay.speed={'none' if args.speed == 'max' else args.speed}")
    return [*sets, *(f"strategies.{name}.enabled=true" for name in args.strategy)]


def _paths(paths: list[str]) -> str:
    from pathlib import Path

    return json.dumps([str(Path(path).expanduser().absolute()) for path in paths])


def control(args: argparse.Namespace, id_: CommandId, by: str) -> ControlFeed:
    """Return the command that `holdfast feed VERB [VALUE]` stands for."""
    from engine.domain.command import ControlFeed

    try:
        made = _MADE[args.verb](args.value)
    except (ValueError, ArithmeticError):
        raise Failure(
            f"feed {args.verb}: {args.value!r} was not {_ALLOWED[args.verb]}", USAGE
        ) from None
    if (args.value is None) != (args.verb in {"pause", "resume"}) and args.verb != "step":
        raise Failure(f"feed {args.verb} takes {_ALLOWED[args.verb]}", USAGE)
    return ControlFeed(id_, args.verb, by, **made)  # type: ignore[arg-type]


def _seek(value: str | None) -> dict[str, object]:
    from engine.runtime.signal_lines import instant_of

    at = instant_of(value)
    if at is None:
        raise ValueError
    return {"at": at}


def _speed(value: str | None) -> dict[str, object]:
    return {"speed": None if value == "max" else Decimal(value or "")}


def _step(value: str | None) -> dict[str, object]:
    return {"count": int(value or 1)}


_MADE: Final[dict[str, Callable[[str | None], dict[str, object]]]] = {
    "pause": lambda _: {},
    "resume": lambda _: {},
    "step": _step,
    "seek": _seek,
    "speed": _speed,
}
_ALLOWED: Final = {
    "pause": "no value",
    "resume": "no value",
    "step": "a number of items (or nothing: one)",
    "seek": "a time, e.g. 2026-01-30T11:00:00+05:30",
    "speed": "recorded seconds per second, or max",
}
