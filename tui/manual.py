"""The manual page of keys and commands, written from the action table: `docs/keys.md`.

`python -m tui.manual > docs/keys.md` writes it; a test holds it current.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from tui.action import Action, Context, Danger
from tui.actions import ACTIONS
from tui.keymap import Keys

_HEAD = """# Keys and commands

Generated from the action table (`tui/actions.py`); `python -m tui.manual > docs/keys.md`.

Inside the console `?` lists the keys that work where you are, `ctrl+p` searches every command,
`:` takes a typed command and `tab` completes it. Any key can be changed in the configuration:

```toml
[console.keymap]
"position.close" = "c"
"display.theme" = "T,ctrl+t"
```

An unknown action, a key that means two things in one place, and a key that terminals keep for
themselves are refused at start-up by name. A dialog that asks first starts on Cancel, ignores what
was typed before it could be read (300 ms), and cancels itself after 20 s.
"""


def manual(keys: Keys | None = None) -> str:
    """Return the manual page as Markdown."""
    known = keys or Keys()
    parts = [_HEAD]
    for context in Context:
        rows = [action for action in ACTIONS if action.context is context]
        parts.append(f"\n## {context.value.capitalize()}\n\n")
        parts.append(_table(rows, known))
    return "".join(parts)


def _table(rows: Iterable[Action], keys: Keys) -> str:
    lines = ["| key | command | what it does | name |", "|---|---|---|---|"]
    for action in rows:
        shown = " ".join(f"`{key}`" for key in keys.all_shown(action.id).split())
        usage = f"`{action.usage}`".replace("|", "\\|") if action.usage else ""
        danger = "" if action.danger is Danger.NONE else f" — {action.danger.value}"
        lines.append(f"| {shown} | {usage} | {action.help}{danger} | `{action.id}` |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(manual())
