"""Record every write of a real engine under load, and when it acknowledged what (B-21).

The engine runs under strace. What it sends on its socket is recorded among its writes, in their
true order: an entry is acknowledged the moment its frame leaves the process. A client outside
hears the same, and both are compared.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from engine.bootstrap.drill_life import Life
from engine.bootstrap.drill_load import Chance, Load
from engine.bootstrap.drill_proof import Witness
from engine.domain.event import Entry
from engine.domain.evolve import evolve
from engine.domain.ids import Seq
from engine.domain.state import State
from engine.link.address import socket_path
from engine.link.frames import UPDATE_MAX, FrameError, FrameReader, Kind
from engine.link.wire import decode_update
from engine.runtime.clock import SystemClock
from engine.store.lock import holder
from engine.store.rows import entry_of
from tests.faults.kill_engine import TIGHT
from tests.faults.test_store_power_cut import Call, unhex, whole_lines
from tui.cli.drill import start_engine

TRACED: Final = "pwrite64,write,fsync,fdatasync,ftruncate,unlink,unlinkat,rename,sendto,sendmsg"
FILES: Final = ("holdfast.db", "holdfast.db-wal", "holdfast.db.watermark")
"""What the journal is made of; the -shm is made anew, everything else is a cache or a log."""
PATIENCE_S: Final = 120.0
_BYTES: Final = r'"((?:\\x[0-9a-f]{2})*)"'


class StraceMissing(Exception):
    """Nothing can be recorded here, so nothing is proven."""


@dataclass(slots=True)
class Recording:
    """What one engine did."""

    calls: list[Call]
    """Writes, cuts, syncs and acknowledgements (their sequence as text), in order."""
    heard: int
    """Entries that a client outside was told."""
    hashes: dict[Seq, bytes]
    """The whole journal, as it was when the engine was killed."""
    states: dict[Seq, State] = field(default_factory=dict)

    @property
    def acknowledged(self) -> int:
        return max((int(c.content) for c in self.calls if c.kind == "ack"), default=0)


class LongLife(Life):
    """An engine that is kept busy until its journal has so many entries."""

    async def grow(self, entries: int, pause_s: float) -> None:
        """Return when the engine is dead. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
            busy = tasks.create_task(self._keep_busy(pause_s))
            while not self._is_gone.is_set():
                state = self._witness.state
                if state is not None and state.seq >= entries:
                    self._process.kill()
                    break
                await self._clock.sleep(0.02)
            await self._is_gone.wait()
            busy.cancel()


class _Tracer:
    """The traced engine as a process that can be killed."""

    def __init__(self, data_dir: Path, process: subprocess.Popen[bytes]) -> None:
        self._data_dir, self._process = data_dir, process

    def poll(self) -> int | None:
        return self._process.poll()

    def kill(self) -> None:
        """Kill the engine; the tracer ends by itself, having written everything down."""
        owner = holder(self._data_dir)
        if owner is not None:
            with suppress(ProcessLookupError):
                os.kill(owner.pid, signal.SIGKILL)

    def wait(self) -> int:
        return self._process.wait(PATIENCE_S)


def record(directory: Path, entries: int, seed: int, module: str = "tui.cli") -> Recording:
    """Run an engine until its journal has so many entries; raise StraceMissing without strace."""
    if shutil.which("strace") is None:
        raise StraceMissing("strace is missing: power cuts of the real program are NOT TESTED")
    data_dir, log = directory / "data", directory / "trace"
    data_dir.mkdir(parents=True)
    tracer = ("strace", "-f", "-qq", "-y", "-xx", "-s", "4000000", "-o", str(log))
    process = start_engine(
        data_dir, TIGHT, before=(*tracer, "-e", f"trace={TRACED}"), module=module
    )
    witness = Witness()
    asyncio.run(_grown(data_dir, _Tracer(data_dir, process), witness, entries, seed))
    calls = list(_parsed(whole_lines(log.read_text(encoding="ascii"))))
    found = Recording(calls, len(witness.told), {})
    _read(data_dir / "holdfast.db", found)
    return found


async def _grown(
    data_dir: Path, process: _Tracer, witness: Witness, entries: int, seed: int
) -> None:
    rng, clock = Chance(seed), SystemClock()
    load = Load(rng, f"cut-{seed}", 20)
    async with LongLife(socket_path(data_dir), process, witness, load, rng, clock) as life:
        try:
            if await life.watched() is None:
                raise RuntimeError(f"the engine on {data_dir} ended by itself")
            await life.grow(entries, 0.006)
        finally:
            process.kill()
            process.wait()


def _read(database: Path, found: Recording) -> None:
    db, state = sqlite3.connect(database), State()
    query = "SELECT seq, at_ns, type, version, payload, hash FROM events ORDER BY seq"
    for *row, last in db.execute(query):
        entry = entry_of(*row)
        state = evolve(state, entry)
        found.hashes[entry.seq], found.states[entry.seq] = last, state
    db.close()


def _parsed(lines: Iterator[str]) -> Iterator[Call]:
    readers: dict[str, FrameReader | None] = {}
    for line in lines:
        name, _, rest = line.partition("(")
        if name in {"sendto", "sendmsg", "write"}:
            yield from _sent(name, rest, readers)
            continue
        if name in {"unlink", "unlinkat", "rename"}:
            if any(f'{_hex(file)}"' in rest for file in FILES) and rest.endswith("= 0"):
                raise RuntimeError(f"a file of the journal was removed: {line[:200]}")
            continue
        if not (m := re.match(r"\d+<([^>]*)>(?:, )?(.*)$", rest)):
            continue
        path = Path(_text(m[1]))
        if path.name in FILES:
            yield from _changed(name, str(path), m[2].lstrip())


def _changed(name: str, path: str, rest: str) -> Iterator[Call]:
    if name == "pwrite64":
        if m := re.match(rf"{_BYTES}, (\d+), (\d+)\) += (\d+)$", rest):
            content = unhex(m[1])
            if len(content) != int(m[2]) or m[2] != m[4]:
                raise RuntimeError(f"a write of {m[2]} bytes to {path} is recorded in part")
            yield Call("write", path, int(m[3]), content)
    elif name == "ftruncate":
        if m := re.match(r"(\d+)\) += 0$", rest):
            yield Call("cut", path, int(m[1]))
    elif rest.startswith(")") and rest.endswith("= 0"):
        yield Call("sync", path)


def _sent(name: str, rest: str, readers: dict[str, FrameReader | None]) -> Iterator[Call]:
    """Yield an acknowledgement for every entry in what was sent on a socket, as far as it went."""
    m = re.match(rf"(\d+<[^>]*>), {_BYTES}.*= (\d+)$", rest)
    if name == "write":  # the journal is written by pwrite64 alone; a socket may be written to
        if m and Path(_text(m[1].partition("<")[2].rstrip(">"))).name in FILES:
            raise RuntimeError("the journal was written by write(2), which is not replayed")
        return
    if not m:
        return
    reader = readers.setdefault(m[1], FrameReader(UPDATE_MAX))
    if reader is None:
        return
    try:
        frames = list(reader.feed(unhex(m[2])[: int(m[3])]))
    except FrameError:  # no client's socket: the loop wakes itself through one
        readers[m[1]] = None
        return
    for kind, body in frames:
        if kind is Kind.UPDATE and isinstance(update := decode_update(body), Entry):
            yield Call("ack", content=str(update.seq).encode())


def _hex(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def _text(path: str) -> str:
    return unhex(path).decode() if path.startswith("\\x") else path
