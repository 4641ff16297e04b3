"""Power cuts at every n-th system call of a real run: what was acknowledged before it is there.

The victim runs once under strace. From the record, the files are rebuilt as they can look after a
power cut at a given call: what was synced, plus some of what was written since, by policy.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.domain.ids import Nanos
from engine.store.sqlite import SqliteJournal
from tests.faults.store_victim import LENGTH, SEED, STAMP, database
from tests.faults.tracing import needs_strace
from tests.histories import History

pytestmark = needs_strace
POLICIES = ("drop", "prefix", "subset", "torn")
STRIDE = int(os.environ.get("HOLDFAST_CUT_STRIDE", "23"))
CALLS = "openat,pwrite64,write,fsync,fdatasync,ftruncate,unlink"
_STRING = r'"((?:\\x[0-9a-f]{2})*)"'


@dataclass(slots=True)
class Call:
    """One thing that happened to a file; an acknowledgement is a word on standard output."""

    kind: str
    path: str = ""
    offset: int = 0
    content: bytes = b""


def recorded(directory: Path, way: str) -> list[Call]:
    log = directory.parent / f"{way}.trace"
    victim = [sys.executable, "-m", "tests.faults.store_victim", str(directory), way]
    strace = ["strace", "-f", "-xx", "-s", "1000000", "-o", str(log), "-e", f"trace={CALLS}"]
    subprocess.run([*strace, *victim], check=True, capture_output=True, timeout=120)
    return list(parsed(whole_lines(log.read_text()), str(directory)))


def whole_lines(text: str) -> Iterator[str]:
    """Yield calls without their process id; one that another thread interrupted, at its end."""
    begun: dict[str, str] = {}
    for line in text.splitlines():
        pid, _, call = line.partition(" ")
        call = call.strip()
        if call.endswith("<unfinished ...>"):
            begun[pid] = call.removesuffix("<unfinished ...>").rstrip()
        elif resumed := re.match(r"<\.\.\. \w+ resumed>", call):
            yield begun.pop(pid) + call[resumed.end() :]
        else:
            yield call


def unhex(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def parsed(lines: Iterator[str], root: str) -> Iterator[Call]:
    files: dict[str, str] = {}
    for line in lines:
        if m := re.match(rf"openat\([^,]+, {_STRING}, .*= (\d+)$", line):
            path = unhex(m[1]).decode()
            files[m[2]] = path if path.startswith(root) else ""
        elif m := re.match(rf"pwrite64\((\d+), {_STRING}, (\d+), (\d+)\) += (\d+)$", line):
            if path := files.get(m[1], ""):
                yield Call("write", path, int(m[4]), unhex(m[2]))
        elif m := re.match(r"f(?:data)?sync\((\d+)\) += 0$", line):
            if path := files.get(m[1], ""):
                yield Call("sync", path)
        elif m := re.match(r"ftruncate\((\d+), (\d+)\) += 0$", line):
            if path := files.get(m[1], ""):
                yield Call("cut", path, int(m[2]))
        elif m := re.match(rf"unlink\({_STRING}\) += 0$", line):
            yield Call("unlink", unhex(m[1]).decode())
        elif m := re.match(rf"write\(1, {_STRING}", line):
            yield Call("ack", content=unhex(m[1]))


@dataclass(slots=True)
class Disk:
    """What is safe on the disk, and what is only in its cache."""

    safe: dict[str, bytearray] = field(default_factory=dict)
    cached: dict[str, list[Call]] = field(default_factory=dict)
    acknowledged: int = 0

    def take(self, call: Call) -> None:
        if call.kind == "ack":
            word = call.content.strip()
            self.acknowledged = int(word) if word.isdigit() else self.acknowledged
        elif call.kind == "sync":
            for change in self.cached.pop(call.path, []):
                apply(self.safe.setdefault(call.path, bytearray()), change)
        elif call.kind == "unlink":
            self.safe.pop(call.path, None)
            self.cached.pop(call.path, None)
        else:
            self.safe.setdefault(call.path, bytearray())
            self.cached.setdefault(call.path, []).append(call)

    def after_a_cut(self, target: Path, policy: str, rng: random.Random) -> None:
        target.mkdir()
        for path, content in self.safe.items():
            if path.endswith("-shm"):
                continue
            image = bytearray(content)
            for change in survivors(self.cached.get(path, []), policy, rng):
                apply(image, change)
            (target / Path(path).name).write_bytes(image)


def survivors(pending: list[Call], policy: str, rng: random.Random) -> list[Call]:
    if policy == "drop":
        return []
    if policy == "prefix":
        return pending[: rng.randint(0, len(pending))]
    if policy == "subset":
        return [call for call in pending if rng.random() < 0.5]
    return [
        Call("write", c.path, c.offset, c.content[: rng.randint(0, len(c.content) // 512) * 512])
        if c.kind == "write" and rng.random() < 0.5
        else c
        for c in pending
    ]


def apply(image: bytearray, change: Call) -> None:
    end = change.offset + len(change.content)
    if len(image) < end:
        image.extend(bytes(end - len(image)))
    if change.kind == "write":
        image[change.offset : end] = change.content
    else:
        del image[change.offset :]


async def lost_at_every_cut(tmp_path: Path, way: str, policy: str) -> tuple[int, int]:
    """Return how many cuts were made and how many acknowledged entries did not survive them."""
    source = tmp_path / "source"
    calls, disk, rng = recorded(source, way), Disk(), random.Random(policy)
    history = History(SEED).run(LENGTH).entries
    cuts = lost = 0
    for number, call in enumerate(calls):
        disk.take(call)
        if number % STRIDE:
            continue
        target = tmp_path / f"cut{number}"
        disk.after_a_cut(target, policy, rng)
        async with SqliteJournal.open(database(target), STAMP, Nanos(1)) as journal:
            lost += max(0, disk.acknowledged - journal.head)
            assert await journal.read() == history[: journal.head]
        shutil.rmtree(target)
        cuts += 1
    assert disk.acknowledged == 300
    return cuts, lost


@pytest.mark.parametrize("policy", POLICIES)
async def test_nothing_acknowledged_is_lost_in_a_power_cut(tmp_path: Path, policy: str) -> None:
    cuts, lost = await lost_at_every_cut(tmp_path, "retry", policy)
    assert cuts > 20
    assert lost == 0


async def test_the_harness_sees_a_planted_early_acknowledgement(tmp_path: Path) -> None:
    _, lost = await lost_at_every_cut(tmp_path, "early-short", "drop")
    assert lost > 0
