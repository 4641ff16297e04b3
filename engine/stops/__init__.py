"""Exit rules, one file each. A new rule is a new file and a line here.

The order is the order of the specification's table: when several fire on one tick, the first
names the exit and the others are recorded with it.
"""

from __future__ import annotations

from typing import Final

from engine.domain.stop import ExitRule
from engine.stops.end_of_day import EndOfDay
from engine.stops.initial import InitialStop
from engine.stops.open_interest import OpenInterestStop
from engine.stops.take_profit import TakeProfit
from engine.stops.time_stop import TimeStop
from engine.stops.trailing import TrailingStop
from engine.stops.vwap import VwapStop

STOP_RULES: Final[dict[str, type[ExitRule]]] = {
    "initial": InitialStop,
    "trailing": TrailingStop,
    "vwap": VwapStop,
    "oi": OpenInterestStop,
    "take_profit": TakeProfit,
    "end_of_day": EndOfDay,
    "time_stop": TimeStop,
}
