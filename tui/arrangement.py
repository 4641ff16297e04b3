"""Where panels stand: a pure function of the view and the size of the terminal (C-5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from textual.geometry import Region

LEAST: Final = (40, 10)
"""Below this only a notice is drawn; the engine goes on."""
WIDE: Final = (150, 40)
MEDIUM: Final = (100, 30)

VIEWS: Final[dict[str, tuple[str, ...]]] = {
    "dashboard": ("positions", "stops", "chart", "trades", "log", "health"),
    "positions": ("positions", "trades", "detail", "stops", "shadows"),
    "strategies": ("strategies", "strategy"),
    "health": ("components", "quality", "latency"),
    "logs": ("log", "record"),
    "sessions": ("sessions", "session"),
}
"""The panels of each view, in the order of the tab key."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Regions of the panels on screen; the others are hidden."""

    regions: dict[str, Region]
    tabs: tuple[str, ...] = ()
    """Panels that share one place; the first of them is the one shown."""


def arrange(view: str, width: int, height: int, *, front: str = "", zoomed: str = "") -> Plan:
    """Return the plan for a body of `width` x `height`; `front` is the tab shown in a fold."""
    if zoomed in VIEWS[view]:
        return Plan({zoomed: Region(0, 0, width, height)})
    if height < 14:
        names = VIEWS[view]
        shown = front if front in names else names[0]
        rest = tuple(name for name in names if name != shown)
        return Plan({shown: Region(0, 0, width, height)}, (shown, *rest))
    match view:
        case "dashboard":
            return _dashboard(width, height, front)
        case "positions":
            return _positions(width, height, front)
        case "health":
            return _health(width, height, front)
        case "strategies":
            return _stacked(("strategies", "strategy"), (max(6, height // 4),), width, height)
        case "sessions":
            return _sessions(width, height)
        case _:
            return _stacked(("log", "record"), (height - max(6, height // 5),), width, height)


def _stacked(names: tuple[str, ...], heights: tuple[int, ...], width: int, height: int) -> Plan:
    regions: dict[str, Region] = {}
    y = 0
    for name, rows in zip(names, (*heights, height - sum(heights)), strict=True):
        regions[name] = Region(0, y, width, rows)
        y += rows
    return Plan(regions)


def _fold(names: tuple[str, ...], front: str) -> tuple[str, ...]:
    shown = front if front in names else names[0]
    return (shown, *(name for name in names if name != shown))


def _dashboard(width: int, height: int, front: str) -> Plan:
    if width >= WIDE[0] and height >= WIDE[1] - 3:
        return _wide_dashboard(width, height)
    if width >= MEDIUM[0] and height >= MEDIUM[1] - 4:
        upper, middle = height * 2 // 5, min(13, height // 3 + 1)
        left = width * 11 // 20
        tabs = _fold(("health", "chart", "trades"), front)
        regions = {
            "positions": Region(0, 0, width, upper),
            "stops": Region(0, upper, left, middle),
            tabs[0]: Region(left + 1, upper, width - left - 1, middle),
            "log": Region(0, upper + middle, width, height - upper - middle),
        }
        return Plan(regions, tabs)
    tabs = _fold(("log", "health", "trades", "chart"), front)
    ladder, fold = min(9, max(5, height * 3 // 8)), max(4, height // 6)
    upper = height - ladder - fold
    regions = {
        "positions": Region(0, 0, width, upper),
        "stops": Region(0, upper, width, ladder),
        tabs[0]: Region(0, upper + ladder, width, fold),
    }
    return Plan(regions, tabs)


def _wide_dashboard(width: int, height: int) -> Plan:
    right = max(62, width // 3)
    left = width - right - 1
    upper, closed = height * 2 // 5, max(6, height // 6)
    ladder, bars = 13, 11
    chart = height - ladder - bars
    return Plan(
        {
            "positions": Region(0, 0, left, upper),
            "trades": Region(0, upper, left, closed),
            "log": Region(0, upper + closed, left, height - upper - closed),
            "stops": Region(left + 1, 0, right, ladder),
            "chart": Region(left + 1, ladder, right, chart),
            "health": Region(left + 1, ladder + chart, right, bars),
        }
    )


def _positions(width: int, height: int, front: str) -> Plan:
    if width >= WIDE[0]:
        right = max(62, width // 3)
        left = width - right - 1
        upper, ladder, lower = height // 2, min(20, height // 2), max(5, height // 5)
        return Plan(
            {
                "positions": Region(0, 0, left, upper),
                "trades": Region(0, upper, left, height - upper - lower),
                "shadows": Region(0, height - lower, left, lower),
                "stops": Region(left + 1, 0, right, ladder),
                "detail": Region(left + 1, ladder, right, height - ladder),
            }
        )
    tabs = _fold(("detail", "stops", "shadows"), front)
    upper = lower = max(5, height * 3 // 10)  # the detail has most to say
    return Plan(
        {
            "positions": Region(0, 0, width, upper),
            "trades": Region(0, upper, width, lower),
            tabs[0]: Region(0, upper + lower, width, height - upper - lower),
        },
        tabs,
    )


def _sessions(width: int, height: int) -> Plan:
    if width < WIDE[0]:
        return _stacked(("sessions", "session"), (max(6, height * 2 // 5),), width, height)
    left = width * 3 // 5
    return Plan(
        {
            "sessions": Region(0, 0, left, height),
            "session": Region(left + 1, 0, width - left - 1, height),
        }
    )


def _health(width: int, height: int, front: str) -> Plan:
    if width >= MEDIUM[0]:
        left, lower = width * 11 // 20, min(10, height // 3)
        return Plan(
            {
                "components": Region(0, 0, left, height),
                "latency": Region(left + 1, 0, width - left - 1, lower),
                "quality": Region(left + 1, lower, width - left - 1, height - lower),
            }
        )
    tabs = _fold(("quality", "latency"), front)
    upper = height * 3 // 5
    return Plan(
        {
            "components": Region(0, 0, width, upper),
            tabs[0]: Region(0, upper, width, height - upper),
        },
        tabs,
    )
