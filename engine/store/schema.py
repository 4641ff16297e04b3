"""The tables. Amounts are exact: a REAL where its digits are the decimal's, else decimal TEXT.

So `ORDER BY pnl` and `pnl > 0` mean what a person expects; at most 15 digits go through a REAL
unchanged (see `engine.store.amounts`), and what has more stays TEXT, which sorts last. In the
views `trades` and `equity` the plain name (`pnl`) is always a REAL, and `pnl_exact` beside it is
the text. Times are ISO-8601 UTC with nine decimals: text order is time order, and
sqlite's date functions read them. `events` is the truth; every other table can be rebuilt from it
(`position_checkpoints` only saves time).
"""

from __future__ import annotations

from typing import Final

from engine.store import schema_shadows

APPLICATION_ID: Final = 0x484F4C44
"""`HOLD`: another program's database is refused."""
SCHEMA_VERSION: Final = 4
"""`PRAGMA user_version`."""


AMOUNTS: Final[set[str]] = set()
"""Names of the columns that hold amounts."""


def _amount(name: str, *, required: bool = False) -> str:
    """Return a column for a decimal: ANY, because STRICT tables know no NUMERIC."""
    AMOUNTS.add(name)
    return (
        f"{name} ANY {'NOT NULL ' if required else ''}"
        f"CHECK (typeof({name}) <> 'blob' AND {name} NOT GLOB '*[^0-9.e-]*' AND {name} <> '')"
    )


def _text(name: str) -> str:
    """Return the decimal text of an amount, as `name_exact`."""
    return (
        f"CASE typeof({name}) WHEN 'real' THEN printf('%.15g', {name}) ELSE {name} END "
        f"AS {name}_exact"
    )


STORE: Final = """
CREATE TABLE store (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    mode       TEXT NOT NULL,
    venue      TEXT NOT NULL,
    account    TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT
"""

EVENTS: Final = """
CREATE TABLE events (
    seq        INTEGER PRIMARY KEY,
    at         TEXT    NOT NULL,
    at_ns      INTEGER NOT NULL,
    session_id TEXT    NOT NULL,
    type       TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    payload    TEXT    NOT NULL,
    cause      TEXT    NOT NULL,
    hash       BLOB    NOT NULL
) STRICT
"""

SESSIONS: Final = f"""
CREATE TABLE trading_sessions (
    session_id TEXT PRIMARY KEY,
    start_time TEXT NOT NULL,
    end_time TEXT,
    status TEXT NOT NULL CHECK (status IN ('active', 'completed', 'crashed')),
    mode TEXT NOT NULL,
    venue TEXT NOT NULL,
    feed TEXT NOT NULL,
    symbols TEXT,
    duration_minutes REAL,
    scan_interval_seconds INTEGER,
    currency TEXT,
    {_amount("initial_portfolio_value")},
    {_amount("final_portfolio_value")},
    {_amount("pnl")},
    {_amount("pnl_pct")},
    {_amount("fees")},
    total_trades INTEGER NOT NULL,
    winning_trades INTEGER NOT NULL,
    accounts TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT
"""

POSITIONS: Final = f"""
CREATE TABLE positions (
    position_id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES trading_sessions (session_id),
    symbol TEXT NOT NULL,
    strategy TEXT,
    direction TEXT NOT NULL CHECK (direction IN ('long', 'short')),
    side TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
    option_right TEXT CHECK (option_right IN ('CALL', 'PUT')),
    {_amount("qty", required=True)},
    entry_time TEXT NOT NULL,
    exit_time TEXT,
    {_amount("entry_price", required=True)},
    {_amount("exit_price")},
    {_amount("stop_loss")},
    {_amount("take_profit")},
    order_id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'closed')),
    exit_reason TEXT,
    exit_rule TEXT,
    {_amount("exit_level")},
    also_fired TEXT,
    exit_note TEXT,
    {_amount("pnl")},
    {_amount("gross_pnl")},
    {_amount("pnl_pct")},
    {_amount("fees", required=True)},
    currency TEXT NOT NULL,
    {_amount("cost")},
    {_amount("oi_at_entry")},
    duration_minutes REAL,
    closed_seq INTEGER,
    updated_at TEXT NOT NULL
) STRICT
"""

ORDERS: Final = f"""
CREATE TABLE orders (
    order_id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES trading_sessions (session_id),
    position_id TEXT NOT NULL,
    symbol TEXT NOT NULL,
    strategy TEXT,
    purpose TEXT NOT NULL CHECK (purpose IN ('entry', 'exit')),
    side TEXT NOT NULL,
    type TEXT NOT NULL,
    {_amount("qty", required=True)},
    {_amount("price")},
    status TEXT NOT NULL,
    {_amount("filled", required=True)},
    venue_order_id TEXT,
    cancel_requested INTEGER NOT NULL,
    exit_reason TEXT,
    why TEXT,
    requested_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT
"""

