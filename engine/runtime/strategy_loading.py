"""From a name in the configuration to a strategy: built in, installed, or a file (S-1)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from decimal import Decimal
from importlib import util
from pathlib import Path
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints
from zlib import crc32

from engine.domain.ids import StrategyName
from engine.domain.strategy import Strategy
from engine.strategies import STRATEGIES

GROUP: Final = "holdfast.strategies"
"""Entry point group by which an installed package adds strategies."""
_WORDS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class StrategyLoadError(ValueError):
    """No such strategy, or parameters it does not allow; the message says what there is."""


@dataclass(frozen=True, slots=True)
class StrategySpec:
    """Which strategy to run, under which name, with which parameters (as text)."""

    name: StrategyName
    kind: str
    """Registered name, entry point, or `path.py:Class`."""
    settings: tuple[tuple[str, str], ...] = ()


def load(spec: StrategySpec) -> Strategy:
    """Return a new strategy; raises StrategyLoadError, or whatever the user's own file raises."""
    cls = _class_of(spec.kind)
    shape = getattr(cls, "Settings", None)
    given = dict(spec.settings)
    if shape is None or not is_dataclass(shape):
        return cls(spec.name, given)
    return cls(spec.name, settings_of(shape, given, spec.kind))


def settings_of(shape: Any, given: Mapping[str, str], kind: str) -> Any:  # noqa: ANN401
    """Return the dataclass `shape` with the values given as text; raises StrategyLoadError."""
    hints = get_type_hints(shape)
    known = {field.name: field for field in fields(shape)}
    for name in given:
        if name not in known:
            allowed = ", ".join(known) or "none"
            raise StrategyLoadError(f"{kind}: no parameter {name!r}, there are: {allowed}")
    for name, field in known.items():
        if name not in given and field.default is MISSING and field.default_factory is MISSING:
            raise StrategyLoadError(f"{kind}: parameter {name} is needed")
    values = {name: _value(hints[name], text, f"{kind}: {name}") for name, text in given.items()}
    try:
        return shape(**values)
    except ValueError as error:
        raise StrategyLoadError(f"{kind}: {error}") from None


def _class_of(kind: str) -> Callable[..., Strategy]:
    if kind in STRATEGIES:
        return STRATEGIES[kind]
    if ":" in kind:
        return _from_file(kind)
    from importlib.metadata import entry_points  # late: a built-in strategy needs no look-up

    found = {point.name: point for point in entry_points(group=GROUP)}
    if kind not in found:
        names = ", ".join(sorted({*STRATEGIES, *found}))
        raise StrategyLoadError(f"no strategy {kind!r}; there are: {names}, or path.py:Class")
    loaded: Callable[..., Strategy] = found[kind].load()
    return loaded


def _from_file(kind: str) -> Callable[..., Strategy]:
    place, _, name = kind.rpartition(":")
    path = Path(place).expanduser()
    if not path.is_file():
        raise StrategyLoadError(f"{kind}: there is no file {path.absolute()}")
    unique = f"holdfast_strategy_{path.stem}_{crc32(str(path.absolute()).encode()):08x}"
    module_spec = util.spec_from_file_location(unique, path)
    if module_spec is None or module_spec.loader is None:
        raise StrategyLoadError(f"{kind}: {path} is not a Python file")
    module = util.module_from_spec(module_spec)
    sys.modules[unique] = module  # dataclasses look their own module up while it is read
    module_spec.loader.exec_module(module)
    cls = getattr(module, name, None)
    if not callable(cls):
        raise StrategyLoadError(f"{kind}: {path} has no class {name!r}")
    found: Callable[..., Strategy] = cls
    return found


def _value(hint: Any, text: str, place: str) -> Any:  # noqa: ANN401
    """Return `text` as the type of a field: str, int, Decimal, bool, a NewType or optional one."""
    if get_origin(hint) in {Union, UnionType}:
        inner = [arg for arg in get_args(hint) if arg is not type(None)]
        return None if text == "" else _value(inner[0], text, place)
    base = getattr(hint, "__supertype__", hint)
    base = getattr(base, "__supertype__", base)
    if base is bool:
        if text.lower() not in _WORDS:
            raise StrategyLoadError(f"{place} was {text!r}, allowed: true or false")
        return _WORDS[text.lower()]
    allowed = {int: "a whole number", Decimal: "a number"}.get(base, "a text")
    try:
        value = base(text)
    except (ValueError, ArithmeticError):
        raise StrategyLoadError(f"{place} was {text!r}, allowed: {allowed}") from None
    if isinstance(value, Decimal) and not value.is_finite():
        raise StrategyLoadError(f"{place} was {text!r}, allowed: {allowed}")
    return value
