"""Configuration: one TOML file, environment, `.env` and `--set`, checked before anything starts.

The settings library is imported with the first name that is asked for, not with this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.settings.model import Settings
    from engine.settings.sources import Loaded, SettingsError, load

__all__ = ["Loaded", "Settings", "SettingsError", "load"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from engine.settings import sources

    return getattr(sources, name)
