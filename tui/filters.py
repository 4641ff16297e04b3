"""The last doors before the terminal: every widget's output passes here, also a dialog's."""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter, NoColor

from tui.sanitise import without_controls
from tui.terminal import Terminal

_ASCII: Final = str.maketrans(
    {
        **dict.fromkeys("─━┄╌▔▁", "-"),
        **dict.fromkeys("│┃┆▏▎▍▌▋▊▉┤├┼╎", "|"),
        **dict.fromkeys("█▇▆", "#"),
        **dict.fromkeys("▅▄", "+"),
        **dict.fromkeys("▃▂░", "."),
        **dict.fromkeys("▲↑△⬆", "^"),
        **dict.fromkeys("▼↓▽⬇", "v"),
        **dict.fromkeys("▶▸›→", ">"),
        **dict.fromkeys("◀◂‹←", "<"),
        **dict.fromkeys("●◆■•", "*"),
        **dict.fromkeys("○◇□", "o"),
        **dict.fromkeys("╭╮╰╯┌┐└┘┬┴", "+"),
        **dict.fromkeys("–—−", "-"),
        **dict.fromkeys("▘▝▀▖▞▛▗▚▐▜▙▟", "*"),
        "…": "~",
        "·": ".",
        "×": "x",
        "≥": ">",
        "≤": "<",
        "₹": "R",
        "\u00a0": " ",
    }
)


def to_ascii(text: str) -> str:
    """Return `text` in ASCII and as wide as it was; what has no counterpart is a `?`."""
    if text.isascii():
        return text
    plain = text.translate(_ASCII)
    if plain.isascii():
        return plain
    return "".join(c if c.isascii() else "?" * cell_len(c) for c in plain)


class AsciiFilter(LineFilter):
    """For terminals whose locale is not UTF-8."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(to_ascii(text), style, control) for text, style, control in segments]


class SafetyFilter(LineFilter):
    """Nothing that a widget draws may carry a control byte, wherever its text came from (C-8)."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            Segment(without_controls(text), style, control) for text, style, control in segments
        ]


def filters_of(terminal: Terminal) -> list[LineFilter]:
    """Return the doors that a terminal needs, beside Textual's own."""
    filters: list[LineFilter] = [SafetyFilter()]
    if not terminal.is_utf8:
        filters.append(AsciiFilter())
    if terminal.is_mono:
        filters.append(NoColor())
    return filters
