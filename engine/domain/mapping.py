"""Copies with one thing changed: how an immutable state moves on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final, TypeAlias, TypeVar

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")


def with_item(mapping: Mapping[K, V], key: K, value: V) -> dict[K, V]:
    """Return a copy of `mapping` with `key` set."""
    copy = dict(mapping)
    copy[key] = value
    return copy


def without(mapping: Mapping[K, V], key: K) -> dict[K, V]:
    """Return a copy of `mapping` without `key`."""
    copy = dict(mapping)
    copy.pop(key, None)
    return copy


def changed(item: T, **changes: object) -> T:
    """Return a copy of a slotted frozen dataclass: `dataclasses.replace`, twice as fast.

    It matters here because every journal entry copies the state twice. No `__post_init__` runs.
    """
    cls = type(item)
    read, write = _PLANS.get(cls) or _plan(cls)
    copy: T = object.__new__(cls)
    for set_, value in zip(write.values(), read(item), strict=True):
        set_(copy, value)
    for name, value in changes.items():
        write[name](copy, value)
    return copy


_Plan: TypeAlias = tuple[Callable[[Any], tuple[Any, ...]], dict[str, Any]]
_PLANS: Final[dict[type, _Plan]] = {}
"""Per class: how to read all fields at once, and how to write each."""


def _plan(cls: type) -> _Plan:
    names = [field.name for field in fields(cls)]
    plan = attrgetter(*names), {name: getattr(cls, name).__set__ for name in names}
    _PLANS[cls] = plan
    return plan
