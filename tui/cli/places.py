"""Where things are: the data directory and what is in it (XDG; O-7)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def default_data_dir(environment: Mapping[str, str] | None = None) -> Path:
    """Return `$HOLDFAST_DATA_DIR`, else `$XDG_DATA_HOME/holdfast`, else its customary place."""
    env = os.environ if environment is None else environment
    named = env.get("HOLDFAST_DATA_DIR")
    if named:
        return Path(named).expanduser()
    base = env.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "holdfast"


def data_dir_of(given: Path | None) -> Path:
    """Return the data directory of a command, absolute."""
    return (given or default_data_dir()).expanduser().absolute()


def database(data_dir: Path) -> Path:
    """Return the store of a data directory."""
    return data_dir / "holdfast.db"
