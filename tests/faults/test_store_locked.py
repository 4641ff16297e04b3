"""D05, D16: somebody else holds the database, as a writer or as a reader that does not end."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from engine.domain.vitals import WAL_MB
from engine.store.lockers import lockers
from engine.store.schema import SCHEMA_VERSION
from tests.faults.process_rig import buy, engine, events, holdfast, log_lines, positions, until
from tests.faults.test_standstill import Record

pytestmark = pytest.mark.serial
HOLD = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in sys.argv[2:]:
    db.execute(statement).fetchall()
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(database: Path, *statements: str) -> Iterator[int]:
    """Let another process execute statements and keep its transaction; yield its pid."""
    command = [sys.executable, "-c", HOLD, str(database), *statements]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process.pid
        process.communicate()


def test_whoever_locks_the_database_is_named_and_exits_go_on(
    tmp_path: Path, record_property: Record
) -> None:
    with engine(tmp_path) as running:
        buy(tmp_path, "a")
        id_ = str(positions(tmp_path)[0]["position_id"])
        with held(tmp_path / "holdfast.db", "BEGIN IMMEDIATE") as pid:
            holdfast("stop-price", id_, "1000", "--data-dir", str(tmp_path))
            until(lambda: bool(log_lines(tmp_path, "NOT PERSISTED")), "the lock told")
            told = log_lines(tmp_path, "NOT PERSISTED")[0]
            assert f"locked by pid {pid} (python" in told
            done = holdfast("close", id_, "--data-dir", str(tmp_path), "--json")
            assert done.returncode == 0, done.stdout + done.stderr
        until(lambda: "EntriesAllowed" in events(tmp_path), "the store well again")
        assert positions(tmp_path) == []
        assert running.signal(signal.SIGTERM) == 128 + signal.SIGTERM
    record_property("line", told)
    record_property("figure", "1 exit filled while the database was locked; 0 entries lost")


def test_nobody_is_named_when_nobody_writes(tmp_path: Path) -> None:
    database = tmp_path / "holdfast.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE t (x)")
        with held(database, "BEGIN", "SELECT * FROM t"):
            assert lockers(database) == ""
        db.execute("BEGIN IMMEDIATE")
        assert lockers(database) == "", "this process is no stranger"
        db.execute("ROLLBACK")
        with held(database, "BEGIN IMMEDIATE") as pid:
            assert lockers(database).startswith(f"pid {pid} (")
    assert os.getpid() > 0


def test_a_write_ahead_log_that_a_reader_keeps_growing_is_told(
    tmp_path: Path, record_property: Record
) -> None:
    with engine(tmp_path) as running:
        database = tmp_path / "holdfast.db"
        with held(database, "BEGIN", "SELECT * FROM events"):
            with closing(sqlite3.connect(database, isolation_level=None)) as db:
                assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
                db.execute("CREATE TABLE padding (x)")
                while wal(database) < (WAL_MB + 1) * 1024 * 1024:
                    db.execute("INSERT INTO padding VALUES (zeroblob(4000000))")
            until(lambda: bool(log_lines(tmp_path, "write-ahead log is")), "the grown log told")
            health = holdfast("health", "--data-dir", str(tmp_path), "--json").stdout
            assert "a reader does not end" in health
        with closing(sqlite3.connect(database, isolation_level=None)) as db:
            db.execute("DROP TABLE padding")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        until(lambda: bool(log_lines(tmp_path, "is down to")), "the end of it told")
        assert running.signal(signal.SIGTERM) == 128 + signal.SIGTERM
    (told,) = log_lines(tmp_path, "and does not end; end it")
    assert json.loads(health)
    record_property("line", told)
    record_property("figure", f"told once, at {told.split(' is ')[1].split(':')[0]} of 64 MB")


def wal(database: Path) -> int:
    return database.with_name(f"{database.name}-wal").stat().st_size
