"""B-22: every row of a group in force has tests that exist; no test names a row that does not."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import replace

import pytest

from tests.faults import matrix
from tests.faults.matrix import EXPECTED, IN_FORCE, ROOT, Budget, Row, rows

ROOMS = {"with the notifications": "notify", "with the API": "api"}
"""What a row waits for -> the room of the engine that has to be empty for that to be true."""
WAITS = {"network": "with the venues", "fleet": "with the fleet"}


def faults_of(row: Row) -> list[str]:
    """Return what is wrong with a row."""
    wrong = [f"{test} does not exist" for test in row.tests if not matrix.exists(test)]
    if row.is_in_force and not row.tests:
        wrong.append("no test")
    if not row.is_in_force and row.comes not in {*ROOMS, *WAITS.values()}:
        wrong.append(f"waits for what nobody knows: {row.comes}")
    if row.group in IN_FORCE and row.comes and row.comes not in ROOMS:
        wrong.append("its group is in force")
    if row.is_in_force and not all((row.fault, row.injection, row.required, row.figure, row.line)):
        wrong.append("something is not said")
    return wrong


def test_the_matrix_has_every_row_of_every_group_once() -> None:
    counted = Counter((row.id[0], row.group) for row in rows())
    assert counted == {(letter, name): size for letter, (name, size) in EXPECTED.items()}
    assert sorted(row.id for row in rows()) == sorted(
        f"{letter}{number:02}"
        for letter, (_, size) in EXPECTED.items()
        for number in range(1, size + 1)
    )
    assert len(rows()) == 86


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.id)
def test_a_row_in_force_has_tests_that_exist(row: Row) -> None:
    assert not faults_of(row)


@pytest.mark.parametrize("budget", matrix.budgets(), ids=lambda budget: budget.id)
def test_what_is_proven_beside_the_rows_has_tests_that_exist(budget: Budget) -> None:
    assert budget.tests
    assert [test for test in budget.tests if not matrix.exists(test)] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tests": ()}, "no test"),
        ({"tests": ("tests/faults/test_matrix.py::test_nobody_wrote",)}, "does not exist"),
        ({"tests": ("tests/faults/test_gone.py::test_it",)}, "does not exist"),
        ({"comes": "some day"}, "waits for what nobody knows"),
        ({"comes": "with the venues"}, "its group is in force"),
        ({"line": ""}, "something is not said"),
    ],
)
def test_a_row_with_a_planted_fault_is_found(change: dict[str, object], said: str) -> None:
    planted = replace(rows()[0], **change)  # type: ignore[arg-type]
    assert any(said in fault for fault in faults_of(planted))


@pytest.mark.parametrize(("comes", "room"), ROOMS.items())
def test_a_row_waits_only_while_its_part_of_the_product_is_not_there(comes: str, room: str) -> None:
    if any(row.comes == comes for row in rows()):
        names = {path.name for path in (ROOT / "engine" / room).glob("*.py")}
        assert names == {"__init__.py"}, f"{room} is built: its rows are in force now"


def test_a_test_that_claims_a_row_is_named_by_that_row() -> None:
    claimed = [
        (f"{path.relative_to(ROOT)}::{name}", id_)
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if "mark.fault" in (source := path.read_text())
        for name, id_ in _claims(source)
    ]
    known = {(test, each.id) for each in matrix.named() for test in each.tests}
    assert not [claim for claim in claimed if claim not in known]


def test_a_claim_is_read_from_its_mark() -> None:
    source = '@pytest.mark.fault("P01")\n@pytest.mark.fault("D02")\ndef test_it() -> None: ...\n'
    assert _claims(source) == [("test_it", "P01"), ("test_it", "D02")]


def _claims(source: str) -> list[tuple[str, str]]:
    """Return (test, row) of every `@pytest.mark.fault(row)`."""
    found: list[tuple[str, str]] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for mark in node.decorator_list:
                match mark:
                    case ast.Call(
                        func=ast.Attribute(attr="fault"), args=[ast.Constant(value=str(id_))]
                    ):
                        found.append((node.name, id_))
                    case _:
                        pass
    return found
