"""A strategy's memory as a person reads it: known facts in order, the rest in few words. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Final, cast

from engine.domain.ids import SECOND, Nanos
from tui import formatting as fmt
from tui.sanitise import for_screen
from tui.typed import typed_number

Pair = tuple[str, str]

_YEAR: Final = 366 * 86_400 * SECOND
_LATEST: Final = 200 * _YEAR
LONGEST: Final = 160


def readable(text: str, zone: str, now: Nanos) -> list[Pair]:
    """Return (label, value) of a memory in JSON; one that is none is shown cut."""
    try:
        memory = json.loads(text)
    except ValueError:
        return [("memory", for_screen(text, LONGEST))]
    if not isinstance(memory, dict):
        return [("memory", _compact(memory))]
    found: dict[str, Pair] = {}
    for path, value in _leaves(memory):
        pair = _pair(path, value, zone, now)
        if pair is not None:
            found.setdefault(pair[0], pair)
    order = [label for label, _ in _KNOWN.values()]
    return sorted(found.values(), key=lambda p: order.index(p[0]) if p[0] in order else len(order))


def _leaves(memory: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """Yield (name, value) of what is no table; tables of many alike stay whole."""
    for name, value in memory.items():
        path = f"{before} {name}".strip() if before not in _SHELLS else name
        is_shell = isinstance(value, dict) and name in _SHELLS
        if is_shell or (isinstance(value, dict) and 0 < len(value) <= 4 and name not in _KNOWN):
            yield from _leaves(cast("Mapping[str, object]", value), name if is_shell else path)
        else:
            yield path, value


def _pair(path: str, value: object, zone: str, now: Nanos) -> Pair | None:
    known = _KNOWN.get(path)
    if known is None:
        return (fmt.words(path), _value(value, zone))
    label, told = known
    shown = told(value, zone, now)
    return (label, shown) if shown else None


def _value(value: object, zone: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and 10 * _YEAR < value < _LATEST:
        return _clock(value, zone)
    return _compact(value)


def _compact(value: object) -> str:
    match value:
        case None | "":
            return fmt.NOTHING
        case bool():
            return "yes" if value else "no"
        case dict() | list() if len(value) > 4:
            return f"{len(value)} kept"
        case dict():
            parts = (f"{fmt.words(str(k))} {_compact(v)}" for k, v in value.items())
            return for_screen(", ".join(parts), LONGEST) or fmt.NOTHING
        case list():
            return for_screen(", ".join(map(_compact, value)), LONGEST) or fmt.NOTHING
        case _:
            return fmt.symbols_in(for_screen(value, LONGEST))


def _clock(value: object, zone: str) -> str:
    is_time = isinstance(value, int) and 0 < value < _LATEST
    return fmt.clock(Nanos(cast("int", value)), zone) if is_time else ""


def _time(value: object, zone: str, _now: Nanos) -> str:
    return _clock(value, zone) or fmt.NOTHING


def _cooldown(value: object, zone: str, now: Nanos) -> str:
    if not isinstance(value, int) or value <= now or value > _LATEST:
        return "none"
    return f"until {_clock(value, zone)}, {fmt.duration(value - now)} left"


def _plain(value: object, _zone: str, _now: Nanos) -> str:
    return _compact(value)


def _levels(value: object, _zone: str, _now: Nanos) -> str:
    match value:
        case [[call, call_oi], [put, put_oi]]:
            return (
                f"call OI {_count(call_oi)} at {_count(call)}, "
                f"put OI {_count(put_oi)} at {_count(put)}"
            )
        case _:
            return _compact(value)


def _count(value: object) -> str:
    typed = typed_number(str(value))
    return fmt.quantity(typed) if typed is not None else for_screen(value, 20)


def _figure(value: object, _zone: str, _now: Nanos) -> str:
    return fmt.NOTHING if value is None else _count(value)


def _told_if_any(value: object, _zone: str, _now: Nanos) -> str:
    return _compact(value) if value else ""


def _entry(value: object, zone: str, _now: Nanos) -> str:
    match value:
        case [_, str(instrument), int(at), reason, *_]:
            what = f"{fmt.symbols_in(for_screen(instrument, 40))} decided {_clock(at, zone)}"
            return f"{what}: {for_screen(reason, 100)}"
        case None:
            return ""
        case _:
            return _compact(value)


def _hidden(_value: object, _zone: str, _now: Nanos) -> str:
    return ""


def _size(value: object, _zone: str, _now: Nanos) -> str:
    return f"{len(value)} instruments" if isinstance(value, dict | list) and value else ""


_SHELLS: Final = frozenset({"", "strategy", "day", "bars"})
"""Tables that only hold the facts; their names say nothing to a trader."""
_KNOWN: Final[dict[str, tuple[str, Callable[[object, str, Nanos], str]]]] = {
    "phase": ("phase", _hidden),
    "direction": ("direction", _plain),
    "why": ("because", _plain),
    "strike": ("strike", _figure),
    "spot": ("spot", _figure),
    "levels": ("levels", _levels),
    "entry": ("entry under way", _entry),
    "reason": ("not entered for", _told_if_any),
    "cooldown_until": ("cooldown", _cooldown),
    "last_bar": ("last bar", _time),
    "ended": ("bars ended at", _hidden),
    "expiry": ("expiry", _plain),
    "session_start": ("day began", _time),
    "open": ("positions open", _plain),
    "oi": ("OI history", _size),
    "opening_oi": ("opening OI", _size),
    "open_oi": ("opening OI", _size),
    "tapes": ("tapes", _hidden),
}
"""Name in the memory: label, and how its value is told (nothing: not shown)."""
