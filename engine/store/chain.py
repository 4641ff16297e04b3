"""The hash chain: each row of the journal carries the digest of everything up to it (E-55)."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple

from engine.domain.ids import Seq

COLUMNS: Final = "seq, at, at_ns, session_id, type, version, payload, cause, hash"


class Row(NamedTuple):
    """One row of `events`, as it is stored."""

    seq: int
    at: str
    at_ns: int
    session: str
    kind: str
    version: int
    payload: str
    cause: str
    hash: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a journal: its last sequence and that row's hash."""

    seq: Seq
    hash: bytes


def genesis(mode: str, venue: str, account: str, created_at: str) -> Head:
    """Return what the first row follows: the stamp, so that a changed stamp breaks the chain."""
    text = f"holdfast\0{mode}\0{venue}\0{account}\0{created_at}"
    return Head(Seq(0), sha256(text.encode()).digest())


def digest(previous: bytes, row: Row) -> bytes:
    """Return the hash that `row` must carry after a row with hash `previous`.

    Lengths go before texts, so that no two rows can look the same.
    """
    _, _, at_ns, session, kind, version, payload, cause, _ = row
    numbers = f"{row[0]} {at_ns} {version} "
    texts = f"{len(session)}:{session} {len(kind)}:{kind} {len(cause)}:{cause} {payload}"
    return sha256(previous + (numbers + texts).encode()).digest()
