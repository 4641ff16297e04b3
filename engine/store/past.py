"""What the store says of the past, as JSON that SQLite itself makes (C-15). Reads only.

An engine answers consoles from here while it trades. SQLite builds each answer in one step of its
own, so that the interpreter's lock is held for a copy and not for every row; whoever asked decodes.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from hashlib import sha256
from typing import Final

from engine.domain.ids import SECOND
from engine.ports.journal import JournalRefused
from engine.store.reader import StoreReader

SESSIONS_MAX: Final = 500
ENTRIES_MAX: Final = 250
"""Entries in one page: a console folds one without a key having to wait for it."""
PAGE_BYTES: Final = 512 * 1024
"""Payloads in one page; a single longer entry comes alone."""
REPORT_MAX: Final = 200
"""Newest entries about a session's crashes, decisions and end; its start is always told."""
_REPORTED: Final = (
    "'SessionStarted', 'SessionEnded', 'SessionCrashed', 'RecoveryDecided', 'Resumed', "
    "'GapJudged', 'RecoverySettled', 'DecisionAsked', 'DecisionTaken', "
    "'DecisionWithdrawn', 'OrderAdopted'"
)
CHECKPOINTS_MAX: Final = 200
BOOKS_MAX: Final = 2000
"""Positions in one page of what a proof of balance reads."""


def _nanos(column: str) -> str:
    whole = f"CAST(strftime('%s', substr({column}, 1, 19)) AS INTEGER) * {SECOND}"
    return f"CASE WHEN {column} IS NULL THEN NULL ELSE {whole} + substr({column}, 21, 9) END"


def _amount(column: str, absent: str = "NULL") -> str:
    """Return an amount as decimal text, however it is stored."""
    text = f"CASE typeof({column}) WHEN 'real' THEN printf('%.15g', {column})"
    return f"ifnull({text} ELSE CAST({column} AS TEXT) END, {absent})"


_SESSIONS: Final = f"""
SELECT json_object('total', (SELECT count(*) FROM trading_sessions), 'rows', json_group_array(
    json_object('id', session_id, 'started_at', started, 'ended_at', ended, 'status', status,
        'mode', mode, 'venue', venue, 'feed', feed, 'currency', currency,
        'opening', {_amount("initial_portfolio_value")},
        'closing', {_amount("final_portfolio_value")}, 'pnl', {_amount("pnl")},
        'pnl_pct', {_amount("pnl_pct")}, 'fees', {_amount("fees")},
        'trades', total_trades, 'wins', winning_trades)))
FROM (SELECT *, {_nanos("start_time")} AS started, {_nanos("end_time")} AS ended
      FROM trading_sessions ORDER BY rowid DESC LIMIT ?)
"""  # noqa: S608 -- constants
_SESSION: Final = f"""
SELECT json_object('session', ?1, 'first', ?2, 'last', ?3,
    'open', (SELECT count(*) FROM positions AS p
             WHERE (p.closed_seq IS NULL OR p.closed_seq > ?3) AND EXISTS (
                 SELECT 1 FROM fills AS f WHERE f.order_id = p.order_id AND f.seq <= ?3)),
    'report', (SELECT json_group_array(json_array(seq, at_ns, type, version, payload)) FROM (
        SELECT * FROM (SELECT * FROM events WHERE seq BETWEEN ?2 AND ?3 AND type IN ({_REPORTED})
            ORDER BY seq = ?2 DESC, seq DESC LIMIT {REPORT_MAX}) ORDER BY seq)),
    'checkpoints', (SELECT json_group_array(json_object('at', {_nanos("checkpoint_time")},
            'seq', seq, 'positions', active_positions_count, 'trades', closed_trades_count))
        FROM (SELECT * FROM position_checkpoints WHERE session_id = ?1
              ORDER BY id DESC LIMIT {CHECKPOINTS_MAX})))
"""  # noqa: S608 -- constants
_ENTRIES: Final = f"""
SELECT max(seq), json_group_array(json_array(seq, at_ns, type, version, payload)) FROM (
    SELECT *, sum(length(payload)) OVER (ORDER BY seq) AS size, row_number() OVER () AS n FROM (
        SELECT seq, at_ns, type, version, payload FROM events
        WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT {ENTRIES_MAX}))
WHERE size <= {PAGE_BYTES} OR n = 1
"""  # noqa: S608 -- constants
_BOOKS: Final = f"""
SELECT json_object('next', max(id), 'rows', json_group_array(json_object('position', position_id,
    'session', session_id, 'currency', currency, 'gross', {_amount("gross_pnl", "'0'")},
    'fees', {_amount("fees")},
    'pnl', CASE status WHEN 'closed' THEN {_amount("pnl", "'0'")} END,
    'cost', CASE status WHEN 'active' THEN {_amount("cost", "'0'")} END)))
FROM (SELECT rowid AS id, * FROM positions WHERE rowid > ?1
      AND (session_id = ?2 OR (status = 'active' AND ?3)) ORDER BY rowid LIMIT {BOOKS_MAX})
"""  # noqa: S608 -- constants
_ACCOUNTS: Final = f"""
SELECT json_group_array(json_object('session', session_id, 'accounts', json(accounts),
    'closing', CASE WHEN end_time IS NOT NULL THEN {_amount("final_portfolio_value", "'0'")} END,
    'is_carried', json(iif(mode <> 'replay', 'true', 'false'))))
FROM (SELECT * FROM trading_sessions WHERE rowid >= ? ORDER BY rowid LIMIT 2)
"""  # noqa: S608 -- constants
_BASES: Final = """
SELECT c.state, c.state_digest FROM position_checkpoints AS c
JOIN events AS e ON e.seq = c.seq AND e.hash = c.hash
WHERE c.state IS NOT NULL AND c.seq < ? ORDER BY c.seq DESC LIMIT 3
"""


