"""Which names in the environment are ours, and whether anything is configured at all.

Imports nothing dear: most starts are told nothing, and need no settings library to know it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

PREFIX: Final = "HOLDFAST_"
CUSTOMARY: Final[Mapping[str, str | None]] = {
    "MAX_POSITIONS": "limits.positions_max",
    "SYMBOLS": "symbols",
    "ENABLE_DATA_QUALITY_CHECKS": "quality.enabled",
    "HEALTH_CHECK_INTERVAL": "health.interval",
    "BITVAVO_API_KEY": "secrets.bitvavo_api_key",
    "BITVAVO_API_SECRET": "secrets.bitvavo_api_secret",
    "TELEGRAM_BOT_TOKEN": "secrets.telegram_bot_token",
    "TELEGRAM_CHAT_ID": "secrets.telegram_chat_id",
    "ENABLE_PERFORMANCE_MONITORING": None,
    "ENABLE_CIRCUIT_BREAKERS": None,
    "CACHE_FEATURES": None,
    "MAX_CONCURRENT_PREDICTIONS": None,
    "FEATURE_CACHE_SIZE": None,
    "PREDICTION_FAILURE_THRESHOLD": None,
    "PREDICTION_RECOVERY_TIMEOUT": None,
    "DATA_COLLECTION_FAILURE_THRESHOLD": None,
    "CACHE_TTL_SECONDS": None,
    "MAX_CACHE_MEMORY_MB": None,
    "ERROR_NOTIFICATIONS_PER_HOUR": None,
    "TRADE_NOTIFICATIONS_PER_HOUR": None,
    "STATUS_NOTIFICATIONS_PER_HOUR": None,
}
"""Customary names and the key they set; None: known, and without effect in this version."""
_PLACE: Final = f"{PREFIX}DATA_DIR"
"""Says where everything is, and nothing of what it is to be like."""


def is_silent(
    config: Path | None,
    data_dir: Path,
    sets: Iterable[str],
    environment: Mapping[str, str] | None = None,
    env_file: Path = Path(".env"),
) -> bool:
    """Return whether no source says anything, so that all settings are the defaults."""
    env = os.environ if environment is None else environment
    return (
        config is None
        and not any(True for _ in sets)
        and not (data_dir / "holdfast.toml").exists()
        and not env_file.exists()
        and not any(name.upper().startswith(PREFIX) and name != _PLACE for name in env)
        and CUSTOMARY.keys().isdisjoint(env)
    )
