"""Whatever a file holds: each row becomes a tick or is counted, and no tick is unusable."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given
from hypothesis import strategies as st

from engine.domain.market import Tick
from engine.venues.refusals import Refusals
from engine.venues.replay.merge import open_recording

FIELD = st.text(st.characters(blacklist_characters='\n\r",', codec="utf-8"), max_size=12)
TIME = st.integers(1_769_774_400, 1_769_774_420).map(str) | FIELD
SYMBOL = st.sampled_from(["AAPL", "MSFT", "SPY"]) | FIELD
PRICE = st.decimals(allow_nan=True, allow_infinity=True).map(str) | st.sampled_from(
    ["1", "29.85", "0", "-1", "1e5", "NaN"]
)
ROW = st.tuples(TIME, SYMBOL, PRICE | FIELD).map(",".join) | FIELD


@given(st.lists(ROW, max_size=30))
@example(["1769774400,AAPL,1", "1769774400,MSFT,2", "1769774399,AAPL,3", "1769774401,SPY,4"])
def test_each_row_is_a_usable_tick_or_counted(rows: list[str]) -> None:
    rows = [row for row in rows if row.strip()]
    refused = Refusals()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes(("time,symbol,price\n" + "\n".join(rows)).encode())
        ticks = list(open_recording([path]).items(refused))
    assert len(ticks) + refused.total == len(rows)
    latest: dict[str, int] = {}
    for tick in ticks:
        assert isinstance(tick, Tick)
        assert tick.price.is_finite()
        assert tick.price > 0
        assert tick.at >= latest.get(tick.instrument, 0)
        latest[tick.instrument] = tick.at
    assert [tick.at for tick in ticks] == sorted(tick.at for tick in ticks)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_after_a_header_never_raise(noise: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes(b"time,symbol,price\n" + noise)
        recording = open_recording([path])
        assert all(isinstance(item, Tick) for item in recording.items(Refusals()))
