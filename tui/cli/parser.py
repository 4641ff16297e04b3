"""Words to commands: argparse only, so that `--help` is quick."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from tui.cli.exits import EPILOG, FAILED, SIGNALLED, USAGE, Failure
from tui.cli.output import complain

SIGINT: Final = 2


def run(argv: Sequence[str]) -> int:
    """Parse `argv`, run the command and return its exit code."""
    _open_standard_files()
    words = list(argv)
    if not words or (words[0].startswith("-") and words[0] not in {"-h", "--help"}):
        words.insert(0, "run")
    parser = build()
    try:
        args = parser.parse_args(words)
        module = importlib.import_module(f"tui.cli.{args.module}")
        return int(module.command(args))
    except Failure as failure:
        complain(str(failure))
        return failure.code
    except KeyboardInterrupt:
        return SIGNALLED + SIGINT
    except BrokenPipeError:
        return DONE_QUIETLY
    except OSError as error:
        complain(str(error))
        return FAILED


DONE_QUIETLY: Final = 0
"""Whoever read our output has gone: nothing is wrong with the command."""


def _open_standard_files() -> None:
    """Put the null device where a standard file is closed: else a socket or a store takes it."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", closefd=False))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Failure(f"{message} (see `{self.prog} --help`)", USAGE)


def build() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = _Parser(
        prog="holdfast",
        description="Trades on paper and never loses a position. Without a command: `run`.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-V", "--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _running(commands)
    _reading(commands)
    _acting(commands)
    _repairing(commands)
    return parser


Commands = argparse._SubParsersAction  # noqa: SLF001  argparse names it no other way


def _add(commands: Commands[_Parser], name: str, module: str, text: str) -> argparse.ArgumentParser:
    made = commands.add_parser(name, help=text, description=text, epilog=EPILOG)
    made.set_defaults(module=module)
    made.add_argument("--data-dir", type=Path, metavar="DIR", help="default: XDG data directory")
    return made


def _settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="default: DIR/holdfast.toml")
    parser.add_argument(
        "--set",
        dest="sets",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        type=_setting,
        help="wins over everything",
    )


def _setting(text: str) -> str:
    """Return `text`; a secret is refused without being repeated."""
    key = text.partition("=")[0].strip()
    if key.partition(".")[0] == "secrets":
        raise argparse.ArgumentTypeError(
            "a secret may not be given here, where every user of the machine can read it: "
            "write it in holdfast.toml or in the environment"
        )
    return text


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _running(commands: Commands[_Parser]) -> None:
    run_ = _add(commands, "run", "run", "open the console on an engine, starting one if need be")
    _settings(run_)
    _console(run_)
    run_.add_argument("--headless", action="store_true", help="the engine alone, no console")
    run_.add_argument("--engine", choices=("process", "inline"), default="process")
    run_.add_argument(
        "--replay", action="append", default=[], metavar="FILE", help="a recorded day as the feed"
    )
    run_.add_argument("--instruments", action="append", default=[], metavar="FILE")
    run_.add_argument("--strategy", action="append", default=[], metavar="NAME")
    run_.add_argument("--speed", type=_pace, default=None, metavar="N|max", help="of --replay")
    attach = _add(commands, "attach", "run", "open a console on a running engine")
    _console(attach)
    attach.set_defaults(headless=False, engine="attach", config=None, sets=[])
    engine = commands.add_parser("engine")  # how `run` starts the engine; not for people
    engine.set_defaults(module="engine_process")
    engine.add_argument("--data-dir", type=Path, required=True)
    _settings(engine)
    replay = _add(commands, "replay", "replay", "run recorded files through the engine")
    _settings(replay)
    _json(replay)
    replay.add_argument("files", nargs="+", type=Path, metavar="FILE")
    replay.add_argument("--instruments", action="append", type=Path, default=[], metavar="FILE")
    replay.add_argument("--signals", action="append", type=Path, default=[], metavar="FILE")
    replay.add_argument("--strategy", action="append", default=[], metavar="NAME")
    replay.add_argument("--speed", type=_speed, default=None, metavar="N|max")
    replay.add_argument(
        "--bar-path", choices=("pessimistic", "ohlc", "olhc"), default="pessimistic"
    )


def _console(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--theme", help="dark, light, high-contrast, colour-blind, ansi-16 …")
    parser.add_argument("--read-only", action="store_true", help="look, send nothing")
    parser.add_argument("--mouse", action="store_true", default=None, help="also over SSH")
    parser.add_argument("--slow", action="store_true", help="few frames, for a slow link")


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0
    if not 0 < speed < float("inf"):
        raise argparse.ArgumentTypeError(f"was {text!r}, allowed: a number above 0, or max")
    return speed


def _count(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) <= 100_000):
        raise argparse.ArgumentTypeError(f"was {text!r}, allowed: 1 to 100000")
    return int(text)


