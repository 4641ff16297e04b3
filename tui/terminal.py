"""The terminal: what it can do, what must be set before Textual is imported, what ends the app.

`prepare` runs before the first `import textual` (the frame rate is read while importing).
"""

from __future__ import annotations

import io
import os
import signal
import sys
import termios
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio

HINT: Final = "run `holdfast run --headless` for an engine without a console"
LOW_COLOUR: Final = frozenset({"screen", "linux", "vt100", "vt220", "xterm", "ansi", "cons25"})
"""TERM values whose terminals promise sixteen colours or fewer."""
SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class TerminalError(Exception):
    """No console can be drawn here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """What was found out before drawing."""

    is_utf8: bool = True
    is_mono: bool = False
    """NO_COLOR is set."""
    is_low_colour: bool = False
    is_remote: bool = False
    """Over SSH: fewer frames, no mouse."""
    is_tmux: bool = False

    @property
    def theme(self) -> str:
        """The theme that fits when nobody chose one."""
        return "mono" if self.is_mono else "ansi-16" if self.is_low_colour else "dark"

    @property
    def frames_per_second(self) -> int:
        return 4 if self.is_remote else 10

    @property
    def has_mouse(self) -> bool:
        """Whether the mouse is on when nobody asked: it costs bytes and selection elsewhere."""
        return not (self.is_remote or self.is_tmux)


def examine(environment: Mapping[str, str], encoding: str = "utf-8") -> Terminal:
    """Return what the environment says of the terminal."""
    term = environment.get("TERM", "")
    is_true_colour = environment.get("COLORTERM", "") in {"truecolor", "24bit"}
    return Terminal(
        is_utf8=encoding.lower().replace("-", "") in {"utf8", "utf8mb4"},
        is_mono="NO_COLOR" in environment,
        is_low_colour=not is_true_colour and (not term or term in LOW_COLOUR),
        is_remote=any(name in environment for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT")),
        is_tmux="TMUX" in environment or term.startswith(("tmux", "screen")),
    )


def prepare(environment: MutableMapping[str, str] | None = None) -> Terminal:
    """Set what Textual reads while it is imported, and return the terminal's facts."""
    env = os.environ if environment is None else environment
    terminal = examine(env, _encoding())
    defaults = {"TEXTUAL_FPS": "240", "TEXTUAL_ANIMATIONS": "none", "TEXTUAL_SMOOTH_SCROLL": "0"}
    if terminal.is_tmux:
        defaults["TEXTUAL_DISABLE_KITTY_KEY"] = "1"
    for name, value in defaults.items():
        env.setdefault(name, value)
    if terminal.is_mono:
        env.pop("NO_COLOR", None)  # Textual would write grey 24-bit colours; our theme has none
    if terminal.is_low_colour:
        env.setdefault("TEXTUAL_COLOR_SYSTEM", "standard")
    return terminal


def require(environment: Mapping[str, str]) -> None:
    """Raise TerminalError when there is no terminal that could show a console."""
    if not (_is_tty(0) and _is_tty(2)):
        raise TerminalError(f"standard input and error are not a terminal: {HINT}")
    if environment.get("TERM") == "dumb":
        raise TerminalError(f"TERM is dumb, so nothing can be drawn: {HINT}")


def speak_utf8() -> None:
    """Let Textual write UTF-8 to its stream (standard error) whatever the locale says."""
    stream = sys.__stderr__
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", errors="replace")


def on_signals(loop: asyncio.AbstractEventLoop, leave: Callable[[int], None]) -> None:
    """Leave in order (exit code 128 + n) when told to; never let ctrl+z stop the process."""
    for number in SIGNALS:
        loop.add_signal_handler(number, leave, 128 + number)
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)


def is_gone() -> bool:
    """Return whether the terminal went away without a signal (nohup, a closed pty)."""
    try:
        termios.tcgetattr(0)
    except (termios.error, OSError, ValueError):
        return True
    return False


def _is_tty(number: int) -> bool:
    try:
        return os.isatty(number)
    except OSError:
        return False


def _encoding() -> str:
    """Return what the locale speaks (LC_ALL, LC_CTYPE, LANG), before Python coerces it."""
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return "utf-8" if "utf" in value.lower() else "ascii"
    return "ascii"
