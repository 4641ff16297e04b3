"""Records that are quick to define: dataclasses in every respect, as the standard ones are."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field
from decimal import Decimal
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Quick:
    """A record with everything that records have."""

    name: str
    price: Decimal
    secret: str = field(default="", repr=False)
    parts: tuple[int, ...] = ()
    table: dict[str, int] = field(default_factory=dict)

    @property
    def doubled(self) -> Decimal:
        return self.price * 2


@dataclasses.dataclass(frozen=True, slots=True)
class Standard:
    """The same of the standard decorator."""

    name: str
    price: Decimal
    secret: str = field(default="", repr=False)
    parts: tuple[int, ...] = ()
    table: dict[str, int] = field(default_factory=dict)

    @property
    def doubled(self) -> Decimal:
        return self.price * 2


@dataclass(frozen=True, slots=True)
class Lone:
    value: float


@dataclasses.dataclass(frozen=True, slots=True)
class StandardLone:
    value: float


@dataclass(frozen=True, slots=True)
class Empty:
    """Says that something happened and nothing more."""


@dataclass(frozen=True, slots=True)
class Checked:
    value: int

    def __post_init__(self) -> None:
        if self.value < 0:
            raise ValueError("below zero")


VALUES = st.tuples(
    st.text(max_size=3),
    st.decimals(allow_nan=False),
    st.text(max_size=2),
    st.lists(st.integers(), max_size=2).map(tuple),
)


@given(VALUES, VALUES)
def test_two_are_equal_when_the_standard_ones_are(
    one: tuple[Any, ...], two: tuple[Any, ...]
) -> None:
    assert (Quick(*one) == Quick(*two)) is (Standard(*one) == Standard(*two))
    assert (Quick(*one) != Quick(*two)) is (Standard(*one) != Standard(*two))
    other: object = Standard(*one)
    assert Quick(*one) != other


@given(VALUES)
def test_it_reads_like_the_standard_one(values: tuple[Any, ...]) -> None:
    assert repr(Quick(*values)).replace("Quick", "Standard") == repr(Standard(*values))
    assert dataclasses.asdict(Quick(*values)) == dataclasses.asdict(Standard(*values))
    assert dataclasses.astuple(Quick(*values)) == dataclasses.astuple(Standard(*values))


@given(st.floats())
def test_a_hash_is_the_standard_ones_hash(value: float) -> None:
    assert (hash(Lone(value)) == hash(StandardLone(value))) or value != value  # noqa: PLR0124 NaN
    one = Lone(value)
    assert one == one  # noqa: PLR0124 also where the value is not a number
    assert hash(Empty()) == hash(Empty())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: setattr(record, "name", "other"),
        lambda record: setattr(record, "no_such_field", 1),
        lambda record: delattr(record, "name"),
    ],
)
def test_nothing_of_it_can_be_changed(spoil: Callable[[Quick], None]) -> None:
    record = Quick("a", Decimal(1))
    with pytest.raises(FrozenInstanceError):
        spoil(record)
    assert record == Quick("a", Decimal(1))
    assert not hasattr(record, "__dict__")


@pytest.mark.parametrize(
    "remade",
    [
        copy.copy,
        copy.deepcopy,
        lambda record: pickle.loads(pickle.dumps(record)),
        dataclasses.replace,
        lambda record: Quick(
            **{f.name: getattr(record, f.name) for f in dataclasses.fields(record)}
        ),
    ],
)
def test_what_is_made_anew_of_it_is_equal(remade: Callable[[Quick], Quick]) -> None:
    record = Quick("a", Decimal(1), "s", (1, 2), {"x": 1})
    assert remade(record) == record
    assert remade(record).doubled == 2


def test_each_has_a_default_of_its_own() -> None:
    one, two = Quick("a", Decimal(1)), Quick("b", Decimal(1))
    one.table["x"] = 1
    assert two.table == {}


def test_what_is_checked_after_it_is_made_is_checked() -> None:
    with pytest.raises(ValueError, match="below zero"):
        Checked(-1)
    with pytest.raises(ValueError, match="below zero"):
        dataclasses.replace(Checked(1), value=-1)


@pytest.mark.parametrize("arguments", [(), ("a",), ("a", Decimal(1), "", (), {}, 6)])
def test_arguments_that_do_not_fit_are_refused(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        Quick(*arguments)


def test_what_it_says_of_itself_is_what_the_standard_one_says() -> None:
    assert Quick.__match_args__ == Standard.__match_args__
    assert get_type_hints(Quick) == get_type_hints(Standard)
    assert Quick.__init__.__annotations__ == Standard.__init__.__annotations__
    assert dataclasses.is_dataclass(Quick)
    mine, theirs = Quick.__dataclass_params__, Standard.__dataclass_params__  # type: ignore[attr-defined]
    assert repr(mine) == repr(theirs)
    match Quick("a", Decimal(1)):
        case Quick(name=name, price=price):
            assert (name, price) == ("a", Decimal(1))
        case _:
            pytest.fail("it does not match")


def test_a_class_that_says_something_special_is_left_to_the_standard_decorator() -> None:
    @dataclass(frozen=True, slots=True)
    class Own:
        value: int

        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

    @dataclass(slots=True)
    class Changing:
        value: int

    @dataclass(frozen=True, slots=True)
    class Skipping:
        value: int
        unseen: int = field(default=0, compare=False)

    assert Own(1) == Own(2)
    changing = Changing(1)
    changing.value = 2
    assert changing.value == 2
    assert Skipping(1, 2) == Skipping(1, 3)
