"""Checkpoints (E-54): they bound the time of a recovery and are never needed for correctness.

A checkpoint is believed only if its digest holds, it decodes, and the journal still has, at its
sequence, the row it was made after. Recovery is the newest such checkpoint plus the tail.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import msgspec

from engine.domain.errors import DomainError
from engine.domain.evolve import evolve
from engine.domain.ids import Nanos, Seq
from engine.domain.state import State
from engine.ports.journal import JournalRefused, NotWritten
from engine.store.chain import Head
from engine.store.codec import CodecError, decode_state, encode_state
from engine.store.rows import entry_of
from engine.store.tables import equity
from engine.store.times import iso

STATES_KEPT: Final = 3
"""Newest checkpoints that keep the whole state, in case the very newest is damaged. The last one
of every session keeps it for good: from there the next session's past is soon told (C-15)."""
SNAPSHOTS_KEPT: Final = 100
"""Newest checkpoints that keep their positions; older ones keep the account and the counts."""

_NEWEST: Final = """
SELECT c.seq, c.hash, c.state, c.state_digest FROM position_checkpoints AS c
JOIN events AS e ON e.seq = c.seq AND e.hash = c.hash
WHERE c.state IS NOT NULL ORDER BY c.id DESC LIMIT ?
"""
_TAIL: Final = """
SELECT seq, at_ns, type, version, payload FROM events WHERE seq > ? ORDER BY seq
"""
_NEXT_IS_ANOTHERS: Final = """
AND NOT EXISTS (SELECT 1 FROM position_checkpoints AS n
                WHERE n.id = c.id + 1 AND n.session_id <> c.session_id)
"""
_INSERT: Final = """
INSERT INTO position_checkpoints (session_id, checkpoint_time, positions_snapshot,
    account_snapshot, active_positions_count, closed_trades_count, seq, hash, state, state_digest)
SELECT ?, ?, ?, ?, ?, ?, seq, hash, ?, ? FROM events WHERE seq = ?
"""


@dataclass(frozen=True, slots=True)
class Recovered:
    """The state that a journal leads to, and how it was reached."""

    state: State
    from_checkpoint: Seq
    """0: no checkpoint was usable, or there is none."""
    folded: int
    """Entries folded after the checkpoint."""
    base: State
    """The checkpoint's own state; the empty one if there is none."""


def recover(db: sqlite3.Connection) -> Recovered:
    """Return the state after the last entry. Raises JournalRefused if an entry makes no sense."""
    state = State()
    for _, _, body, digest in db.execute(_NEWEST, (STATES_KEPT,)):
        if sha256(body.encode()).digest() != digest:
            continue
        try:
            state = decode_state(body)
        except CodecError:  # of another version, most likely: the journal itself says it all
            continue
        break
    base, start = state, state.seq
    seq: int = start
    try:
        for row in db.execute(_TAIL, (start,)):
            seq = row[0]
            state = evolve(state, entry_of(*row))
    except (CodecError, DomainError, LookupError) as error:
        raise JournalRefused(f"entry {seq} cannot be replayed: {error}") from error
    return Recovered(state, start, state.seq - start, base)


def newest_head(db: sqlite3.Connection) -> Head | None:
    """Return the journal position of the newest usable checkpoint."""
    for seq, last, body, digest in db.execute(_NEWEST, (STATES_KEPT,)):
        if sha256(body.encode()).digest() == digest:
            return Head(Seq(seq), last)
    return None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint, encoded and ready to be written."""

    seq: Seq
    values: tuple[str | int | bytes, ...]

    def write(self, db: sqlite3.Connection) -> None:
        """Insert it and thin out older ones; the caller holds the transaction.

        Raises NotWritten if the journal does not hold (yet) the entry it was made after.
        """
        if db.execute(_INSERT, (*self.values, self.seq)).rowcount != 1:
            raise NotWritten(f"checkpoint: entry {self.seq} is not durable")
        for column, kept, unless in (
            ("state", STATES_KEPT, _NEXT_IS_ANOTHERS),
            ("positions_snapshot", SNAPSHOTS_KEPT, ""),
        ):
            db.execute(
                f"UPDATE position_checkpoints AS c SET {column} = NULL "  # noqa: S608 -- constants
                f"WHERE {column} IS NOT NULL {unless} "
                "AND id <= (SELECT max(id) FROM position_checkpoints) - ?",
                (kept,),
            )


def checkpoint_of(state: State, at: Nanos) -> Checkpoint:
    """Return the checkpoint of `state`, made at `at`."""
    encoder = msgspec.json.Encoder()
    body = encode_state(state)
    closed = sum(account.trades for account in state.accounts.values())
    account = {
        "accounts": json.loads(encoder.encode(tuple(state.accounts.values()))),
        "equity": {c: f"{equity(state, a):f}" for c, a in state.accounts.items()},
    }
    values = (
        state.session.id if state.session else "",
        iso(at),
        encoder.encode(tuple(state.positions.values())).decode(),
        json.dumps(account),
        len(state.positions),
        closed,
        body.decode(),
        sha256(body).digest(),
    )
    return Checkpoint(state.seq, values)
