"""Tick and bar files: what is read, what is refused, and what the message says."""

from __future__ import annotations

import gzip
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import pytest

from engine.domain.ids import InstrumentId
from engine.domain.instrument import Instrument
from engine.domain.market import Bar, Tick
from engine.venues.refusals import FormatError, Refusals
from engine.venues.replay.merge import open_recording, read

HEADER = "time,symbol,price,volume,oi,bid,ask\n"
AT = "2026-01-30T09:16:49+05:30"


def write(path: Path, text: str) -> Path:
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def items(*paths: Path) -> tuple[list[Tick | Bar], Refusals]:
    refused = Refusals()
    found: dict[InstrumentId, Instrument] = {}
    return list(read(paths, found, refused)), refused


def ticks(path: Path) -> tuple[list[Tick], Refusals]:
    found, refused = items(path)
    return [item for item in found if isinstance(item, Tick)], refused


def test_a_tick_row_becomes_a_tick_with_exact_numbers(tmp_path: Path) -> None:
    row = f"{AT},AAPL,29.85,100,7661355,29.8,29.9\n"
    (tick,), refused = ticks(write(tmp_path / "t.csv", HEADER + row))
    assert tick.price == Decimal("29.85")
    assert (tick.volume, tick.oi) == (Decimal(100), Decimal(7661355))
    assert (tick.bid, tick.ask) == (Decimal("29.8"), Decimal("29.9"))
    assert tick.at == 1_769_744_809_000_000_000
    assert refused.total == 0


def test_empty_fields_and_a_zero_bid_mean_that_nobody_said_anything(tmp_path: Path) -> None:
    (tick,), refused = ticks(write(tmp_path / "t.csv", HEADER + f"{AT},AAPL,1,,,0,\n"))
    assert (tick.volume, tick.oi, tick.bid, tick.ask) == (None, None, None, None)
    assert refused.total == 0


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"{AT},AAPL,NaN,,,,", "price_not_finite"),
        (f"{AT},AAPL,inf,,,,", "price_not_finite"),
        (f"{AT},AAPL,-inf,,,,", "price_not_finite"),
        (f"{AT},AAPL,0,,,,", "price_zero"),
        (f"{AT},AAPL,0.000,,,,", "price_zero"),
        (f"{AT},AAPL,-1,,,,", "price_negative"),
        (f"{AT},AAPL,,,,,", "price_missing"),
        (f"{AT},AAPL,1_000,,,,", "price_not_a_number"),
        (f"{AT},AAPL,12 000,,,,", "price_not_a_number"),
        (f"{AT},AAPL,1e400,,,,", "price_out_of_range"),
        (f"{AT},AAPL,1e99,,,,", "price_out_of_range"),
        (f"{AT},AAPL,1.0000000000000000000000001,,,,", "price_out_of_range"),
        (f"{AT},AAPL,٣,,,,", "price_not_a_number"),
        (f"{AT},AAPL,1,-5,,,", "volume_negative"),
        (f"{AT},AAPL,1,x,,,", "volume_not_a_number"),
        (f"{AT},AAPL,1,1,nan,,", "oi_not_finite"),
        (f"{AT},AAPL,1,1,1,-2,", "bid_negative"),
        ("2026-01-30T09:16:49,AAPL,1,,,,", "time_without_offset"),
        ("yesterday,AAPL,1,,,,", "time_unreadable"),
        ("2026-02-30T09:16:49Z,AAPL,1,,,,", "time_unreadable"),
        (",AAPL,1,,,,", "time_unreadable"),
        ("1850-01-01T00:00:00Z,AAPL,1,,,,", "time_out_of_range"),
        (f"{AT},AAPL,1,,,", "torn_line"),
        (f"{AT},AAPL,1,,,,,", "torn_line"),
        (f'{AT},"AAPL,1,,,,', "torn_line"),
        ("2026-01-30T03:46:48Z,AAPL,1,,,,", "out_of_order"),
        (f"{AT},no such thing,1,,,,", "instrument_unknown"),
    ],
)
def test_a_bad_row_is_counted_by_its_reason_and_nothing_else_is_lost(
    tmp_path: Path, row: str, reason: str
) -> None:
    text = f"{HEADER}{AT},AAPL,10,,,,\n{row}\n{AT},AAPL,11,,,,\n"
    found, refused = ticks(write(tmp_path / "t.csv", text))
    assert [tick.price for tick in found] == [10, 11]
    assert refused.counts() == ((reason, 1),)
    message = str(refused.tallies[reason].first)
    assert f"{tmp_path / 't.csv'}:3:" in message
    assert "allowed:" in message


def test_the_first_and_the_last_example_of_a_reason_are_kept(tmp_path: Path) -> None:
    text = HEADER + "".join(f"{AT},AAPL,{price},,,,\n" for price in ("-1", "-2", "5", "-3"))
    found, refused = ticks(write(tmp_path / "t.csv", text))
    tally = refused.tallies["price_negative"]
    assert (tally.count, tally.first.value, tally.last.value) == (3, "-1", "-3")
    assert (tally.first.line, tally.last.line) == (2, 5)
    assert len(found) == 1


def test_a_huge_field_does_not_travel_into_the_message(tmp_path: Path) -> None:
    _, refused = ticks(write(tmp_path / "t.csv", f"{HEADER}{AT},AAPL,{'9' * 100_000}x,,,,\n"))
    assert len(str(refused.tallies["price_not_a_number"].first)) < 400


