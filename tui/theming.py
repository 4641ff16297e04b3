"""Themes are files: `themes/*.toml` beside the packages, or in a wheel; a user's own beside them.

A theme names colours for Textual's own widgets (`[base]`) and the styles of the console's
meanings (`[tokens]`: profit, loss, near, stale, …) in Rich's style words.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rich.errors import StyleSyntaxError
from rich.style import Style
from textual.theme import BUILTIN_THEMES, Theme

_HERE: Final = Path(__file__).parent

DEFAULT: Final = "dark"
MONO: Final = "mono"
ANSI: Final = "ansi-16"
TOKENS: Final = (
    "text",
    "muted",
    "rule",
    "title",
    "focus-rule",
    "accent",
    "profit",
    "loss",
    "near-stop",
    "stale",
    "paper",
    "live",
    "replay",
    "ok",
    "warning",
    "error",
    "alert",
    "key",
    "bar",
)
"""What a theme may give a style to; a missing one looks like `text`."""

LIVE: Final = "bold reverse {red} on {white}"
"""Not a theme's business: LIVE and NOT PERSISTED look the same everywhere (C-6)."""
GREY_KEEPS: Final = frozenset({"live", "paper", "replay", "alert", "error", "key", "rule"})
"""Tokens that keep their look while figures are grey for lack of an engine."""


_TEXTUAL_OWN: Final = frozenset({"text", "error", "warning", "accent"})
"""Names that Textual's own style sheets use for something else."""


class ThemeError(Exception):
    """A theme file cannot be used; the message names file, key and what is allowed."""


@dataclass(frozen=True, slots=True)
class Look:
    """A theme, ready to draw with."""

    name: str
    title: str
    theme: Theme
    styles: dict[str, Style]
    ground: Style = field(default_factory=Style)
    """Background of everything that has none of its own."""
    _cache: dict[tuple[str, bool], Style] = field(default_factory=dict)

    def style(self, token: str, *, is_grey: bool = False) -> Style:
        """Return the style of a token; a trailing `!` makes it bold."""
        known = self._cache.get((token, is_grey))
        if known is None:
            known = self._cache[token, is_grey] = self._resolve(token, is_grey=is_grey)
        return known

    def _resolve(self, token: str, *, is_grey: bool) -> Style:
        name = token.rstrip("!")
        if is_grey and name not in GREY_KEEPS:
            name = "stale"
        style = self.ground + self.styles.get(name, self.styles["text"])
        return style + Style(bold=True) if token.endswith("!") else style


def themes_directory() -> Path:
    """Return the directory that holds the theme files."""
    candidates = (_HERE / "_themes", _HERE.parent / "themes")
    return next(path for path in candidates if path.is_dir())


def load_looks(own: Path | None = None) -> dict[str, Look]:
    """Return all themes by name; files in `own` (the data directory's `themes`) come last."""
    looks: dict[str, Look] = {}
    for directory in (themes_directory(), own):
        if directory is not None and directory.is_dir():
            for path in sorted(directory.glob("*.toml")):
                look = load_look(path)
                looks[look.name] = look
    return looks


def load_look(path: Path) -> Look:
    """Return the theme in `path`; raises ThemeError naming what is wrong."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ThemeError(f"{path}: {error}") from None
    name = str(data.get("name", path.stem))
    is_ansi = bool(data.get("ansi", False))
    base = _strings(path, "base", data)
    tokens = _strings(path, "tokens", data)
    unknown = tokens.keys() - set(TOKENS)
    if unknown:
        allowed = ", ".join(TOKENS)
        raise ThemeError(f"{path}: tokens.{min(unknown)} is unknown; allowed: {allowed}")
    styles = {token: _style(path, token, text) for token, text in tokens.items()}
    styles.setdefault("text", Style())
    red, white = ("red", "bright_white") if is_ansi else ("#a00c1e", "#ffffff")
    styles["live"] = Style.parse(LIVE.format(red=red, white=white))
    theme = _theme(path, name, data, base, styles)
    ground = Style() if is_ansi else Style(bgcolor=base.get("background"))
    return Look(name, str(data.get("title", name)), theme, styles, ground)


def _theme(
    path: Path, name: str, data: dict[str, Any], base: dict[str, str], styles: dict[str, Style]
) -> Theme:
    if "primary" not in base:
        raise ThemeError(f"{path}: base.primary is missing")
    variables = {
        token: _css(style)
        for token, style in styles.items()
        if style.color is not None and token not in _TEXTUAL_OWN
    }
    allowed = {"secondary", "warning", "error", "success", "accent", "foreground"}
    allowed |= {"primary", "background", "surface", "panel", "boost"}
    extra = {key: value for key, value in base.items() if key not in allowed}
    if data.get("ansi"):
        variables = {**BUILTIN_THEMES["ansi-dark"].variables, **variables}
    known: dict[str, Any] = {key: value for key, value in base.items() if key in allowed}
    return Theme(
        name=name,
        dark=bool(data.get("dark", True)),
        ansi=bool(data.get("ansi", False)),
        variables={**variables, **extra},
        **known,
    )


def _css(style: Style) -> str:
    color = style.color
    if color is None or color.is_default:
        return "ansi_default"
    if color.triplet is not None:
        return color.triplet.hex
    return f"ansi_{color.name}"


def _strings(path: Path, table: str, data: dict[str, Any]) -> dict[str, str]:
    values = data.get(table, {})
    if not isinstance(values, dict):
        raise ThemeError(f"{path}: {table} is a table of names and colours")
    for key, value in values.items():
        if not isinstance(value, str):
            raise ThemeError(f"{path}: {table}.{key} was {value!r}; a style in quotes is needed")
    return values


def _style(path: Path, token: str, text: str) -> Style:
    try:
        return Style.parse(text)
    except StyleSyntaxError:
        example = "'bold #57c98a' or 'bright_green'"
        raise ThemeError(f"{path}: tokens.{token} was {text!r}; write e.g. {example}") from None
