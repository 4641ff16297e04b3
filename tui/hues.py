"""The colour tokens of scores and health levels: one place, for every panel that shows them."""

from __future__ import annotations

from typing import Final

from engine.domain.health import Level

LEVELS: Final = {
    Level.EXCELLENT: "ok",
    Level.GOOD: "ok",
    Level.FAIR: "warning",
    Level.POOR: "error",
    Level.CRITICAL: "live",
}


def hue_of(score: float) -> str:
    """Return the token of a score; the figure beside it says the same."""
    return "bar" if score >= 75 else "warning" if score >= 40 else "error"
