"""Which keys reach which action: the table's own, changed by configuration and checked."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from textual.keys import KEY_NAME_REPLACEMENTS
from textual.keys import Keys as TextualKeys

from tui.action import Action, Context, Danger
from tui.actions import ACTIONS, BY_ID, REACH, actions_in

NEVER: Final = frozenset({"ctrl+a", "ctrl+b", "ctrl+s", "ctrl+q", "ctrl+z"})
"""Keys of screen, tmux, flow control and job control."""
NEVER_DANGEROUS: Final = frozenset({"delete", "backspace", "ctrl+d", "enter", "space", "ctrl+h"})
"""Keys that fingers and terminals send by themselves."""
FIXED: Final = frozenset({"app.interrupt"})
"""The last way out is not for configuration."""

_NAMED: Final = frozenset(key.value for key in TextualKeys)
_SHOWN: Final = {
    "question_mark": "?",
    "colon": ":",
    "slash": "/",
    "percent_sign": "%",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "at": "@",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "left_parenthesis": "(",
    "right_parenthesis": ")",
    "full_stop": ".",
    "comma": ",",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "escape": "esc",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "shift+up": "shift+↑",
    "shift+down": "shift+↓",
}


class KeymapError(Exception):
    """A key map cannot be used; the message names action, key and what is allowed."""


class Keys:
    """The table's keys with an operator's changes; raises KeymapError on what cannot work."""

    def __init__(self, changes: Mapping[str, str | Sequence[str]] | None = None) -> None:
        self._keys = {action.id: action.keys for action in ACTIONS}
        self._is_changed = bool(changes)
        for name, keys in (changes or {}).items():
            self._keys[name] = _checked(name, keys)
        self._refuse_shared_keys()

    def of(self, name: str) -> tuple[str, ...]:
        """Return the keys of an action in Textual's names."""
        return self._keys[name]

    def shown(self, name: str) -> str:
        """Return an action's first key as a person knows it; empty without one."""
        keys = self._keys[name]
        return shown_key(keys[0]) if keys else ""

    def all_shown(self, name: str) -> str:
        """Return all keys of an action as a person knows them."""
        return " ".join(shown_key(key) for key in self._keys[name])

    def textual(self) -> dict[str, str]:
        """Return what `App.set_keymap` wants: everything or nothing, never a part.

        A partial map lets Textual drop a key that two actions exchange.
        """
        if not self._is_changed:
            return {}
        return {name: ",".join(keys) for name, keys in self._keys.items() if keys}

    def action_at(self, key: str, context: Context) -> Action | None:
        """Return the action that `key` reaches in `context`."""
        for where in REACH[context]:
            for action in ACTIONS:
                if action.context is where and key in self._keys[action.id]:
                    return action
        return None

    def _refuse_shared_keys(self) -> None:
        for context, is_past in ((c, past) for c in REACH for past in (False, True)):
            taken: dict[str, str] = {}
            for action in actions_in(context, is_past=is_past):
                for key in self._keys[action.id]:
                    other = taken.setdefault(key, action.id)
                    if other != action.id:
                        raise KeymapError(
                            f"keymap: {shown_key(key)} is both {other} and {action.id} "
                            f"({context.value}); give one of them another key"
                        )
        for action in ACTIONS:
            both = set(self._keys[action.id]) & set(self._keys["dialog.confirm"])
            if both and action.danger is not Danger.NONE:
                raise KeymapError(
                    f"keymap: {shown_key(min(both))} opens {action.id} and is dialog.confirm too; "
                    "a dangerous action takes two different keys"
                )


def shown_key(key: str) -> str:
    """Return a key as a person knows it: `?`, `esc`, `ctrl+p`, `X`."""
    return _SHOWN.get(key, key)


def key_name(text: str) -> str:
    """Return Textual's name of a key written by a person: `?` is `question_mark`."""
    text = text.strip()
    if len(text) == 1 and not text.isalnum():
        name = unicodedata.name(text, "").lower().replace("-", "_").replace(" ", "_")
        return KEY_NAME_REPLACEMENTS.get(name, name)
    return {"esc": "escape", "pgdn": "pagedown", "pgup": "pageup"}.get(text.lower(), text)


def _checked(name: str, keys: str | Sequence[str]) -> tuple[str, ...]:
    action = BY_ID.get(name)
    if action is None:
        near = get_close_matches(name, BY_ID, 3)
        hint = f"near it: {', '.join(near)}" if near else "docs/keys.md lists all"
        raise KeymapError(f"keymap: there is no action {name!r}; {hint}")
    if name in FIXED:
        raise KeymapError(f"keymap: {name} keeps its key ctrl+c: it is the last way out")
    parts = keys.split(",") if isinstance(keys, str) and keys.strip() != "," else list(keys)
    named = tuple(dict.fromkeys(key_name(part) for part in parts if part.strip()))
    if not named and not action.command:
        raise KeymapError(f"keymap: {name} needs a key, it has no command; was {keys!r}")
    for key in named:
        _refuse_key(action, key)
    return named


def _refuse_key(action: Action, key: str) -> None:
    if key in NEVER or key.startswith("alt+"):
        raise KeymapError(
            f"keymap: {action.id} was given {key}, which terminals keep for themselves "
            f"(also {', '.join(sorted(NEVER))}, alt+letter)"
        )
    if not (key in _NAMED or len(key) == 1 or key in KEY_NAME_REPLACEMENTS.values()) and not (
        _is_punctuation(key)
    ):
        raise KeymapError(
            f"keymap: {action.id} was given {key!r}, which is no key; write e.g. x, X, ?, ctrl+k"
        )
    if action.danger is not Danger.NONE and key in NEVER_DANGEROUS:
        raise KeymapError(
            f"keymap: {action.id} is dangerous and was given {key}; "
            f"not allowed for it: {', '.join(sorted(NEVER_DANGEROUS))}"
        )


def _is_punctuation(name: str) -> bool:
    try:
        return not unicodedata.lookup(name.replace("_", " ")).isalnum()
    except KeyError:
        return False
