"""Exit codes (interfaces.md), and how a failure becomes one clear line and one of them."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
"""Wrong usage, configuration, or a file that cannot be used."""
HELD: Final = 3
"""Another engine holds the data directory."""
STORE_REFUSED: Final = 4
NEEDS_DECISION: Final = 5
NOT_RUNNING: Final = 6
SIGNALLED: Final = 128
"""Plus the number of the signal."""

EPILOG: Final = """\
exit codes: 0 done, 1 failed or refused, 2 wrong usage, configuration or input file,
3 the data directory is held by another engine, 4 store refused (damaged, other mode),
5 a decision is needed, 6 no engine is running, 128+n ended by signal n"""


class Failure(Exception):
    """A command cannot go on; the message is for the person, the code for the shell."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code
