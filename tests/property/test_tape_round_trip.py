"""A tape gives back exactly what was recorded, or refuses to record it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.ids import InstrumentId, Nanos
from engine.domain.instrument import Instrument, Kind
from engine.domain.market import Tick
from engine.domain.money import Currency, Price
from engine.venues.refusals import FormatError, Refusals
from engine.venues.replay.tape import TapeReader, TapeWriter

LISTED = [
    Instrument(InstrumentId(name), Kind.EQUITY, Currency("USD")) for name in ("AAPL", "BTC-X", "₹")
]
DIGITS = st.integers(min_value=1, max_value=10**15 - 1)
AMOUNTS = st.builds(lambda n, e: Decimal(n).scaleb(-e), DIGITS, st.integers(0, 12))
MAYBE = st.none() | AMOUNTS | st.just(Decimal(0))
TICKS = st.builds(
    Tick,
    st.sampled_from([instrument.id for instrument in LISTED]),
    AMOUNTS.map(Price),
    st.integers(0, 2**62).map(Nanos),
    *(MAYBE, MAYBE, MAYBE, MAYBE, MAYBE, MAYBE),
)


@given(st.lists(TICKS, max_size=50).map(lambda ticks: sorted(ticks, key=lambda tick: tick.at)))
def test_numbers_of_up_to_fifteen_digits_read_back_exactly(ticks: list[Tick]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.tape"
        with TapeWriter(path, LISTED, is_wide=True) as tape:
            for tick in ticks:
                tape.write(tick)
        reader = TapeReader(path)
        assert list(reader.instruments) == LISTED
        refused = Refusals()
        assert list(reader.ticks(refused)) == ticks
        assert refused.total == 0
        assert [record[:2] for record in reader.raw()] == [
            ([i.id for i in LISTED].index(tick.instrument), tick.at) for tick in ticks
        ]


@given(st.integers(min_value=10**17, max_value=10**19))
def test_a_number_that_would_change_on_the_way_is_refused(digits: int) -> None:
    value = Decimal(digits * 10 + 1).scaleb(-17)
    with TemporaryDirectory() as folder, TapeWriter(Path(folder) / "t.tape", LISTED) as tape:
        with pytest.raises(FormatError, match="digits"):
            tape.write(Tick(LISTED[0].id, Price(value), Nanos(0)))
        tape.flush()
    assert value.is_finite()
