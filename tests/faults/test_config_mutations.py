"""U10: every key of the configuration misspelt, every value of a wrong kind: all are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from engine.settings import SettingsError, load
from engine.settings.model import Settings

Record = Callable[[str, object], None]
FREE = ("strategies", "secrets", "console.keymap")
"""Tables whose keys a person makes up."""


def leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the dotted name of every value that can be set."""
    for key, value in values.items():
        name = f"{prefix}{key}"
        if name.startswith(FREE):
            continue
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{name}.")
        else:
            yield name


KEYS = sorted(leaves(Settings().model_dump()))


def refusal(*sets: str) -> str:
    with pytest.raises(SettingsError) as refused:
        load(sets=sets, environment={}, env_file=None)
    return str(refused.value)


def misspelt(key: str) -> Iterator[str]:
    """Yield ways in which fingers miss the last part of a key."""
    above, _, last = key.rpartition(".")
    for wrong in (f"{last}s", f"{last[:-1]}", f"{last}_", last[::-1] + "x"):
        if wrong:
            yield f"{above}.{wrong}".lstrip(".")


def test_a_misspelt_key_is_refused_by_name(record_property: Record) -> None:
    count = 0
    for key in KEYS:
        for wrong in misspelt(key):
            if wrong in KEYS or any(k.startswith(f"{wrong}.") for k in KEYS):
                continue
            assert wrong in refusal(f"{wrong}=1"), wrong
            count += 1
    assert count > 3 * len(KEYS)
    record_property("n", count)
    record_property("figure", f"{count} of {count} misspelt keys refused by name")


def test_a_value_of_the_wrong_kind_is_refused_by_name(record_property: Record) -> None:
    caught, taken = 0, []
    for key in KEYS:
        said = _outcome(key, '{"a": [1]}')
        if said:
            assert key in said
            caught += 1
        else:
            taken.append(key)
    assert taken == []
    record_property("n", caught)
    record_property("figure", f"{caught} of {len(KEYS)} values of a wrong kind refused by name")


def _outcome(key: str, value: str) -> str:
    try:
        load(sets=(f"{key}={value}",), environment={}, env_file=None)
    except SettingsError as error:
        return str(error)
    return ""
