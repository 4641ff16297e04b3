"""`status`, `positions`, `trades`, `sessions`, `strategies`, `health`: what is, and what was.

A running engine answers for the present, its store for the past; without an engine the store
answers everything it can.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tui.cli.exits import DONE, NOT_RUNNING, STORE_REFUSED, Failure
from tui.cli.output import as_json, complain, say, table
from tui.cli.places import data_dir_of, database

if TYPE_CHECKING:
    from engine.link.protocol import Welcome
    from engine.store.reader import StoreReader

Row = dict[str, Any]


def command(args: argparse.Namespace) -> int:
    """Answer one question about a data directory."""
    return ANSWERS[args.query](args, data_dir_of(args.data_dir))


def live(data_dir: Path) -> Welcome | None:
    """Return the running engine's snapshot; None: no engine is running. Raises Failure."""
    from engine.store.lock import holder

    if holder(data_dir) is None:
        return None
    import asyncio

    return asyncio.run(_look(data_dir))


async def _look(data_dir: Path) -> Welcome:
    from engine.link.address import socket_path
    from engine.link.visit import visiting

    try:
        async with visiting(socket_path(data_dir), is_read_only=True) as visit:
            return visit.welcome
    except ConnectionError as error:
        raise Failure(f"an engine holds {data_dir} and does not answer: {error}") from None


@contextmanager
def stored(data_dir: Path) -> Iterator[StoreReader | None]:
    """Yield a reader of the store; None: nothing was ever stored. Raises Failure."""
    from engine.ports.journal import JournalRefused
    from engine.store.reader import StoreReader

    if not database(data_dir).exists():
        yield None
        return
    try:
        with StoreReader.open(database(data_dir)) as reader:
            _tell_missing(database(data_dir), reader)
            yield reader
    except JournalRefused as error:
        raise Failure(str(error), STORE_REFUSED) from None


def _tell_missing(path: Path, reader: StoreReader) -> None:
    """Say on standard error how much an emergency file has that the store's figures have not."""
    if not path.with_suffix(".spill").exists():
        return
    from engine.store.spill import Spill

    newest = reader.events(limit=1)
    head = int(str(newest[0]["seq"])) if newest else 0
    missing = sum(entry.seq > head for entry in Spill(path).read())
    if missing:
        complain(
            f"{missing} entries of an emergency file are NOT in what the store says: positions may "
            "be smaller, or closed. A running engine takes them over once the store is well"
        )


def status(args: argparse.Namespace, data_dir: Path) -> int:
    """Print whether an engine runs, and how it is."""
    welcome = live(data_dir)
    if welcome is None:
        return _status_stored(args, data_dir)
    from tui.cli.rows import status_row

    row = status_row(welcome)
    if args.json:
        as_json(row)
    else:
        for key, value in row.items():
            if not isinstance(value, dict | list):
                say(f"{key.replace('_', ' '):<18}{'-' if value in (None, '') else value}")
        table(row["accounts"], ("currency", "equity", "cash", "realised_pnl", "unrealised_pnl"))
    return DONE


def _status_stored(args: argparse.Namespace, data_dir: Path) -> int:
    with stored(data_dir) as reader:
        sessions = reader.sessions(1) if reader is not None else []
        open_ = len(reader.positions()) if reader is not None else 0
    row: Row = {
        "running": False,
        "data_dir": str(data_dir),
        "open_positions": open_,
        "last_session": sessions[0] if sessions else None,
    }
    if args.json:
        as_json(row)
        return NOT_RUNNING
    watched = f"; {open_} open positions that NOTHING watches" if open_ else ""
    say(f"no engine is running on {data_dir}{watched}")
    return NOT_RUNNING


def positions(args: argparse.Namespace, data_dir: Path) -> int:
    """Print what is open: at live prices, or as the store has it."""
    welcome = live(data_dir)
    if welcome is None:
        with stored(data_dir) as reader:
            rows: list[Row] = [dict(r) for r in reader.positions()] if reader is not None else []
        columns: tuple[str, ...] = ("position_id", "symbol", "direction", "qty", "entry_time")
        columns = (*columns, "entry_price")
    else:
        from tui.cli.rows import position_rows

        rows = position_rows(welcome)
        columns = ("id", "symbol", "side", "qty", "entry_price", "last_price")
        columns = (*columns, "pnl", "stop_level", "stop_rule", "closing")
    return _show(args, rows, columns)


def trades(args: argparse.Namespace, data_dir: Path) -> int:
    """Print what was closed."""
    with stored(data_dir) as reader:
        found = reader.trades(args.session, args.limit) if reader is not None else []
    columns = ("id", "symbol", "direction", "qty", "entry_price", "exit_time", "exit_price")
    return _show(args, [dict(r) for r in found], (*columns, "exit_reason", "pnl", "fees"))


def sessions(args: argparse.Namespace, data_dir: Path) -> int:
    """Print the sessions, newest first."""
    with stored(data_dir) as reader:
        found = reader.sessions() if reader is not None else []
        proofs = {p.session: str(p) for p in reader.balance()} if reader is not None else {}
    columns = ("session_id", "mode", "venue", "start_time", "end_time", "status", "balance")
    rows: list[Row] = [{**r, "balance": proofs.get(str(r["session_id"]), "")} for r in found]
    return _show(args, rows, columns)


def strategies(args: argparse.Namespace, data_dir: Path) -> int:
    """Print the strategies and what each waits for."""
    welcome = live(data_dir)
    if welcome is None:
        with stored(data_dir) as reader:
            rows: list[Row] = [dict(r) for r in reader.strategies()] if reader is not None else []
        return _show(args, rows, ("name", "kind", "state", "waits_for", "signals", "refused"))
    from tui.cli.rows import strategy_rows

    columns = ("name", "kind", "state", "signals", "refused", "waits_for", "failure")
    return _show(args, strategy_rows(welcome), columns)


def health(args: argparse.Namespace, data_dir: Path) -> int:
    """Print the running engine's health, component by component, with every lost point."""
    welcome = live(data_dir)
    if welcome is None:
        raise Failure(f"no engine is running on {data_dir}", NOT_RUNNING)
    if welcome.health is None:
        raise Failure("the engine has not measured itself yet; ask again in a second")
    from tui.cli.rows import health_row

    row = health_row(welcome.health)
    if args.json:
        as_json(row)
        return DONE
    say(f"{row['score']} {row['level']}  {row['worst']}")
    table(row["components"], ("name", "score", "weight", "critical"))
    for part in row["components"]:
        for loss in part["losses"]:
            say(f"  -{loss['points']:g} {part['name']}: {loss['why']}")
    return DONE


def _show(args: argparse.Namespace, rows: list[Row], columns: tuple[str, ...]) -> int:
    if args.json:
        as_json(rows)
    else:
        table(rows, columns)
    return DONE


ANSWERS: Final[dict[str, Callable[[argparse.Namespace, Path], int]]] = {
    "status": status,
    "positions": positions,
    "trades": trades,
    "sessions": sessions,
    "strategies": strategies,
    "health": health,
}
