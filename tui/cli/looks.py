"""How the console looks, from the command line, the environment and the `[console]` table.

Read without the settings library, which costs a tenth of a second before the first paint. The
engine reads the same sources in full and refuses what is wrong; here a wrong value is passed over.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from tui.cli.exits import USAGE, Failure
from tui.cli.places import setting, table_of
from tui.settings import ConsoleSettings
from tui.terminal import Terminal


def console_settings(
    args: argparse.Namespace, data_dir: Path, terminal: Terminal
) -> ConsoleSettings:
    """Return what the console is to be like. Raises Failure for a file that cannot be read."""
    path = args.config if args.config is not None else data_dir / "holdfast.toml"
    found = table_of(path).get("console", {}) if args.config or path.exists() else {}
    table: dict[str, Any] = found if isinstance(found, dict) else {}
    for key in ("theme", "rate", "mouse", "bell", "keymap"):
        said = os.environ.get(f"HOLDFAST_CONSOLE__{key.upper()}")
        said = setting(f"console.{key}", args.sets, said)
        if said is not None:
            table[key] = _value(said) if key != "theme" else said
    keymap = table.get("keymap")
    return ConsoleSettings(
        terminal=terminal,
        data_dir=data_dir,
        theme=_theme(args.theme or table.get("theme"), data_dir),
        is_read_only=args.read_only,
        has_bell=table.get("bell") is not False,
        has_mouse=args.mouse if args.mouse is not None else _flag(table.get("mouse")),
        frames_per_second=_frames(table.get("rate")),
        is_slow_link=args.slow,
        keymap=keymap if isinstance(keymap, dict) else {},
    )


def _theme(name: object, data_dir: Path) -> str | None:
    """Return a theme that exists. Raises Failure naming those that do."""
    if name is None:
        return None
    from tui.theming import load_looks

    known = load_looks(data_dir / "themes")
    if name not in known:
        raise Failure(f"theme was {name!r}, allowed: {', '.join(known)}", USAGE)
    return str(name)


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _frames(rate: object) -> int | None:
    if isinstance(rate, int | float) and not isinstance(rate, bool) and 1 <= rate <= 30:
        return round(rate)
    return None
