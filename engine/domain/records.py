"""Immutable records that are quick to define: `dataclass` for classes of which there are many.

The standard decorator compiles six functions for a frozen class with slots; that was a third of
every start. This one compiles `__init__` alone and shares the rest. What it makes is a dataclass in
every respect: fields, replace, match, copy, pickle. Anything but `frozen=True, slots=True`, and
classes that say something special, are left to the standard decorator.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import MISSING, FrozenInstanceError
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, Final, NoReturn

__all__ = ["dataclass"]

_OPTIONS: Final = {"frozen": True, "slots": True}
_METHODS: Final = frozenset({"__init__", "__repr__", "__eq__", "__hash__", "__setattr__"})
_STATES: Final = frozenset({"__delattr__", "__getstate__", "__setstate__"})


if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls=None, /, **options):  # noqa: ANN001, ANN003, ANN201 as the standard one
        """Do what `dataclasses.dataclass` does, sooner."""
        if cls is None:
            return lambda decorated: dataclass(decorated, **options)
        if options == _OPTIONS and _is_plain(cls):
            return _record(cls)
        return dataclasses.dataclass(cls, **options)


def _is_plain(cls: type) -> bool:
    """Return whether nothing about a class needs the standard decorator."""
    values = vars(cls).values()
    return (
        cls.__mro__ == (cls, object)
        and (_METHODS | _STATES).isdisjoint(vars(cls))
        and all(_is_usual(value) for value in values if isinstance(value, dataclasses.Field))
        and not any("InitVar" in str(hint) or "KW_ONLY" in str(hint) for hint in _hints(cls))
    )


def _is_usual(field: dataclasses.Field[Any]) -> bool:
    return bool(field.init and field.compare and field.hash is None and field.kw_only is MISSING)


def _hints(cls: type) -> Sequence[object]:
    return tuple(vars(cls).get("__annotations__", {}).values())


def _record(cls: type) -> type:
    """Return `cls` as a frozen dataclass with slots."""
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    fields = dataclasses.fields(made)
    names = tuple(field.name for field in fields)
    values = _values(names)
    made.__init__ = _init(made, fields)
    made.__repr__ = _repr(tuple(field.name for field in fields if field.repr))
    made.__eq__, made.__hash__ = _eq(values), _hash(values)
    made.__setattr__, made.__delattr__ = _refuse_set, _refuse_delete
    made.__getstate__, made.__setstate__ = _getstate(values), _setstate(names)
    params = made.__dataclass_params__
    params.init = params.repr = params.eq = params.frozen = True
    return made  # type: ignore[no-any-return]


def _init(made: Any, fields: Sequence[dataclasses.Field[Any]]) -> Any:  # noqa: ANN401
    """Return `__init__`, compiled: it is called for every event and every quote."""
    given: dict[str, object] = {"_new": MISSING}
    heads, lines = ["self"], []
    for field in fields:
        name, value = field.name, field.name
        given[f"_set_{name}"] = vars(made)[name].__set__
        if field.default is not MISSING:
            given[f"_or_{name}"] = field.default
            heads.append(f"{name}=_or_{name}")
        elif field.default_factory is not MISSING:
            given[f"_make_{name}"] = field.default_factory
            heads.append(f"{name}=_new")
            value = f"_make_{name}() if {name} is _new else {name}"
        else:
            heads.append(name)
        lines.append(f"  _set_{name}(self, {value})")
    if hasattr(made, "__post_init__"):
        lines.append("  self.__post_init__()")
    body = "\n".join(lines or ["  pass"])
    head = f"def make({', '.join(given)}):\n def __init__({', '.join(heads)}):"
    space: dict[str, Any] = {}
    code = f"{head}\n{body}\n return __init__"
    exec(code, {}, space)  # noqa: S102 as the standard one does
    init = space["make"](**given)
    init.__qualname__ = f"{made.__qualname__}.__init__"
    init.__annotations__ = {field.name: field.type for field in fields} | {"return": None}
    return init


def _values(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Return what takes a record's values out of it, in order."""
    if len(names) > 1:
        return attrgetter(*names)
    if names:
        only = attrgetter(names[0])
        return lambda record: (only(record),)
    return lambda _record: ()


def _eq(values: Callable[[Any], tuple[Any, ...]]) -> Any:  # noqa: ANN401
    def __eq__(self: Any, other: object) -> bool:  # noqa: ANN401, N807
        if other.__class__ is self.__class__:
            return values(self) == values(other)
        return NotImplemented

    return __eq__


def _hash(values: Callable[[Any], tuple[Any, ...]]) -> Any:  # noqa: ANN401
    def __hash__(self: Any) -> int:  # noqa: ANN401, N807
        return hash(values(self))

    return __hash__


def _repr(names: Sequence[str]) -> Any:  # noqa: ANN401
    @recursive_repr()
    def __repr__(self: Any) -> str:  # noqa: ANN401, N807
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{self.__class__.__qualname__}({shown})"

    return __repr__


def _getstate(values: Callable[[Any], tuple[Any, ...]]) -> Any:  # noqa: ANN401
    def __getstate__(self: Any) -> list[Any]:  # noqa: ANN401, N807
        return list(values(self))

    return __getstate__


def _setstate(names: Sequence[str]) -> Any:  # noqa: ANN401
    def __setstate__(self: Any, state: Sequence[Any]) -> None:  # noqa: ANN401, N807
        for name, value in zip(names, state, strict=True):
            object.__setattr__(self, name, value)

    return __setstate__


def _refuse_set(_self: object, name: str, _value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(_self: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")
