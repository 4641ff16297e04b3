"""The smallest Textual application: floor of start-up and of key to paint."""

from __future__ import annotations

import os

os.environ.setdefault("TEXTUAL_FPS", "240")
os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")

from textual.app import App, ComposeResult
from textual.events import Key
from textual.widgets import Static


class Minimal(App[None]):
    """Shows how many keys were pressed, as the symbol on a line that begins with `>`."""

    presses = 0

    def compose(self) -> ComposeResult:
        yield Static(">k0 ready", markup=False)

    def on_key(self, event: Key) -> None:
        self.presses += 1
        self.query_one(Static).update(f">k{self.presses} ready", layout=False)


if __name__ == "__main__":
    Minimal().run(mouse=False)
