"""The `:` command line, without a screen: from a typed line to an action, and what fits next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Final

from tui.action import Action, Argument, Kind
from tui.actions import ACTIONS
from tui.recording import VERBS as FEED_VERBS
from tui.typed import typed_number

LEVELS: Final = ("debug", "info", "warning", "error", "critical")
VERBS: Final = ("start", "pause", "resume", "stop")
_FEED_NOTES: Final = {
    "pause": "hold it still",
    "resume": "let it run on",
    "step": "hold it and deliver one item, or so many",
    "seek": "a later time: 11:30 or 11:30:05",
    "speed": "recorded seconds per second, or max",
}
RATES: Final = range(1, 31)
OFF: Final = "off"
"""Stands for no price: remove the operator's own stop or target."""

COMMANDS: Final[dict[str, Action]] = {
    word: action
    for action in ACTIONS
    if action.command
    for word in (action.command, *action.aliases)
}


class CommandError(Exception):
    """A line cannot be run; the message says what was typed and what is allowed."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What names can stand for right now."""

    positions: tuple[tuple[str, str], ...] = ()
    """(position id, symbol as shown) of every open position."""
    themes: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Invocation:
    """An action with its arguments, checked: positions are ids, numbers are numbers."""

    action: Action
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """One way to go on."""

    line: str
    """The whole line with it."""
    help: str


def parse(line: str, scope: Scope) -> Invocation:
    """Return what `line` (with or without its colon) asks for; raises CommandError."""
    text = line.strip().removeprefix(":").strip()
    if not text:
        raise CommandError("nothing typed; e.g. :close SYMBOL, or tab for a list")
    word, _, rest = text.partition(" ")
    action = _command(word)
    return Invocation(action, _arguments(action, rest.strip(), scope))


def complete(line: str, scope: Scope, limit: int = 8) -> list[Completion]:
    """Return how `line` can go on, best first."""
    text = line.lstrip().removeprefix(":").lstrip()
    word, space, rest = text.partition(" ")
    if not space:
        found = [name for name in sorted(COMMANDS) if name.startswith(word)]
        own = [name for name in found if COMMANDS[name].command == name]
        return [
            Completion(_with_room(COMMANDS[name]), f"{COMMANDS[name].usage}  {COMMANDS[name].help}")
            for name in own or found
        ][:limit]
    action = COMMANDS.get(word)
    if action is None:
        return []
    done, _, start = rest.rpartition(" ")
    index = len(done.split())
    if index >= len(action.arguments):
        return []
    head = f"{word} {done} " if done else f"{word} "
    return [
        Completion(head + value, note)
        for value, note in _choices(action.arguments[index], scope)
        if start.lower() in value.lower() or start.lower() in note.lower()
    ][:limit]


def _with_room(action: Action) -> str:
    return f"{action.command} " if action.arguments else action.command


def _command(word: str) -> Action:
    action = COMMANDS.get(word)
    if action is not None:
        return action
    found = sorted({a.command for name, a in COMMANDS.items() if word and name.startswith(word)})
    if len(found) == 1:
        return COMMANDS[found[0]]
    if found:
        raise CommandError(f":{_cut(word)} can be {', '.join(f':{name}' for name in found)}")
    near = get_close_matches(word, COMMANDS, 3)
    hint = f"near it: {', '.join(f':{name}' for name in near)}" if near else "tab lists all"
    raise CommandError(f"no command :{_cut(word)}; {hint}")


def _arguments(action: Action, rest: str, scope: Scope) -> tuple[str, ...]:
    values: list[str] = []
    for argument in action.arguments:
        if not rest:
            if argument.is_optional:
                break
            raise CommandError(f":{action.command} needs {argument}; write {action.usage}")
        if argument.kind is Kind.TEXT:
            word, rest = rest, ""
        else:
            word, _, rest = rest.partition(" ")
            rest = rest.strip()
        values.append(_value(argument, word, scope))
    if rest:
        raise CommandError(f"too much: {_cut(rest)!r}; write {action.usage}")
    return tuple(values)


def _value(argument: Argument, word: str, scope: Scope) -> str:
    allowed = {
        Kind.THEME: scope.themes,
        Kind.STRATEGY: scope.strategies,
        Kind.SESSION: scope.sessions or (word,),
        Kind.LEVEL: LEVELS,
        Kind.VERB: VERBS,
        Kind.FEED: FEED_VERBS,
    }.get(argument.kind)
    if allowed is not None:
        return _one_of(word, allowed, argument.kind.name.lower())
    match argument.kind:
        case Kind.POSITION:
            return _position(word, scope)
        case Kind.AMOUNT:
            _number(word.removesuffix("%"), "a quantity or a percentage such as 75 or 50%", word)
            return word
        case Kind.PRICE if word != OFF:
            return str(_number(word, "a price above 0, or off", word))
        case Kind.RATE if not (word.isdecimal() and word.isascii() and int(word) in RATES):
            raise CommandError(f"was {_cut(word)!r}; frames a second are 1 to {RATES[-1]}")
        case Kind.NAME:
            return _file_name(word)
        case _:
            return word


def _position(word: str, scope: Scope) -> str:
    if any(word == name for name, _ in scope.positions):
        return word
    wanted = word.lower()
    found = [name for name, symbol in scope.positions if symbol.lower() == wanted]
    found = found or [name for name, symbol in scope.positions if wanted in symbol.lower()]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(_cut(name) for name in found[:6])
        raise CommandError(f"{_cut(word)!r} fits {len(found)} positions; give the id: {ids}")
    symbols = ", ".join(_cut(symbol) for _, symbol in scope.positions[:6]) or "none is open"
    raise CommandError(f"no open position {_cut(word)!r}; open: {symbols}")


def _number(text: str, allowed: str, typed: str) -> Decimal:
    value = typed_number(text)
    if value is None:
        raise CommandError(f"was {_cut(typed)!r}; allowed: {allowed}")
    return value


def _one_of(word: str, allowed: Sequence[str], what: str) -> str:
    if word in allowed:
        return word
    found = [name for name in allowed if name.startswith(word)]
    if len(found) == 1:
        return found[0]
    raise CommandError(f"no {what} {_cut(word)!r}; allowed: {', '.join(map(_cut, allowed)) or '–'}")


def _file_name(word: str) -> str:
    if word.startswith(".") or not all(c.isalnum() or c in "-_." for c in word):
        raise CommandError(f"was {_cut(word)!r}; a name is letters, digits, - _ . and no path")
    return word


def _choices(argument: Argument, scope: Scope) -> list[tuple[str, str]]:
    match argument.kind:
        case Kind.POSITION:
            return [(name, symbol) for name, symbol in scope.positions]
        case Kind.THEME:
            return [(name, "theme") for name in scope.themes]
        case Kind.STRATEGY:
            return [(name, "strategy") for name in scope.strategies]
        case Kind.SESSION:
            return [(name, "session") for name in scope.sessions]
        case Kind.VERB:
            return [(verb, "") for verb in VERBS]
        case Kind.FEED:
            return [(verb, _FEED_NOTES[verb]) for verb in FEED_VERBS]
        case Kind.LEVEL:
            return [(level, "and above") for level in LEVELS]
        case Kind.AMOUNT:
            return [("25%", ""), ("50%", ""), ("100%", "all of it")]
        case Kind.PRICE:
            return [(OFF, "no price of your own; the rules stay")]
        case _:
            return []


def _cut(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
