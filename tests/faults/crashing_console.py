"""`holdfast` with a fault in its console, some moments after it saw its engine."""

from __future__ import annotations

import sys

from engine.link.protocol import Update, Welcome
from tui.cli import hosted, main


class CrashingConsole(hosted.HostedConsole):
    """Fails in a callback of its own, as a programming error would."""

    def receive(self, update: Update) -> None:
        super().receive(update)
        if isinstance(update, Welcome):
            secret = "a value that no screen may show"
            self.set_timer(0.3, lambda: self.fail(secret))

    def fail(self, text: str) -> None:
        raise RuntimeError("planted fault")


hosted.HostedConsole = CrashingConsole  # type: ignore[misc]

if __name__ == "__main__":
    sys.exit(main())
