"""The command line. Every command imports what it needs when it runs: `--version` imports nothing.

The only room of the console that touches the engine's composition root.
"""

from __future__ import annotations

import sys


def main(argv: list[str] | None = None) -> int:
    """Run `holdfast` with `argv` and return its exit code (interfaces.md)."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments in (["--version"], ["-V"]):
        from tui.version import VERSION

        sys.stdout.write(f"holdfast {VERSION}\n")
        return 0
    from tui.cli.parser import run

    return run(arguments)
