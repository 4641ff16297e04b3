"""The fault matrix as data: `matrix.toml`, one row per id of the field notes' section b.3."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
FILE: Final = Path(__file__).with_name("matrix.toml")
EXPECTED: Final[Mapping[str, tuple[str, int]]] = {
    "P": ("process", 18),
    "D": ("storage", 17),
    "N": ("network", 22),
    "T": ("time", 10),
    "U": ("operator", 14),
    "G": ("fleet", 5),
}
"""First letter of the ids of a group -> its name and its size: 86 rows."""
IN_FORCE: Final = frozenset({"process", "storage", "time", "operator"})


@dataclass(frozen=True, slots=True)
class Row:
    """A fault, what the product owes, and the tests that make it prove that."""

    id: str
    group: str
    fault: str
    injection: str
    required: str
    figure: str
    """How the figure is measured."""
    line: str
    """What a person reads, as the tests assert it; a run may have recorded the very line."""
    tests: tuple[str, ...]
    comes: str = ""
    """With which part of the product this row comes; empty: it is in force."""

    @property
    def is_in_force(self) -> bool:
        return not self.comes


@dataclass(frozen=True, slots=True)
class Budget:
    """What is proven beside the rows: budgets of their own, and the bugs planted for harnesses."""

    id: str
    what: str
    required: str
    tests: tuple[str, ...]


@cache
def budgets() -> tuple[Budget, ...]:
    """Return what is proven beside the rows."""
    with FILE.open("rb") as file:
        found = tomllib.load(file)["budget"]
    return tuple(Budget(**{**each, "tests": tuple(each["tests"])}) for each in found)


@cache
def rows() -> tuple[Row, ...]:
    """Return all rows. A key that is missing or unknown raises."""
    with FILE.open("rb") as file:
        found = tomllib.load(file)["row"]
    return tuple(Row(**{**row, "tests": tuple(row["tests"])}) for row in found)


def named() -> tuple[Row | Budget, ...]:
    """Return everything that names tests."""
    return (*rows(), *budgets())


@cache
def ids_of_tests() -> Mapping[str, tuple[str, ...]]:
    """Return test -> the rows and budgets that name it."""
    ids: dict[str, tuple[str, ...]] = {}
    for each in named():
        for test in each.tests:
            ids[test] = (*ids.get(test, ()), each.id)
    return ids


def of_item(nodeid: str) -> tuple[str, ...]:
    """Return the rows that name a collected test, whatever its parameters are."""
    return ids_of_tests().get(name_of(nodeid), ())


def name_of(nodeid: str) -> str:
    """Return a collected test as rows name it: without parameters, a state machine as its class."""
    return nodeid.split("[", 1)[0].split("@", 1)[0].removesuffix("::runTest")


@cache
def defined(file: str) -> frozenset[str]:
    """Return the tests that a file defines, as the part of a node id after the file."""
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.ClassDef(name=name, body=body):
                found.update(f"{name}::{inner}" for inner in _functions(body))
            case ast.Assign(targets=[ast.Name(id=name)]):  # a hypothesis state machine
                found.add(name)
            case _:
                pass
    return frozenset(found)


def exists(test: str) -> bool:
    """Return whether pytest would find `test`."""
    file, _, name = test.partition("::")
    last = name.rpartition("::")[2]
    is_class = last.startswith("Test") and any(
        known == last or known.startswith(f"{last}::") for known in defined(file)
    )
    return is_class or (last.startswith("test_") and name in defined(file))


def _functions(body: Sequence[ast.stmt]) -> list[str]:
    return [n.name for n in body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
