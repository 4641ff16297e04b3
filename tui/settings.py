"""What a console can be told: by configuration, command line, and what the terminal says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tui.terminal import Terminal


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """Everything has a default; None means: as the terminal suggests."""

    terminal: Terminal = field(default_factory=Terminal)
    data_dir: Path | None = None
    """Where the console remembers its looks, and finds the user's own `themes/`."""
    theme: str | None = None
    is_read_only: bool = False
    has_bell: bool = True
    has_title: bool = True
    """Whether the terminal's title shows P&L and alerts."""
    has_mouse: bool | None = None
    frames_per_second: int | None = None
    is_slow_link: bool = False
    """At most 2 frames a second, and sixteen colours unless a theme was asked for."""
    keymap: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    """Action id to keys."""
    view: str | None = None
    """The screen to start with; None: the one it was left with."""

    @property
    def frame_seconds(self) -> float:
        """Time between two frames."""
        rate = self.frames_per_second or self.terminal.frames_per_second
        return 1 / (min(rate, 2) if self.is_slow_link else rate)

    @property
    def mouse(self) -> bool:
        return self.terminal.has_mouse if self.has_mouse is None else self.has_mouse

    def theme_of(self, remembered: str) -> str:
        """Return the theme to start with: asked for, fit for the link, remembered, or fitting.

        `remembered` is what was chosen on a terminal of this kind (C-4).
        """
        if self.terminal.is_mono:
            return self.terminal.theme
        if self.is_slow_link and self.theme is None:
            return "ansi-16"
        return self.theme or remembered or self.terminal.theme
