"""Fewer bytes for the same picture: colour changes are sent as differences (C-7, B-9).

Rich writes every run of text as `set everything, text, reset`. A 24-bit foreground and background
cost 42 bytes a run; most runs keep the background, and blanks need no foreground at all.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

_ESCAPE: Final = re.compile(r"\x1b\[([0-9;]*)m|(\x1b\[[0-9;]*H)")
"""A colour change (group 1), or a cursor move, which colours do not touch (group 2)."""
_RESET: Final = "\x1b[0m"
_OFF: Final = dict(
    zip("123456789", ("22", "22", "23", "24", "25", "25", "27", "28", "29"), strict=True)
)
"""What ends an attribute; bold and dim end together."""
_DECORATED: Final = frozenset({"4", "7", "9"})
"""Attributes that a blank shows: underline, reverse and strike."""


class Pen(NamedTuple):
    """What the terminal draws with."""

    fore: str = ""
    back: str = ""
    attributes: frozenset[str] = frozenset()


PLAIN: Final = Pen()


@lru_cache(maxsize=2048)
def _pen(codes: str) -> Pen | None:
    """Return the pen of an absolute colour change; None for codes that are not understood."""
    parts = codes.split(";") if codes else ["0"]
    fore = back = ""
    attributes: set[str] = set()
    at = 0
    while at < len(parts):
        part = parts[at]
        size = 1
        if part in {"38", "48"}:
            size = 5 if parts[at + 1 : at + 2] == ["2"] else 3
            text = ";".join(parts[at : at + size])
            fore, back = (text, back) if part == "38" else (fore, text)
        elif part == "0":
            fore, back = "", ""
            attributes.clear()
        elif part.isdecimal() and (30 <= int(part) <= 37 or 90 <= int(part) <= 97):
            fore = part
        elif part.isdecimal() and (40 <= int(part) <= 47 or 100 <= int(part) <= 107):
            back = part
        elif part == "39":
            fore = ""
        elif part == "49":
            back = ""
        elif part in _OFF:
            attributes.add(part)
        else:
            return None
        at += size
    return Pen(fore, back, frozenset(attributes))


@lru_cache(maxsize=8192)
def _change(before: Pen, after: Pen) -> str:
    """Return the shortest escape that turns one pen into another."""
    if before == after:
        return ""
    if after == PLAIN:
        return _RESET
    codes = _codes(before, after)
    fresh = ["0", *_codes(PLAIN, after)]
    if len(";".join(fresh)) < len(";".join(codes)):
        codes = fresh
    return f"\x1b[{';'.join(codes)}m"


def _codes(before: Pen, after: Pen) -> list[str]:
    dropped = {_OFF[attribute] for attribute in before.attributes - after.attributes}
    kept = {a for a in before.attributes & after.attributes if _OFF[a] not in dropped}
    codes = [*sorted(dropped), *sorted(after.attributes - kept)]
    if after.fore != before.fore:
        codes.append(after.fore or "39")
    if after.back != before.back:
        codes.append(after.back or "49")
    return codes


def _for_blank(now: Pen, wanted: Pen) -> Pen:
    """Return what is enough for blanks: the background, unless something shows on blanks."""
    if (now.attributes | wanted.attributes) & _DECORATED:
        return wanted
    return Pen(now.fore, wanted.back, now.attributes)


def squeezed(frame: str) -> str:
    """Return `frame` with the same effect on a terminal whose pen is plain before and after.

    A frame with colour codes that are not understood is returned as it was.
    """
    if "\x1b[" not in frame:
        return frame
    out: list[str] = []
    now, wanted, at = PLAIN, PLAIN, 0
    for match in _ESCAPE.finditer(frame):
        text = frame[at : match.start()]
        at = match.end()
        if text:
            now = _draw(out, text, now, wanted)
        if match[2] is not None:
            out.append(match[2])
            continue
        pen = _pen(match[1])
        if pen is None:
            return frame
        wanted = pen
    rest = frame[at:]
    if rest:
        now = _draw(out, rest, now, wanted)
    if now != PLAIN:
        out.append(_RESET)
    return "".join(out)


def _draw(out: list[str], text: str, now: Pen, wanted: Pen) -> Pen:
    """Append `text` with what it needs; return the pen afterwards."""
    pen = _for_blank(now, wanted) if text.isspace() and "\n" not in text else wanted
    change = _change(now, pen)
    if change:
        out.append(change)
    out.append(text)
    return pen