FILLS: Final = f"""
CREATE TABLE fills (
    order_id TEXT NOT NULL REFERENCES orders (order_id),
    fill_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    position_id TEXT NOT NULL,
    symbol TEXT NOT NULL,
    side TEXT NOT NULL,
    {_amount("qty", required=True)},
    {_amount("price", required=True)},
    {_amount("fee", required=True)},
    fee_currency TEXT NOT NULL,
    at TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (order_id, fill_id)
) STRICT
"""

STRATEGIES: Final = """
CREATE TABLE strategies (
    name TEXT PRIMARY KEY,
    session_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    instrument TEXT,
    status TEXT NOT NULL,
    since TEXT NOT NULL,
    waits_for TEXT NOT NULL,
    config TEXT NOT NULL,
    state TEXT NOT NULL,
    failure TEXT NOT NULL,
    signals INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    last_refusal TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT
"""

CHECKPOINTS: Final = """
CREATE TABLE position_checkpoints (
    id INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL,
    checkpoint_time TEXT NOT NULL,
    positions_snapshot TEXT,
    account_snapshot TEXT NOT NULL,
    active_positions_count INTEGER NOT NULL,
    closed_trades_count INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    state TEXT,
    state_digest BLOB NOT NULL
) STRICT
"""

INDEXES: Final = (
    "CREATE INDEX positions_open ON positions (position_id) WHERE status = 'active'",
    "CREATE INDEX positions_closed ON positions (closed_seq) WHERE status = 'closed'",
)

TRADES_VIEW: Final = f"""
CREATE VIEW trades AS SELECT
    position_id AS trade_id, session_id, symbol, strategy, direction, side, option_right,
    CAST(qty AS REAL) AS qty, {_text("qty")},
    entry_time, CAST(entry_price AS REAL) AS entry_price, {_text("entry_price")},
    exit_time, CAST(exit_price AS REAL) AS exit_price, {_text("exit_price")},
    exit_reason, exit_rule, CAST(exit_level AS REAL) AS exit_level, also_fired, exit_note,
    CAST(pnl AS REAL) AS pnl, {_text("pnl")},
    CAST(gross_pnl AS REAL) AS gross_pnl, {_text("gross_pnl")},
    CAST(pnl_pct AS REAL) AS pnl_pct, CAST(fees AS REAL) AS fees, {_text("fees")},
    currency, stop_loss, take_profit, duration_minutes, closed_seq
FROM positions WHERE status = 'closed'
"""  # noqa: S608 -- constants

EQUITY_VIEW: Final = """
CREATE VIEW equity AS SELECT
    t.session_id, t.exit_time AS at, t.currency, t.trade_id, t.symbol, t.pnl, t.pnl_exact,
    sum(t.pnl) OVER closings AS cumulative_pnl,
    CASE WHEN s.currency = t.currency
        THEN CAST(s.initial_portfolio_value AS REAL) + sum(t.pnl) OVER closings END AS equity,
    t.closed_seq AS seq
FROM trades AS t JOIN trading_sessions AS s USING (session_id)
WINDOW closings AS (PARTITION BY t.session_id, t.currency ORDER BY t.closed_seq)
"""

DECISIONS: Final = f"""
CREATE TABLE decisions (
    decision_id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL,
    matter TEXT NOT NULL,
    subject TEXT NOT NULL,
    symbol TEXT,
    position_id TEXT,
    text TEXT NOT NULL,
    choices TEXT NOT NULL,
    proposal TEXT NOT NULL,
    {_amount("qty_here", required=True)},
    {_amount("qty_venue", required=True)},
    asked_at TEXT NOT NULL,
    due_at TEXT,
    status TEXT NOT NULL CHECK (status IN ('pending', 'taken', 'withdrawn')),
    ended_at TEXT,
    choice TEXT,
    decided_by TEXT,
    why TEXT
) STRICT
"""

VIEWS: Final = (TRADES_VIEW, EQUITY_VIEW)

SHADOWS: Final = schema_shadows.shadows(_amount)
OPERATOR_REPORT_VIEW: Final = schema_shadows.report(_text)
"""Rebuilt from `events` at will; parents before children."""

TABLES: Final = (
    STORE,
    EVENTS,
    SESSIONS,
    STRATEGIES,
    ORDERS,
    FILLS,
    POSITIONS,
    CHECKPOINTS,
    SHADOWS,
    DECISIONS,
    *INDEXES,
    *VIEWS,
    OPERATOR_REPORT_VIEW,
)
"""Statements that make an empty database one of version SCHEMA_VERSION."""
