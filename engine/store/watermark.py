"""The watermark: last sequence and hash of the journal, in a small file beside the database.

A database that was truncated, emptied, swapped, or copied without its WAL opens as a valid,
shorter one; only a record outside of it can tell (E-55). Two slots are written in turn, each with
a counter and a checksum, so that a torn write leaves the other one valid.

What is promised: the slot is *written* before a commit is acknowledged, so no death of the process
leaves the watermark behind; it is *synced* right after the acknowledgement, before the next commit
may begin, so a power cut leaves it at most one commit behind. It is never ahead: it is written
after the commit is durable. Syncing before each acknowledgement would make every commit wait for
the disk twice (measured: 231 µs become 421), and buys one doubly unlikely case: the very last
commit before a power cut, damaged as well. Syncing on a thread of its own disturbs the commit.
"""

from __future__ import annotations

import os
import struct
from hashlib import sha256
from pathlib import Path
from typing import Final

from engine.domain.ids import Seq
from engine.store.chain import Head

_MAGIC: Final = b"HFWMARK1"
_BODY: Final = struct.Struct("<8sQQ32s")
_SLOT: Final = 4096
"""Slots lie on separate pages of the disk: one torn write cannot reach both."""


class WatermarkLost(Exception):
    """The file exists, and neither slot is valid."""


def beside(database: Path) -> Path:
    """Return where the watermark of `database` is kept."""
    return database.with_name(database.name + ".watermark")


def read(path: Path) -> Head | None:
    """Return the newest valid slot; None if the file does not exist. Raises WatermarkLost."""
    newest = _newest(path)
    return None if newest is None else newest[1]


def _newest(path: Path) -> tuple[int, Head] | None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    slots = [slot for i in (0, 1) if (slot := _slot(content[i * _SLOT :][: _BODY.size + 32]))]
    if not slots:
        raise WatermarkLost(f"{path}: no valid slot")
    return max(slots, key=lambda slot: slot[0])


def _slot(content: bytes) -> tuple[int, Head] | None:
    body, checksum = content[: _BODY.size], content[_BODY.size :]
    if len(checksum) != 32 or sha256(body).digest() != checksum:
        return None
    magic, counter, seq, last = _BODY.unpack(body)
    return (counter, Head(Seq(seq), last)) if magic == _MAGIC else None


class Watermark:
    """The open file; used by one thread."""

    def __init__(self, path: Path, head: Head) -> None:
        """Open or create the file at `path` and record `head`, synced. Raises OSError."""
        is_new = not path.exists()
        try:
            newest = _newest(path)
        except WatermarkLost:  # allowed by the caller for a store without entries only
            newest = None
        self._counter = newest[0] if newest else 0
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if is_new:
                os.pwrite(self._fd, bytes(2 * _SLOT), 0)  # later syncs move no metadata
            self.write(head)
            os.fsync(self._fd)
        except BaseException:
            os.close(self._fd)
            raise

    def write(self, head: Head) -> None:
        """Record `head` in the older slot, in the system's memory. Raises OSError."""
        self._counter += 1
        body = _BODY.pack(_MAGIC, self._counter, head.seq, head.hash)
        os.pwrite(self._fd, body + sha256(body).digest(), (self._counter % 2) * _SLOT)

    def sync(self) -> None:
        """Put what was recorded on the disk. Raises OSError."""
        os.fdatasync(self._fd)

    def close(self) -> None:
        """Sync and close the file."""
        try:
            os.fdatasync(self._fd)
        finally:
            os.close(self._fd)