def test_bytes_that_are_no_text_spoil_their_own_row_only(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [f"{AT},AAPL,1,,,,".encode(), b"\xff\xfe,AAPL,\x00\x80,,,,", f"{AT},AAPL,2,,,,".encode()]
    path.write_bytes(HEADER.encode() + b"\n".join(rows))
    found, refused = ticks(path)
    assert [tick.price for tick in found] == [1, 2]
    assert refused.total == 1


def test_equal_rows_within_one_instant_are_all_kept(tmp_path: Path) -> None:
    found, refused = ticks(write(tmp_path / "t.csv", HEADER + f"{AT},AAPL,1,5,,,\n" * 4))
    assert len(found) == 4
    assert refused.total == 0


def test_quotes_spaces_and_a_byte_order_mark_are_no_obstacle(tmp_path: Path) -> None:
    text = f'\ufeff"time", Symbol ,price\r\n"{AT}","AAPL"," 1.5 "\r\n\r\n'
    found, refused = ticks(write(tmp_path / "t.csv", text))
    assert [tick.price for tick in found] == [Decimal("1.5")]
    assert refused.total == 0


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("time,symbol,price,colour\n", "column 4 is unknown: 'colour'"),
        ("time,symbol,volume\n", "column 'price' is missing"),
        ("time,symbol,open,high,low\n", "column 'close' is missing"),
        ("time,symbol,price,time\n", "column 4 repeats 'time'"),
        ("", "no header"),
        (f"{AT},AAPL,1\n", "column 1 is unknown"),
    ],
)
def test_a_wrong_header_stops_the_start(tmp_path: Path, header: str, problem: str) -> None:
    path = write(tmp_path / "t.csv", header)
    with pytest.raises(FormatError, match=r"allowed|ticks have|bars have") as raised:
        open_recording([path])
    assert problem in str(raised.value)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("name", ["gone.csv", "gone.csv.gz", "gone.tape", "gone.parquet"])
def test_a_file_that_is_not_there_stops_the_start(tmp_path: Path, name: str) -> None:
    with pytest.raises(FormatError, match="gone"):
        open_recording([tmp_path / name])


def test_a_directory_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="allowed: a file"):
        open_recording([tmp_path])


def test_a_file_that_only_claims_to_be_gzip_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_text(HEADER)
    with pytest.raises(FormatError, match=r"t\.csv\.gz: cannot be read"):
        open_recording([path])


def test_a_torn_gzip_file_gives_what_it_has_and_says_that_it_is_damaged(tmp_path: Path) -> None:
    rows = "".join(f"{1_769_744_809_000 + n},AAPL,{100 + n % 7},{n},,,\n" for n in range(20_000))
    whole = gzip.compress((HEADER + rows).encode())
    path = tmp_path / "t.csv.gz"
    path.write_bytes(whole[: len(whole) // 2])
    found, refused = ticks(path)
    assert 5_000 < len(found) < 20_000
    assert dict(refused.counts())["file_damaged"] == 1


def test_bars_are_read_with_their_interval(tmp_path: Path) -> None:
    text = (
        "time,symbol,open,high,low,close,volume,oi,interval\n"
        f"{AT},AAPL,64.5,75.4,61.5,75.0,1110200,4142645,5m\n"
    )
    (bar,), refused = items(write(tmp_path / "b.csv", text))
    assert isinstance(bar, Bar)
    assert (bar.open, bar.high, bar.low, bar.close) == tuple(
        map(Decimal, ("64.5", "75.4", "61.5", "75.0"))
    )
    assert (bar.volume, bar.oi) == (Decimal(1110200), Decimal(4142645))
    assert bar.seconds == 300
    assert refused.total == 0


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"{AT},AAPL,10,9,8,9,0,", "bar_inconsistent"),
        (f"{AT},AAPL,10,11,10.5,11,0,", "bar_inconsistent"),
        (f"{AT},AAPL,10,11,nan,11,0,", "low_not_finite"),
        (f"{AT},AAPL,10,11,9,11,0,weekly", "interval_unreadable"),
        (f"{AT},AAPL,10,11,9,11,0,0m", "interval_unreadable"),
        ("2026-01-30T09:15:49+05:30,AAPL,1,1,1,1,0,", "duplicate_bar"),
    ],
)
def test_a_bad_bar_is_counted_and_skipped(tmp_path: Path, row: str, reason: str) -> None:
    text = (
        "time,symbol,open,high,low,close,volume,interval\n"
        f"2026-01-30T09:15:49+05:30,AAPL,1,1,1,1,0,\n{row}\n"
        "2026-01-30T09:17:49+05:30,AAPL,2,2,2,2,0,\n"
    )
    found, refused = items(write(tmp_path / "b.csv", text))
    assert len(found) == 2
    assert refused.counts() == ((reason, 1),)


def test_parquet_without_its_library_says_what_is_missing(tmp_path: Path) -> None:
    if find_spec("pyarrow") is not None:
        pytest.skip("pyarrow is installed")
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(FormatError, match="needs pyarrow"):
        open_recording([path])


def test_parquet_reads_as_the_same_ticks(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    times = pa.array([1_769_744_809_000_000, None], pa.timestamp("us", tz="Asia/Kolkata"))
    table = pa.table({"time": times, "symbol": ["AAPL", "AAPL"], "price": [29.85, 1.0]})
    parquet.write_table(table, tmp_path / "t.parquet")
    (tick,), refused = ticks(tmp_path / "t.parquet")
    assert (tick.at, tick.price) == (1_769_744_809_000_000_000, Decimal("29.85"))
    assert refused.counts() == (("time_unreadable", 1),)
