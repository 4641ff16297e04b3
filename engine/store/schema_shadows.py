"""What a person did to positions, beside what their rules would have done (E-28): table and view.

`SELECT * FROM operator_report` is the report: a row per intervention. `operator_status` and
`strategy_status` say how good a figure is: `final`, `open` (at `last_price`), or `unknown` (NULL,
and `why` says why). Rows with `follows` are part of an earlier one: never add up both.
"""

from __future__ import annotations

from collections.abc import Callable


def shadows(amount: Callable[..., str]) -> str:
    """Return the statement that makes the table; `amount` returns a column for a decimal."""
    return f"""
CREATE TABLE shadows (
    shadow_id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL,
    position_id TEXT NOT NULL,
    symbol TEXT NOT NULL,
    strategy TEXT,
    direction TEXT NOT NULL CHECK (direction IN ('long', 'short')),
    deed TEXT NOT NULL CHECK (deed IN ('closed', 'trimmed', 'restopped', 'flattened')),
    done_by TEXT NOT NULL, done_at TEXT NOT NULL,
    note TEXT NOT NULL,
    {amount("qty", required=True)},
    {amount("entry_price", required=True)},
    {amount("stop_loss")},
    {amount("take_profit")},
    {amount("new_stop_loss")},
    {amount("new_take_profit")},
    {amount("operator_price")},
    {amount("operator_pnl")},
    operator_status TEXT NOT NULL CHECK (operator_status IN ('open', 'final')),
    {amount("strategy_price")},
    {amount("strategy_pnl")},
    strategy_status TEXT NOT NULL CHECK (strategy_status IN ('open', 'final', 'unknown')),
    {amount("difference")},
    ended_at TEXT,
    exit_reason TEXT,
    exit_rule TEXT,
    {amount("exit_level")},
    why TEXT NOT NULL,
    {amount("last_price")},
    last_price_at TEXT,
    gaps INTEGER NOT NULL,
    follows TEXT,
    currency TEXT NOT NULL,
    seq INTEGER NOT NULL,
    updated_at TEXT NOT NULL
) STRICT
"""


def report(text: Callable[[str], str]) -> str:
    """Return the statement that makes the view; `text` returns a column's exact text."""
    return f"""
CREATE VIEW operator_report AS SELECT
    shadow_id, session_id, done_at, done_by, deed, note, symbol, direction,
    CAST(qty AS REAL) AS qty, CAST(entry_price AS REAL) AS entry_price,
    CAST(operator_price AS REAL) AS operator_price,
    CAST(operator_pnl AS REAL) AS operator_pnl, {text("operator_pnl")}, operator_status,
    exit_reason AS strategy_reason, CAST(strategy_price AS REAL) AS strategy_price,
    CAST(strategy_pnl AS REAL) AS strategy_pnl, {text("strategy_pnl")}, strategy_status,
    CAST(difference AS REAL) AS difference, {text("difference")},
    currency, why, CAST(last_price AS REAL) AS last_price, last_price_at, gaps, follows, seq
FROM shadows
"""  # noqa: S608 -- constants
