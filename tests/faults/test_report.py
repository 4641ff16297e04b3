"""The page of faults says what ran, what did not, and what is still to come."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.matrix import budgets, named, rows
from tests.faults.recorder import recorded
from tests.faults.report import BEGIN, END, PAGE, RED, made, page, verdict


def ran(passed: int = 1, cases: int = 1, **said: object) -> dict[str, Any]:
    tests = {
        test: {"passed": passed, "cases": cases, "day": "2026-11-25", "machine": "m", **said}
        for each in named()
        for test in each.tests
    }
    return {"tests": tests, "long": {}}


def test_a_row_without_a_run_a_failed_one_and_one_without_cases_are_red() -> None:
    row = rows()[0]
    assert verdict(row, ran()) == ""
    assert verdict(row, {"tests": {}, "long": {}}).startswith("not run")
    assert verdict(row, ran(passed=0)).startswith("failed")
    assert verdict(row, ran(passed=0, cases=0)).startswith("failed")
    text = made({"tests": {}, "long": {}})
    assert text.count(RED) == sum(row.is_in_force for row in rows()) + len(budgets())


def test_what_waits_for_a_part_of_the_product_is_listed_and_not_counted() -> None:
    text = made(ran())
    force = sum(row.is_in_force for row in rows())
    assert f"{force} of {force} rows in force ran" in text
    assert "Not counted as run: 22 with the venues" in text
    assert RED not in text


def test_what_a_run_saw_stands_before_what_the_matrix_says() -> None:
    text = made(ran(figure="0 of 9 lost", line="the | line", seed=7, n=9))
    assert "0 of 9 lost" in text
    assert "seen: the \\| line" in text


def test_what_is_outside_the_marks_stays() -> None:
    new = page(f"above\n{BEGIN}\nfrom before\n{END}\nbelow\n", ran())
    assert new.startswith(f"above\n{BEGIN}\n")
    assert new.endswith(f"{END}\nbelow\n")
    assert "from before" not in new
    with pytest.raises(ValueError, match="matrix: begin"):
        page("no marks", ran())


def test_the_page_is_made_of_the_matrix_and_the_recorded_run() -> None:
    assert PAGE.read_text() == page(PAGE.read_text(), recorded()), (
        "run `python -m tests.faults.report`"
    )
