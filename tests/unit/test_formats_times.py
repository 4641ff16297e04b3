"""Times in every accepted form, and the order of rows and files."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.domain.market import Tick
from engine.venues.refusals import Refusals, RowRefused
from engine.venues.replay.merge import open_recording
from engine.venues.replay.values import Times

NOON = 1_769_774_400_000_000_000
"""2026-01-30T12:00:00Z."""


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-01-30T12:00:00Z", NOON),
        ("2026-01-30T12:00:00+00:00", NOON),
        ("2026-01-30T17:30:00+05:30", NOON),
        ("2026-01-30 17:30:00+05:30", NOON),
        ("2026-01-30T07:00:00-0500", NOON),
        ("2026-01-30T12:00Z", NOON),
        ("2026-01-30T12:00:00.034Z", NOON + 34_000_000),
        ("2026-01-30T07:00:00.034-05:00", NOON + 34_000_000),
        ("2026-01-30T12:00:00.123456789Z", NOON + 123_456_789),
        ("2026-01-30T12:00:00.5+00:00", NOON + 500_000_000),
        ("1769774400", NOON),
        ("1769774400.25", NOON + 250_000_000),
        ("1769774400123", NOON + 123_000_000),
        ("1769774400123456", NOON + 123_456_000),
        ("1769774400123456789", NOON + 123_456_789),
    ],
)
def test_every_form_of_a_time_is_read_the_first_time_and_again(text: str, at: int) -> None:
    times = Times()
    assert [times.read(text), times.read(text)] == [at, at]


def test_a_remembered_second_does_not_let_a_broken_fraction_pass() -> None:
    times = Times()
    times.read("2026-01-30T12:00:00.034Z")
    for broken in ("2026-01-30T12:00:00.Z", "2026-01-30T12:00:00.1x4Z", "2026-01-30T12:00:00.²Z"):
        with pytest.raises(RowRefused):
            times.read(broken)


def play(*paths: Path) -> tuple[list[tuple[str, str]], Refusals]:
    """Return (symbol, price) in the order of delivery."""
    refused = Refusals()
    found = [
        (str(item.instrument), str(item.price))
        for item in open_recording(paths).items(refused)
        if isinstance(item, Tick)
    ]
    return found, refused


def file(path: Path, *rows: str) -> Path:
    path.write_text("time,symbol,price\n" + "".join(f"{row}\n" for row in rows))
    return path


def test_several_files_are_merged_by_time(tmp_path: Path) -> None:
    one = file(tmp_path / "a.csv", "1769774400,AAPL,1", "1769774402,AAPL,3")
    two = file(tmp_path / "b.csv", "1769774401000,MSFT,2", "1769774403000,MSFT,4")
    found, refused = play(one, two)
    assert [price for _, price in found] == ["1", "2", "3", "4"]
    assert refused.total == 0


def test_one_instrument_after_the_other_in_a_file_is_put_into_time_order(tmp_path: Path) -> None:
    path = file(
        tmp_path / "a.csv",
        *("1769774400,AAPL,1", "1769774402,AAPL,3"),
        *("1769774400,MSFT,2", "1769774402,MSFT,4"),
    )
    found, refused = play(path)
    assert [price for _, price in found] == ["1", "2", "3", "4"]
    assert refused.total == 0


def test_a_row_out_of_its_instruments_order_is_refused_though_others_are_sorted(
    tmp_path: Path,
) -> None:
    path = file(
        tmp_path / "a.csv",
        *("1769774400,AAPL,1", "1769774405,AAPL,2", "1769774404,AAPL,9", "1769774404,MSFT,3"),
        "1769774406,AAPL,4",
    )
    found, refused = play(path)
    assert found == [("AAPL", "1"), ("MSFT", "3"), ("AAPL", "2"), ("AAPL", "4")]
    assert refused.counts() == (("out_of_order", 1),)
    assert refused.tallies["out_of_order"].first.line == 4


def test_one_time_far_in_the_future_does_not_refuse_everything_after_it(tmp_path: Path) -> None:
    path = file(
        tmp_path / "a.csv",
        *("1769774400,AAPL,1", "1899774401,AAPL,9", "1769774402,AAPL,2", "1769774403,AAPL,3"),
    )
    found, refused = play(path)
    assert [price for _, price in found] == ["1", "2", "3"]
    assert refused.counts() == (("time_ahead", 1),)


def test_a_change_of_offset_within_a_file_is_no_step_back(tmp_path: Path) -> None:
    path = file(
        tmp_path / "a.csv",
        "2025-11-02T01:59:59-04:00,AAPL,1",
        "2025-11-02T01:00:00-05:00,AAPL,2",
    )
    found, refused = play(path)
    assert [price for _, price in found] == ["1", "2"]
    assert refused.total == 0


def test_a_recording_knows_its_span(tmp_path: Path) -> None:
    path = file(tmp_path / "a.csv", "junk,AAPL,1", "1769774400,AAPL,1", "1769774402,AAPL,3")
    recording = open_recording([path])
    assert (recording.begins, recording.ends) == (NOON, NOON + 2_000_000_000)
