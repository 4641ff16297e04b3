"""`holdfast config`: the values in force, and where each came from; secrets are masked."""

from __future__ import annotations

import argparse

from tui.cli.exits import DONE, USAGE, Failure
from tui.cli.output import as_json, say, table
from tui.cli.places import data_dir_of


def command(args: argparse.Namespace) -> int:
    """Print the effective configuration."""
    from engine.settings import SettingsError, load

    try:
        loaded = load(args.config, data_dir=data_dir_of(args.data_dir), sets=args.sets)
    except SettingsError as error:
        raise Failure(str(error), USAGE) from None
    rows = [{"key": k, "value": v, "source": s} for k, v, s in loaded.effective()]
    if args.json:
        as_json(rows)
        return DONE
    table(rows, ("key", "value", "source"))
    for name in loaded.idle:
        say(f"{name} is known and has no effect in this version")
    return DONE
