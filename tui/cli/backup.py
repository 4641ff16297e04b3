"""`holdfast backup` and `holdfast restore`: copies of the store, verified, and their return."""

from __future__ import annotations

import argparse
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from tui.cli.exits import DONE, FAILED, HELD, NEEDS_DECISION, NOT_RUNNING, STORE_REFUSED, Failure
from tui.cli.output import as_json, say
from tui.cli.places import data_dir_of, database

if TYPE_CHECKING:
    from engine.store.backup import Backup, Rehearsal


def command(args: argparse.Namespace) -> int:
    """Make a backup, or restore one."""
    from engine.ports.journal import JournalRefused
    from engine.store.lock import DirectoryHeld

    try:
        return _back_up(args) if args.act == "backup" else _restore(args)
    except DirectoryHeld as error:
        raise Failure(f"{error}; a restore needs it stopped", HELD) from None
    except JournalRefused as error:
        raise Failure(str(error), STORE_REFUSED) from None
    except (OSError, sqlite3.Error) as error:
        raise Failure(f"no backup: {error}", FAILED) from None


def _back_up(args: argparse.Namespace) -> int:
    from engine.runtime.clock import SystemClock
    from engine.store import backup

    data_dir = data_dir_of(args.data_dir)
    if not database(data_dir).exists():
        raise Failure(f"there is no store in {data_dir}", NOT_RUNNING)
    made = backup.make(database(data_dir), data_dir / "backups", SystemClock().now(), args.keep)
    if args.json:
        as_json(_row(made))
    else:
        say(f"{made.path}: entry {made.head.seq}, {len(made.state.positions)} open, verified")
    return DONE


def _restore(args: argparse.Namespace) -> int:
    from engine.runtime.clock import SystemClock
    from engine.store import backup

    data_dir = data_dir_of(args.data_dir)
    path = _chosen(args.file, data_dir)
    plan = backup.rehearse(path, database(data_dir))
    if args.yes:
        now = SystemClock().now()
        plan = backup.restore(path, database(data_dir), now, accept_loss=args.accept_loss)
    if args.json:
        as_json({**_row(plan.backup), "lost_entries": plan.lost, "restored": args.yes})
    else:
        _tell(plan, data_dir, is_done=args.yes)
    return DONE if args.yes else NEEDS_DECISION


def _chosen(name: str, data_dir: Path) -> Path:
    from engine.store import backup

    if name != "latest":
        return Path(name).expanduser()
    found = backup.newest_good(data_dir / "backups")
    if found is None:
        raise Failure(f"no backup in {data_dir / 'backups'} is good", STORE_REFUSED)
    return found.path


def _tell(plan: Rehearsal, data_dir: Path, *, is_done: bool) -> None:
    state = plan.backup.state
    say(f"{plan.backup.path}: verified, up to entry {plan.backup.head.seq}")
    for position in state.positions.values():
        say(f"  open: {position.instrument} {position.side.standing} {position.qty:f}")
    if plan.lost:
        say(f"  {plan.lost} entries after it are not in it and would be lost (--accept-loss)")
    if is_done:
        say(f"restored into {data_dir}; what was there is under {data_dir / 'replaced'}")
    else:
        say("a rehearsal: nothing was changed; --yes restores it")


def _row(made: Backup) -> dict[str, object]:
    return {
        "path": str(made.path),
        "entry": made.head.seq,
        "open_positions": [str(p.instrument) for p in made.state.positions.values()],
    }
