"""Where things are: the data directory and what is in it (XDG; O-7)."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tui.cli.exits import USAGE, Failure


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


def chosen_data_dir(args: argparse.Namespace) -> Path:
    """Return the data directory of a command that also reads settings; strongest source first."""
    given: Path | None = args.data_dir
    named = setting("data_dir", args.sets, None) or os.environ.get("HOLDFAST_DATA_DIR")
    if given is None and not named and args.config is not None:
        named = table_of(args.config).get("data_dir")
    return data_dir_of(given or (Path(str(named)) if named else None))


def setting(key: str, sets: Iterable[str], default: str | None) -> str | None:
    """Return what `--set key=value` says, the last of several."""
    values = [text.partition("=")[2] for text in sets if text.partition("=")[0].strip() == key]
    return values[-1].strip() if values else default


def table_of(path: Path) -> dict[str, Any]:
    """Return a TOML file as it is. Raises Failure if it cannot be read."""
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{path}: cannot be read: {error}", USAGE) from None
    except tomllib.TOMLDecodeError as error:
        raise Failure(f"{path}: is no TOML: {error}", USAGE) from None


def make_data_dir(data_dir: Path) -> None:
    """Create a data directory that only its owner may enter. Raises Failure."""
    os.umask(0o077)
    try:
        for place in (data_dir, data_dir / "run", data_dir / "logs"):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"data directory {data_dir}: {error.strerror}", USAGE) from None


def database(data_dir: Path) -> Path:
    """Return the store of a data directory."""
    return data_dir / "holdfast.db"
