"""`report operator`: what each intervention by hand earned or cost, beside its rules (E-28).

The store knows every intervention; a running engine knows what is still open at the newest price.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from engine.domain.money import plain
from tui.cli.exits import DONE
from tui.cli.output import as_json, say, table
from tui.cli.places import data_dir_of
from tui.cli.queries import live, stored

if TYPE_CHECKING:
    from engine.link.protocol import Welcome

Row = dict[str, Any]
_LIVE: Final = ("operator_pnl", "strategy_pnl", "difference", "last_price", "last_price_at")
"""What a running engine knows better than the store: figures at the newest price."""
_COLUMNS: Final = ("done_at", "symbol", "done", "qty", "operator_pnl", "operator", "strategy_pnl")
_ALSO: Final = ("strategy", "strategy_exit", "difference", "currency", "by", "note")


def command(args: argparse.Namespace) -> int:
    """Print the report."""
    data_dir = data_dir_of(args.data_dir)
    welcome = live(data_dir)
    with stored(data_dir) as reader:
        rows: list[Row] = list(reader.interventions(args.session)) if reader is not None else []
    if welcome is not None:
        _bring_up_to_date(rows, welcome)
    if args.json:
        as_json({"interventions": rows, "totals": totals(rows)})
    else:
        _show(rows)
    return DONE


def _bring_up_to_date(rows: list[Row], welcome: Welcome) -> None:
    from engine.runtime.outcome import shadow_data

    market = {quote.instrument: quote for quote in welcome.quotes}
    shadows = welcome.state.shadows.values()
    now = {str(s.id): shadow_data(welcome.state, market, s) for s in shadows}
    for row in rows:
        known = now.get(str(row["shadow_id"]))
        if known is not None:
            row.update({name: known[name] for name in _LIVE})


def totals(rows: Iterable[Row]) -> dict[str, Row]:
    """Return by currency what the final differences add up to; each quantity counts once.

    What follows an earlier change of the same position's stop is part of that one's figures.
    """
    sums: dict[str, Row] = {}
    for row in rows:
        of = sums.setdefault(
            str(row["currency"]),
            {"operator_pnl": Decimal(0), "strategy_pnl": Decimal(0), "difference": Decimal(0)}
            | {"final": 0, "open": 0, "unknown": 0, "part_of_another": 0},
        )
        kind = _standing(row)
        of[kind] += 1
        if kind == "final":
            for name in ("operator_pnl", "strategy_pnl", "difference"):
                of[name] += Decimal(row[name])
    for of in sums.values():
        of |= {name: plain(v) for name, v in of.items() if isinstance(v, Decimal)}
    return sums


def _standing(row: Row) -> str:
    if row["follows"] is not None:
        return "part_of_another"
    if row["strategy_status"] == "unknown":
        return "unknown"
    is_open = "open" in {row["strategy_status"], row["operator_status"]}
    return "open" if is_open else "final"


def _show(rows: list[Row]) -> None:
    table([_told(row) for row in rows], (*_COLUMNS, *_ALSO))
    for row in rows:
        if row["why"]:
            say(f"{row['symbol']} {row['done_at'][:19]}: strategy P&L unknown, {row['why']}")
        if row["gaps"]:
            times = "once" if row["gaps"] == 1 else f"{row['gaps']} times"
            away = f"the engine was away or its feed down {times} meanwhile"
            say(f"{row['symbol']} {row['done_at'][:19]}: {away}")
    for currency, of in totals(rows).items():
        say(
            f"{currency}: operator {of['operator_pnl']}, strategy {of['strategy_pnl']}, "
            f"difference {of['difference']} over {of['final']} final; {of['open']} open, "
            f"{of['unknown']} unknown, {of['part_of_another']} part of another; before fees"
        )


def _told(row: Row) -> Row:
    exit_ = row["exit_reason"]
    at = f" at {row['strategy_price']}" if row["strategy_price"] is not None else ""
    return {
        **row,
        "done_at": str(row["done_at"])[:19],
        "done": row["deed"],
        "operator": row["operator_status"],
        "strategy": row["strategy_status"],
        "strategy_exit": None if exit_ is None else f"{exit_}{at}",
        "by": row["done_by"],
    }
