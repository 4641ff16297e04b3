"""After the first paint: what was left out to be quick is made good, before a key asks for it."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tui.app import Console

SETTLED_SECONDS: Final = 1.0
"""After so long everything that stays has been made."""
GC_THRESHOLDS: Final = (50_000, 20, 50)
"""Rarer collections than the default: a full one takes milliseconds (field/speed.md, 0.7)."""


def settle(app: Console) -> None:
    """Import the dialogs; collect garbage from here on, but never look through what stays."""
    _ = app.deeds
    gc.set_threshold(*GC_THRESHOLDS)
    gc.freeze()
    gc.enable()
