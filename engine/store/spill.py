"""The emergency file (E-56): entries that the store cannot take, fsynced, one line each.

It lies beside the database, or in the next place that can be written. Its lines are taken into
the journal in order when the store is back; the file is then kept aside, never deleted.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from engine.domain.event import Entry
from engine.domain.ids import Nanos, Seq
from engine.store.codec import CodecError, decode_event, encode_event
from engine.store.migrations import sync

NAME: Final = "holdfast.spill"
KEPT: Final = "spilled"
"""Folder of the data directory where files go whose entries are in the journal."""


class Spill:
    """Appends entries to the first place that takes them, and finds them again."""

    def __init__(self, database: Path, elsewhere: Sequence[Path] | None = None) -> None:
        self._directory = database.parent
        tag = sha256(str(database.absolute()).encode()).hexdigest()[:12]
        others = elsewhere if elsewhere is not None else (Path("/dev/shm"), Path("/var/tmp"))  # noqa: S108 -- 0600, own name; only where the data directory takes nothing more
        self._places = (
            database.with_name(NAME),
            *(place / f"holdfast-{os.getuid()}-{tag}.spill" for place in others),
        )
        self.place: Path | None = None
        """Where the last entries went."""

    def append(self, entries: Sequence[Entry]) -> Path:
        """Make `entries` durable and return where. Raises OSError if no place takes them."""
        data = b"".join(_line(entry) for entry in entries)
        failure: OSError | None = None
        for place in self._places:
            try:
                _append(place, data)
            except OSError as error:
                failure = error
                continue
            self.place = place
            return place
        raise OSError(f"no place for an emergency file: {failure}")

    def read(self) -> list[Entry]:
        """Return all entries found, by sequence; a torn last line does not count."""
        found: dict[Seq, Entry] = {}
        for place in self._places:
            if place.exists():
                for entry in map(_entry, place.read_bytes().splitlines()):
                    if entry is not None:
                        found[entry.seq] = entry
        return [found[seq] for seq in sorted(found)]

    def set_aside(self) -> None:
        """Keep the files under the data directory: their entries are in the journal now."""
        for place in self._places:
            if not place.exists():
                continue
            kept = self._directory / KEPT
            kept.mkdir(mode=0o700, exist_ok=True)
            lines = place.read_bytes()
            last = max((e.seq for e in map(_entry, lines.splitlines()) if e), default=0)
            copy = kept / f"until-{last}.spill"
            _append(copy, lines)
            place.unlink()


def _append(place: Path, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    is_new = not place.exists()
    fd = os.open(place, flags, 0o600)
    try:
        size = os.fstat(fd).st_size
        try:
            if os.write(fd, data) != len(data):
                raise OSError(f"{place}: no room for {len(data)} bytes")
            os.fsync(fd)
            if is_new:
                sync(place.parent)  # its name has to survive a power cut, too
        except OSError:
            os.ftruncate(fd, size)  # half a batch must not stand before the next one
            raise
    finally:
        os.close(fd)


def _line(entry: Entry) -> bytes:
    kind, version, body = encode_event(entry.event)
    text = json.dumps([entry.seq, entry.at, kind, version, body.decode()], ensure_ascii=False)
    data = text.encode()
    return b"%08x %s\n" % (zlib.crc32(data), data)


def _entry(line: bytes) -> Entry | None:
    check, _, data = line.partition(b" ")
    try:
        if int(check, 16) != zlib.crc32(data):
            return None
        seq, at, kind, version, body = json.loads(data)
        return Entry(Seq(seq), Nanos(at), decode_event(kind, version, body))
    except (ValueError, TypeError, CodecError):
        return None
