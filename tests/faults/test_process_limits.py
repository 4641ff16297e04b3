"""P09, P15, U11: an engine without memory, without descriptors, and without anybody to speak to."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.link.address import connected, socket_path
from tests.faults.process_rig import (
    buy,
    engine,
    events,
    holdfast,
    log_lines,
    positions,
    sessions,
    until,
)
from tests.faults.test_standstill import Record


def limit(pid: int, what: int, soft: int) -> None:
    """Set a limit of a running process."""
    _, hard = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (soft, hard))


def address_space(pid: int) -> int:
    """Return the bytes of address space in use."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def test_an_engine_without_memory_loses_nothing(tmp_path: Path, record_property: Record) -> None:
    with engine(tmp_path) as running:
        buy(tmp_path, "a")
        held, pid = positions(tmp_path), running.process.pid
        limit(pid, resource.RLIMIT_AS, address_space(pid))  # not a page more
        acts = [holdfast("stop-price", _id(held), "1000.5", "--data-dir", str(tmp_path))]
        acts += [holdfast("status", "--data-dir", str(tmp_path)) for _ in range(3)]
        lived = running.process.poll() is None
        told = events(tmp_path)
        running.end()
    with engine(tmp_path):
        (now,) = positions(tmp_path)
        assert now["position_id"] == held[0]["position_id"]
        if acts[0].returncode == 0:  # what was acknowledged is there
            assert now["stop_loss"] == "1000.5"
        assert events(tmp_path)[: len(told)] == told
    fate = "it went on" if lived else "it died"
    record_property("figure", f"no page more than in use: {fate}; 1 of 1 positions after it")


def test_an_engine_without_a_free_descriptor_still_exits_and_ends_in_order(
    tmp_path: Path, record_property: Record
) -> None:
    near = ("--set", "exits.initial.pct=0.001", "--set", "exits.take_profit.pct=0.001")
    with engine(tmp_path, *near, "--set", "sim.pace=60") as running:
        pid = running.process.pid
        buy(tmp_path, "a")
        open_now = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        limit(pid, resource.RLIMIT_NOFILE, open_now)
        assert positions(tmp_path), "it was closed before there was a limit"
        refused = _is_refused(tmp_path)
        until(lambda: not positions(tmp_path), "a stop with no descriptor free")
        assert running.signal(signal.SIGTERM) == 128 + signal.SIGTERM
    assert [row["status"] for row in sessions(tmp_path)] == ["completed"]
    assert events(tmp_path)[-1] == "SessionEnded"
    assert refused
    record_property("figure", f"0 of {open_now} descriptors free: exit journaled, session ended")
    lines = log_lines(tmp_path, "descriptor") or log_lines(tmp_path, "open files")
    record_property("line", lines[0] if lines else "engine: ends in order: SIGTERM")


def _id(rows: Sequence[Mapping[str, object]]) -> str:
    return str(rows[0]["position_id"])


def _is_refused(data_dir: Path) -> bool:
    """Return whether a new client is not answered."""
    try:
        guest = connected(socket_path(data_dir))
    except OSError:
        return True
    guest.settimeout(1.0)
    try:
        return not guest.recv(1)
    except (TimeoutError, ConnectionResetError):
        return True
    finally:
        guest.close()


def test_a_paper_engine_opens_no_connection_to_anywhere(
    tmp_path: Path, record_property: Record
) -> None:
    with engine(tmp_path) as running:
        buy(tmp_path, "a")
        inodes = _sockets(running.process.pid)
        kinds = {inode: family for inode, family in _known_sockets() if inode in inodes}
        assert inodes
        assert set(kinds) == inodes, "a socket of no known family"
        assert set(kinds.values()) == {"unix"}
        status = json.loads(holdfast("status", "--data-dir", str(tmp_path), "--json").stdout)
        assert status["mode"] == "paper"
    record_property("figure", f"{len(inodes)} sockets, all of them Unix: 0 connections to outside")


def test_a_planted_connection_is_seen() -> None:
    with socket.socket() as heard, socket.socket() as out:
        heard.bind(("127.0.0.1", 0))
        heard.listen()
        out.connect(heard.getsockname())
        kinds = dict(_known_sockets())
        mine = {kinds[inode] for inode in _sockets(os.getpid()) if inode in kinds}
        assert "tcp" in mine


def _sockets(pid: int) -> set[str]:
    """Return the inodes of all sockets of a process and of its children."""
    found: set[str] = set()
    tasks = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for one in (pid, *map(int, tasks)):
        for entry in Path(f"/proc/{one}/fd").iterdir():
            try:
                target = str(entry.readlink())
            except OSError:
                continue
            if target.startswith("socket:["):
                found.add(target[8:-1])
    return found


def _known_sockets() -> list[tuple[str, str]]:
    """Return (inode, family) of every socket of the machine."""
    found: list[tuple[str, str]] = []
    for family, column in (("tcp", 9), ("tcp6", 9), ("udp", 9), ("udp6", 9), ("unix", 6)):
        lines = Path(f"/proc/net/{family}").read_text().splitlines()[1:]
        found += [(line.split()[column], family) for line in lines]
    return found
