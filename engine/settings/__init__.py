"""Configuration: one TOML file, environment, `.env` and `--set`, checked before anything starts."""

from __future__ import annotations

from engine.settings.model import Settings
from engine.settings.sources import Loaded, SettingsError, load

__all__ = ["Loaded", "Settings", "SettingsError", "load"]
