"""When Python looks for garbage: seldom, and never through what the start has made.

A full collection takes milliseconds, and the default ones a tenth of a replay (field/speed.md).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

THRESHOLDS: Final = (50_000, 20, 50)


@contextmanager
def seldom() -> Iterator[None]:
    """Collect seldom while the context lasts."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
