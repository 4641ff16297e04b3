"""The version, where it costs nothing to read."""

from __future__ import annotations

from typing import Final

VERSION: Final = "0.1.0"
