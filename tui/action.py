"""What an action is: one thing the operator can do, with every way to reach it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique


@unique
class Context(Enum):
    """Where an action's keys work; the value is what help and manual call it."""

    GLOBAL = "everywhere"
    PLAIN = "every panel"
    LIST = "lists"
    TABLE = "tables"
    POSITIONS = "positions"
    LOGS = "log"
    REPLAY = "a recorded day"
    PAST = "the past"
    DIALOG = "every dialog"
    CLOSE = "close dialog"
    LEVELS = "stop and target dialog"
    QUIT = "quit dialog"
    RECOVERY = "recovery room"
    DECISIONS = "queue of decisions"


@unique
class Danger(Enum):
    """What stands between the key and its effect."""

    NONE = "at once"
    ASKS = "asks first"
    CODE = "asks for a code"


@unique
class Kind(Enum):
    """What a word of the command line means; the value is how help writes it."""

    POSITION = "SYMBOL|ID"
    AMOUNT = "QTY|PERCENT%"
    PRICE = "PRICE|off"
    THEME = "THEME"
    RATE = "FRAMES"
    LEVEL = "LEVEL"
    STRATEGY = "STRATEGY"
    VERB = "start|pause|resume|stop"
    FEED = "pause|resume|step|seek|speed"
    SESSION = "SESSION"
    NAME = "NAME"
    TEXT = "TEXT"
    """The rest of the line, spaces included."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One word after a command."""

    kind: Kind
    is_optional: bool = False

    def __str__(self) -> str:
        return f"[{self.kind.value}]" if self.is_optional else self.kind.value


@dataclass(frozen=True, slots=True)
class Action:
    """One row of the action table. It has keys, a command, or both."""

    id: str
    """Stable name, used by configuration: `position.close`."""
    keys: tuple[str, ...]
    """Default keys in Textual's names; empty: by command only."""
    label: str
    """One or two words for the footer."""
    help: str
    """What it does, as a sentence without its full stop."""
    context: Context = Context.GLOBAL
    command: str = ""
    """Word of the command line, without the colon."""
    aliases: tuple[str, ...] = ()
    arguments: tuple[Argument, ...] = ()
    danger: Danger = Danger.NONE
    needs_lease: bool = False
    """It sends a command: refused, with the reason, while this console only reads."""
    show: bool = False
    """It stands in the footer."""

    @property
    def usage(self) -> str:
        """Return the command with its arguments, or nothing if it has no command."""
        words = (f":{self.command}", *(str(argument) for argument in self.arguments))
        return " ".join(words) if self.command else ""

    @property
    def is_complete_without_arguments(self) -> bool:
        """Return whether it can be run as it stands, from the palette or by help."""
        return all(argument.is_optional for argument in self.arguments)