def _pace(text: str) -> str:
    _speed(text)
    return text


def _reading(commands: Commands[_Parser]) -> None:
    for name, text in (
        ("status", "is an engine running, and how is it"),
        ("positions", "what is open"),
        ("trades", "what was closed"),
        ("sessions", "sessions so far"),
        ("strategies", "strategies and what they wait for"),
        ("health", "health and every lost point"),
    ):
        made = _add(commands, name, "queries", text)
        made.set_defaults(query=name)
        _json(made)
        if name == "trades":
            made.add_argument("--session", metavar="ID")
            made.add_argument("--limit", type=int, default=100)
    report = _add(commands, "report", "report", "what was done by hand, beside what rules do alone")
    report.add_argument("report", choices=("operator",))
    report.add_argument("--session", metavar="ID", help="of the intervention; default: all")
    _json(report)
    logs = _add(commands, "logs", "logs", "the engine's log")
    logs.add_argument("-f", "--follow", action="store_true", help="go on as it grows")
    logs.add_argument("-n", "--lines", type=int, default=50)
    _json(logs)
    for name, text in (
        ("config", "the configuration in force, and where each value came from"),
        ("doctor", "check configuration, store, terminal and clock"),
    ):
        made = _add(commands, name, name, text)
        _settings(made)
        _json(made)


def _repairing(commands: Commands[_Parser]) -> None:
    repair = _add(commands, "repair", "repair", "compare every table with the journal, row by row")
    repair.add_argument("--yes", action="store_true", help="rebuild the tables from the journal")
    _json(repair)
    backup = _add(commands, "backup", "backup", "copy the store, verified, while it is in use")
    backup.set_defaults(act="backup")
    backup.add_argument("--keep", type=int, default=24, metavar="N", help="newest ones to keep")
    _json(backup)
    restore = _add(commands, "restore", "backup", "rehearse the return of a backup; --yes does it")
    restore.set_defaults(act="restore")
    restore.add_argument("file", metavar="FILE|latest")
    restore.add_argument("--yes", action="store_true", help="restore it, with no engine running")
    restore.add_argument("--accept-loss", action="store_true", help="give up newer entries")
    _json(restore)
    reset = "put back a terminal that a killed console left behind"
    _add(commands, "reset-terminal", "reset_terminal", reset)
    drill = _add(commands, "drill", "drill", "kill an engine on a copy of the store; prove no loss")
    drill.add_argument("--kills", type=_count, default=12, metavar="N")
    drill.add_argument("--seed", type=int, default=1)
    _json(drill)


def _acting(commands: Commands[_Parser]) -> None:
    close = _act(commands, "close", "close a position, or part of it, at market")
    close.add_argument("position", metavar="ID", help="its id, or its symbol if only one is open")
    close.add_argument("--qty", help="default: all of it")
    close.add_argument("--note", default="")
    stop_price = _act(commands, "stop-price", "set the absolute stop of a position")
    stop_price.add_argument("position", metavar="ID")
    stop_price.add_argument("price", metavar="PRICE")
    flatten = _act(commands, "flatten", "block entries, cancel orders, close everything")
    flatten.add_argument("--reason", default="flatten from the command line")
    lift = _act(commands, "lift", "allow entries again after a flatten")
    lift.add_argument("--reason", required=True)
    pause = _act(commands, "pause", "stop new entries, or pause one strategy")
    pause.add_argument("strategy", nargs="?")
    resume = _act(commands, "resume", "allow new entries, or resume one strategy")
    resume.add_argument("strategy", nargs="?")
    reconcile = _act(commands, "reconcile", "compare engine, database and venue now")
    decide = _act(commands, "decide", "what waits for a decision; ID CHOICE takes one")
    decide.add_argument("decision", nargs="?", metavar="ID", help="its id, or its symbol")
    decide.add_argument("choice", nargs="?", metavar="CHOICE", help="one of those it offers")
    decide.add_argument("--note", default="", help="why; kept in the journal")
    for made in (reconcile, decide):
        made.set_defaults(module="deciding")
    feed = _act(commands, "feed", "pause, resume, step, seek or pace a recorded feed")
    feed.add_argument("verb", choices=("pause", "resume", "step", "seek", "speed"))
    feed.add_argument("value", nargs="?", help="step: how many; seek: a time; speed: N or max")
    signal = _act(commands, "signal", "send signals, JSON lines on standard input")
    signal.add_argument("file", nargs="?", type=Path)
    stop = _add(commands, "stop", "stopping", "end the running engine in order")
    _json(stop)


def _act(commands: Commands[_Parser], name: str, text: str) -> argparse.ArgumentParser:
    made = _add(commands, name, "acting", text)
    made.set_defaults(act=name)
    _json(made)
    return made
