"""Copies of mappings with one thing changed: how an immutable state moves on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


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
