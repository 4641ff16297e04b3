"""Whether an option may be entered on unwinding open interest, and why or why not (S-7, S-10)."""

from __future__ import annotations

from engine.domain.ids import InstrumentId
from engine.domain.money import plain
from engine.domain.oi_day import OiDay
from engine.domain.oi_history import compared
from engine.domain.strategy import Close


def objections(
    day: OiDay, option: InstrumentId, close: Close, falling_bars: int
) -> list[tuple[str, str]]:
    """Return what speaks against an entry, as (kind, text); empty: enter.

    `close` is the option's bar of this very interval: a carried price is never judged.
    """
    against: list[tuple[str, str]] = []
    history = day.history
    if option not in history.recent or close.bar.oi is None:
        against.append(("oi unknown", "OI unknown"))
    elif not history.is_below_open(option) and not history.is_falling(option, falling_bars):
        now, then = compared(history.recent[option][-1], history.at_open[option])
        bars = f"{falling_bars} bar{'s' if falling_bars > 1 else ''}"
        against.append(("oi", f"OI {now} not below open {then}, not falling {bars}"))
    ltp = close.bar.close
    if close.vwap is None:
        against.append(("vwap unknown", "VWAP unknown, no volume yet"))
    elif ltp <= close.vwap:
        against.append(("vwap", f"LTP {plain(ltp)} not above VWAP {close.vwap:.2f}"))
    return against


def grounds(day: OiDay, option: InstrumentId, close: Close, falling_bars: int) -> str:
    """Return why the option is entered."""
    now, then = compared(day.history.recent[option][-1], day.history.at_open[option])
    is_below = day.history.is_below_open(option)
    unwinding = "below" if is_below else f"falling {falling_bars} bars, not below"
    return (
        f"{day.label}: OI {now} {unwinding} open {then}; "
        f"LTP {plain(close.bar.close)} above VWAP {close.vwap:.2f}"
    )


def inputs(day: OiDay, option: InstrumentId, close: Close) -> tuple[tuple[str, str], ...]:
    """Return the figures that the decision was made from, by name."""
    return (
        ("direction", day.direction.value if day.direction else ""),
        ("levels", day.levels.text() if day.levels else ""),
        ("ltp", plain(close.bar.close)),
        ("oi", plain(day.history.recent[option][-1])),
        ("oi_open", plain(day.history.at_open[option])),
        ("spot", "" if day.spot is None else plain(day.spot)),
        ("strike", "" if day.strike is None else plain(day.strike)),
        ("vwap", "" if close.vwap is None else f"{close.vwap:.4f}"),
    )
