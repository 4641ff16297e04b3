"""Bars and sparklines as text. Pure; an ASCII terminal sees them through the ASCII filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tui.widgets.line import Line

_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
_SPARKS: Final = "▁▂▃▄▅▆▇█"


def bar(ratio: float, width: int) -> str:
    """Return a bar of `width` columns filled to `ratio` (0 to 1), in eighths of a column."""
    eighths = round(min(1.0, max(0.0, ratio)) * width * 8)
    full, rest = divmod(eighths, 8)
    text = "█" * full + (_EIGHTHS[rest] if rest else "")
    return text.ljust(width)


def meter(ratio: float, width: int, token: str) -> Line:
    """Return a solid bar over a faint track."""
    full = round(min(1.0, max(0.0, ratio)) * width)
    if ratio > 0 and not full:
        full = 1
    return (("━" * full, token), ("─" * (width - full), "rule"))


def sparkline(values: Sequence[float], width: int) -> str:
    """Return the newest `width` values as a line of blocks; empty without two values."""
    shown = values[-width:]
    if len(shown) < 2:
        return " " * width
    low, high = min(shown), max(shown)
    if high <= low:
        return (_SPARKS[3] * len(shown)).rjust(width)
    scale = (len(_SPARKS) - 1) / (high - low)
    return "".join(_SPARKS[int((value - low) * scale + 0.5)] for value in shown).rjust(width)


def track(
    marks: Sequence[tuple[float, str, str]], low: float, high: float, width: int, token: str
) -> Line:
    """Return a scale from `low` to `high` with marks (value, character, token) on it.

    Later marks win where two share a column; a mark outside the scale sits at its end.
    """
    line: list[tuple[str, str]] = [("─", token)] * width
    span = high - low
    for value, character, mark in marks:
        ratio = (value - low) / span if span > 0 else 0.5
        line[min(width - 1, max(0, round(ratio * (width - 1))))] = (character, mark)
    return merged(line)


def merged(spans: Sequence[tuple[str, str]]) -> Line:
    """Return the spans with neighbours of one token joined: fewer colour changes to send."""
    out: list[tuple[str, str]] = []
    for text, token in spans:
        if out and out[-1][1] == token:
            out[-1] = (out[-1][0] + text, token)
        else:
            out.append((text, token))
    return tuple(out)
