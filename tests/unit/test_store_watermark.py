"""The watermark keeps the newest head through a torn write and never reports a damaged one."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.domain.ids import Seq
from engine.store.chain import Head
from engine.store.watermark import Watermark, WatermarkLost, beside, read


def head(seq: int) -> Head:
    return Head(Seq(seq), bytes([seq % 256]) * 32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "holdfast.db.watermark"


def written(path: Path, *seqs: int) -> None:
    mark = Watermark(path, head(seqs[0]))
    for seq in seqs[1:]:
        mark.write(head(seq))
    mark.close()


def test_it_lies_beside_the_database() -> None:
    assert beside(Path("/data/holdfast.db")) == Path("/data/holdfast.db.watermark")


def test_what_was_written_last_is_read(path: Path) -> None:
    assert read(path) is None
    written(path, 1, 2, 3)
    assert read(path) == head(3)
    written(path, 9)
    assert read(path) == head(9)


def test_a_write_is_seen_before_it_is_synced(path: Path) -> None:
    mark = Watermark(path, head(4))
    mark.write(head(5))
    assert read(path) == head(5)
    mark.sync()
    mark.close()
    assert read(path) == head(5)


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_every_torn_write_of_the_newest_slot_leaves_the_one_before(path: Path, count: int) -> None:
    written(path, *range(1, count))
    old = path.read_bytes()
    written(path, count)
    new = path.read_bytes()
    for cut in range(len(new)):
        if new[cut] == old[cut]:
            continue
        path.write_bytes(new[:cut] + old[cut:])
        assert read(path) in {head(count - 1), head(count)}
    path.write_bytes(new)
    assert read(path) == head(count)


def test_a_file_without_a_valid_slot_is_lost_not_missing(path: Path) -> None:
    for content in (b"", b"x" * 10_000, bytes(8192)):
        path.write_bytes(content)
        with pytest.raises(WatermarkLost):
            read(path)
