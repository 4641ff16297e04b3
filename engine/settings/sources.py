"""Where values come from, which wins, and what is said when one is wrong.

From strongest: `--set`, environment, `.env`, the TOML file, the profile, the defaults. A wrong
value names its source, key, value and what is allowed, and nothing starts.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource
from pydantic_settings import SettingsError as ValueNotRead

from engine.settings.model import PROFILES, Settings
from engine.settings.names import CUSTOMARY, PREFIX

_LISTS: Final = frozenset({"symbols"})
_FREE: Final = ("strategies.", "secrets.", "console.keymap.")


class SettingsError(Exception):
    """A configuration that cannot be used. One line per fault; nothing has started."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Checked settings, and where each value that is not a default came from."""

    settings: Settings
    sources: Mapping[str, str]
    """Dotted key -> source."""
    idle: tuple[str, ...] = ()
    """Customary names that were given and have no effect in this version."""

    def effective(self) -> list[tuple[str, str, str]]:
        """Return (key, value, source) of everything; secrets are masked."""
        return [
            (key, _shown(value), self.sources.get(key, "default"))
            for key, value in _leaves(self.settings.model_dump())
        ]


def load(
    config: Path | None = None,
    *,
    data_dir: Path | None = None,
    sets: Iterable[str] = (),
    environment: Mapping[str, str] | None = None,
    env_file: Path | None = Path(".env"),
) -> Loaded:
    """Return the settings; raises SettingsError. `sets` are `key=value` texts."""
    env = os.environ if environment is None else environment
    merged: dict[str, Any] = {}
    sources: dict[str, str] = {}
    layers: list[tuple[str, dict[str, Any]]] = []
    if config is not None or (data_dir is not None and (data_dir / "holdfast.toml").exists()):
        path = config or (data_dir or Path()) / "holdfast.toml"
        layers.append((str(path), _toml(path)))
    if env_file is not None and env_file.exists():
        layers.append((str(env_file), _from_dotenv(env_file)))
    names, idle = _from_environment(env)
    layers += [("environment", names), ("--set", _from_sets(sets))]
    profile = _profile_of(layers)
    if profile in PROFILES:
        layers.insert(0, (f"profile {profile}", PROFILES[profile]))
    for source, values in layers:
        _require_known(source, values)
        for key, _ in _leaves(values):
            sources[key] = source
        merged = _merged(merged, values)
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        raise SettingsError(_faults(error, merged, sources)) from None
    return Loaded(settings, sources, idle)


def _profile_of(layers: list[tuple[str, dict[str, Any]]]) -> str:
    named = [values["profile"] for _, values in layers if "profile" in values]
    return str(named[-1]) if named else "default"


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: is no TOML: {error}") from None


class _Names(Settings, BaseSettings):  # type: ignore[misc]  # both bring a model_config
    """The shape by which pydantic-settings reads nested names."""


def _from_dotenv(path: Path) -> dict[str, Any]:
    source = DotEnvSettingsSource(
        _Names, env_file=path, env_prefix=PREFIX, env_nested_delimiter="__", case_sensitive=False
    )
    raw = {name.upper(): value for name, value in source.env_vars.items() if value is not None}
    values = {k: v for k, v in _read(source, str(path), raw).items() if k in Settings.model_fields}
    return _merged(values, _customary(raw)[0])


def _from_environment(env: Mapping[str, str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    source = EnvSettingsSource(
        _Names, env_prefix=PREFIX, env_nested_delimiter="__", case_sensitive=False
    )
    values, idle = _customary(env)
    return _merged(values, _read(source, "environment", env)), idle


def _read(source: EnvSettingsSource, name: str, given: Mapping[str, str]) -> dict[str, Any]:
    """Let pydantic-settings read the nested names among `given`; lists may be comma-separated."""
    known = {f"{PREFIX}{field}".upper() for field in Settings.model_fields}
    texts: dict[str, str | None] = {}
    for key, text in given.items():
        if key.startswith(PREFIX) and key.split("__")[0].upper() not in known:
            allowed = ", ".join(sorted(known))
            raise SettingsError(f"{name}: {key} is no setting; there are {allowed}")
        is_list = key.upper().removeprefix(PREFIX).lower() in _LISTS
        texts[key.lower()] = json.dumps(_split(text)) if is_list and text[:1] != "[" else text
    source.env_vars = texts
    try:
        return source()
    except ValueNotRead as error:  # its text names the field; the value may be a secret
        hint = 'a list or table is written as JSON, e.g. ["A","B"] or {"key":"value"}'
        raise SettingsError(f"{name}: {error}; {hint}") from None


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _customary(env: Mapping[str, str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    values: dict[str, Any] = {}
    idle = []
    for name, key in CUSTOMARY.items():
        if name in env and key is None:
            idle.append(name)
        elif name in env and key is not None:
            text = env[name]
            values = _merged(values, _nested(key, _split(text) if key in _LISTS else text))
    return values, tuple(idle)


def _from_sets(sets: Iterable[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for text in sets:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            shown = "***" if "secret" in text else repr(text)
            raise SettingsError(f"--set: {shown} was not of the form key=value")
        values = _merged(values, _nested(key.strip(), _value(value.strip())))
    return values


def _value(text: str) -> Any:  # noqa: ANN401
    """Return a list or table given as JSON; everything else stays text, which keeps it exact."""
    if text[:1] in "[{":
        try:
            return json.loads(text)
        except ValueError:
            return text
    return None if text == "none" else text


def _nested(key: str, value: Any) -> dict[str, Any]:  # noqa: ANN401
    for part in reversed(key.split(".")):
        value = {part: value}
    return dict(value)


def _merged(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(low)
    for key, value in high.items():
        below = merged.get(key)
        is_table = isinstance(value, Mapping) and isinstance(below, Mapping)
        merged[key] = _merged(below, value) if is_table else value  # type: ignore[arg-type]
    return merged


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _require_known(source: str, values: Mapping[str, Any]) -> None:
    known = Settings().model_dump()
    for key, _ in _leaves(values):
        level: Any = known
        above = ""
        for part in () if key.startswith(_FREE) else key.split("."):
            if not isinstance(level, Mapping):
                raise SettingsError(f"{source}: unknown key {key}; {above[:-1]} is one value")
            if part not in level:
                near = ", ".join(f"{above}{name}" for name in sorted(level))
                raise SettingsError(f"{source}: unknown key {key}; allowed here: {near}")
            level, above = level[part], f"{above}{part}."


def _faults(error: ValidationError, merged: Mapping[str, Any], sources: Mapping[str, str]) -> str:
    lines = []
    for fault in error.errors(include_url=False, include_context=False):
        value: Any = merged
        key, source = "", "configuration"
        for part in fault["loc"]:
            value = value.get(part) if isinstance(value, Mapping) else value
            key = f"{key}.{part}" if key else str(part)
            source = sources.get(key, source)
        if source == "configuration":  # a whole table is at fault: what was said in it
            source = next((sources[k] for k in sources if k.startswith(f"{key}.")), source)
        is_secret = key.partition(".")[0] == "secrets"
        lines.append(f"{source}: {key} was {_quoted(value, is_secret)}: {fault['msg']}")
    return "\n".join(lines)


def _quoted(value: Any, is_secret: bool) -> str:  # noqa: ANN401
    if is_secret:
        return "***"
    return str(value) if isinstance(value, Decimal) else repr(value)


def _shown(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, SecretStr):
        return "***"
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return "" if value is None else str(value)
