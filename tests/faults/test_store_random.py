"""The short form of `tests/faults/store_chance.py`: flipped bits, damaged logs, random cancels."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults import store_chance
from tests.faults.store_chance import FOUND, SILENT, judged, laid, said, tables
from tests.faults.test_standstill import Record

COUNT = int(os.environ.get("HOLDFAST_CHANCES", "150"))


async def test_no_flipped_bit_becomes_wrong_money(tmp_path: Path, record_property: Record) -> None:
    found = await store_chance.flips(tmp_path, COUNT, seed=1)
    record_property("figure", f"{COUNT} flipped bits: {said(found)}")
    record_property("n", COUNT)
    record_property("seed", 1)
    assert found[SILENT] == 0
    assert found[FOUND] > COUNT / 3


async def test_a_damaged_wal_is_found_by_the_watermark(
    tmp_path: Path, record_property: Record
) -> None:
    found = await store_chance.wal_flips(tmp_path, COUNT // 3, seed=2)
    record_property("figure", f"{COUNT // 3} damaged write-ahead logs: {said(found)}")
    record_property("n", COUNT // 3)
    record_property("seed", 2)
    assert found[SILENT] == 0
    assert found[FOUND] > COUNT / 6


async def test_random_cancels_leave_nothing_half_and_nothing_stuck(
    tmp_path: Path, record_property: Record
) -> None:
    tried, wrong = await store_chance.cancels(tmp_path, 2 * COUNT, seed=3)
    record_property("figure", f"{tried} random cancels: {wrong} half or wrong, 0 stuck")
    record_property("n", tried)
    record_property("seed", 3)
    assert tried == 2 * COUNT
    assert wrong == 0


@pytest.mark.parametrize("column", ["entry_price", "qty"])
async def test_a_planted_edit_is_not_called_harmless(tmp_path: Path, column: str) -> None:
    path = tmp_path / "source.db"
    history = await laid(path)
    right = tables(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"UPDATE positions SET {column} = 1 WHERE rowid = 1")
    assert await judged(path, history, right) == FOUND
