"""`python -m tui.cli`: how the console starts an engine in a process of its own."""

from __future__ import annotations

import sys

from tui.cli import main

if __name__ == "__main__":
    sys.exit(main())
