"""The real console attached to the engine that serves a socket.

`python -m tests.bench.victims.console SOCKET [--slow]`
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tui.terminal import prepare, speak_utf8

TERMINAL = prepare()
speak_utf8()

from engine.link.client import SocketLink
from engine.link.frames import Hello
from engine.runtime.clock import SystemClock
from tui.app import Console
from tui.settings import ConsoleSettings


def main() -> None:
    link = SocketLink(Path(sys.argv[1]), Hello("bench", f"bench-{os.getpid()}"))
    settings = ConsoleSettings(terminal=TERMINAL, is_slow_link="--slow" in sys.argv)
    app = Console(link, SystemClock(), settings)
    app.run(mouse=False)
    os._exit(app.return_code or 0)


if __name__ == "__main__":
    main()