class PastStore(StoreReader):
    """Answers as JSON text; `interrupt` may be called from another thread."""

    def interrupt(self) -> None:
        """End the question that is being answered; it raises JournalRefused."""
        with suppress(sqlite3.ProgrammingError):  # it was closed a moment ago
            self._db.interrupt()

    def told_sessions(self, limit: int) -> bytes:
        """Return the newest sessions first, and how many there are."""
        return self._text(_SESSIONS, max(1, min(limit, SESSIONS_MAX)))

    def told_session(self, session: str) -> bytes:
        """Return where a session lies in the journal, its crashes, decisions and checkpoints."""
        first, last = self._place(session)
        return self._text(_SESSION, session, first, last)

    def told_entries(self, after: int, until: int) -> tuple[int, bytes]:
        """Return the next entries up to `until` as rows, and the last of them (0: none)."""
        last, text = self._db.execute(_ENTRIES, (after, until)).fetchone()
        return last or 0, text.encode()

    def told_base(self, session: str) -> bytes:
        """Return the state of a usable checkpoint before a session began; empty: there is none."""
        first, _ = self._place(session)
        for body, made in self._db.execute(_BASES, (first,)):
            text: bytes = body.encode()
            if sha256(text).digest() == made:
                return text
        return b""

    def told_books(self, session: str, after: int) -> bytes:
        """Return what a proof of a session's balance reads, positions page by page.

        The newest session's is about everything open; an earlier one's about what followed it.
        """
        number = self._number(session)
        newest = self._db.execute("SELECT max(rowid) FROM trading_sessions").fetchone()[0]
        rows = self._text(_BOOKS, after, session, number == newest)
        sessions = self._text(_ACCOUNTS, number)
        return b'{"sessions":' + sessions + b',"positions":' + rows + b"}"

    def _text(self, query: str, *values: str | int) -> bytes:
        text: str = self._db.execute(query, values).fetchone()[0]
        return text.encode()

    def _number(self, session: str) -> int:
        found = self._db.execute(
            "SELECT rowid FROM trading_sessions WHERE session_id = ?", (session,)
        ).fetchone()
        if found is None:
            raise JournalRefused(f"there is no session {session}")
        number: int = found[0]
        return number

    def _place(self, session: str) -> tuple[int, int]:
        """Return a session's first and last entry. Sessions follow each other."""
        number = self._number(session)
        rows = self._db.execute("SELECT session_id, rowid FROM trading_sessions")
        order: dict[str, int] = dict(rows.fetchall())
        head: int = self._db.execute("SELECT ifnull(max(seq), 0) FROM events").fetchone()[0]
        first = self._first_from(number, order, head)
        return first, self._first_from(number + 1, order, head) - 1

    def _first_from(self, number: int, order: dict[str, int], head: int) -> int:
        """Return the first entry of session `number` or a later one: twenty looks for a million."""
        low, high = 1, head + 1
        while low < high:
            middle = (low + high) // 2
            found = self._db.execute("SELECT session_id FROM events WHERE seq = ?", (middle,))
            if order.get((found.fetchone() or ("",))[0], 0) >= number:
                high = middle
            else:
                low = middle + 1
        return low
