"""The one door for text from outside (C-8): what passes is visible, short and cannot command.

Symbols, log lines, venue messages and notes may carry escape sequences, bidirectional controls
or a megabyte of combining marks. `for_screen` turns each of them into a visible escape.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

LIMIT: Final = 500
"""Longest text that is shown; the rest is an ellipsis."""
MARKS_MAX: Final = 3
"""Combining marks kept behind one character."""

_SUSPECT: Final = re.compile(r"[^\x20-\x7e]")
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories without a shape of their own."""
_RAW: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


def for_screen(value: object, limit: int = LIMIT) -> str:
    """Return `value` as text that can be drawn: one line, no controls, at most `limit` long."""
    return _clean(str(value)[: limit + 1], limit)


@lru_cache(maxsize=4096)
def _clean(text: str, limit: int) -> str:
    if not _SUSPECT.search(text):
        return text if len(text) <= limit else text[: limit - 1] + "…"
    out: list[str] = []
    length = marks = 0
    for character in text:
        if unicodedata.combining(character):
            marks += 1
            if marks > MARKS_MAX:
                continue
        else:
            marks = 0
        shown = _visible(character)
        if length + len(shown) >= limit:
            out.append("…")
            break
        out.append(shown)
        length += len(shown)
    return "".join(out)


def _visible(character: str) -> str:
    if unicodedata.category(character) not in _HIDDEN:
        return character
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def without_controls(text: str) -> str:
    """Return `text` with every control replaced by `?`: the last net below every widget.

    Keeps the width, so that it may run over lines that are already laid out.
    """
    return _RAW.sub("?", text) if _RAW.search(text) else text
