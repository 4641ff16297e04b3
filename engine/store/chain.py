"""The hash chain: each row of the journal carries the digest of everything up to it (E-55)."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final, TypeAlias

from engine.domain.ids import Seq

COLUMNS: Final = "seq, at, at_ns, session_id, type, version, payload, cause, hash"


RowTuple: TypeAlias = tuple[int, str, int, str, str, int, str, str, bytes]
"""One row of `events`: COLUMNS, in that order. A plain tuple: they are made by the thousand."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a journal: its last sequence and that row's hash."""

    seq: Seq
    hash: bytes


def genesis(mode: str, venue: str, account: str, created_at: str) -> Head:
    """Return what the first row follows: the stamp, so that a changed stamp breaks the chain."""
    text = f"holdfast\0{mode}\0{venue}\0{account}\0{created_at}"
    return Head(Seq(0), sha256(text.encode()).digest())


def digest(
    previous: bytes,
    seq: int,
    at_ns: int,
    session: str,
    kind: str,
    version: int,
    payload: bytes,
    cause: str,
) -> bytes:
    """Return the hash of a row that follows one with hash `previous`.

    Lengths go before texts, so that no two rows can look the same.
    """
    start = f"{seq} {at_ns} {version} {len(session)} {session} {kind} {len(cause)} {cause} "
    return sha256(previous + start.encode() + payload).digest()
