"""`holdfast reset-terminal`: a terminal that a killed console left behind is usable again (P07).

A process that is killed cannot put anything back. This does, from any other shell line, also typed
blindly: mouse reports, pasting marks and the alternate screen off, cursor on, lines and echo on.
"""

from __future__ import annotations

import argparse
import os
import sys
import termios
from typing import Final

from tui.cli.exits import DONE, Failure
from tui.cli.output import say

_OFF: Final = (1000, 1002, 1003, 1005, 1006, 1015, 1016, 1004, 2004, 2026, 2048, 1049)
"""Modes that a console switches on: mouse, focus, pasting, synchronised output, its own screen."""
SEQUENCE: Final = "".join(f"\x1b[?{mode}l" for mode in _OFF) + "\x1b[<u\x1b[?25h\x1b[?7h\x1b[0m\r"


def command(_args: argparse.Namespace) -> int:
    """Put the terminal of standard input back to what a shell expects."""
    descriptor = sys.stdin.fileno()
    if not os.isatty(descriptor):
        raise Failure("standard input is no terminal: there is nothing to put back")
    os.write(descriptor, SEQUENCE.encode())
    settings = termios.tcgetattr(descriptor)
    settings[0] |= termios.BRKINT | termios.ICRNL | termios.IXON
    settings[1] |= termios.OPOST | termios.ONLCR
    settings[3] |= termios.ISIG | termios.ICANON | termios.IEXTEN
    settings[3] |= termios.ECHO | termios.ECHOE | termios.ECHOK
    termios.tcsetattr(descriptor, termios.TCSADRAIN, settings)
    say("the terminal is as a shell expects it")
    return DONE
