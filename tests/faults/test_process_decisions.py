"""Somebody trades on the account of a running engine: found, asked, answered from the shell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.process_rig import engine, holdfast, journal, positions, until

pytestmark = pytest.mark.xdist_group("decisions")  # they share an engine
DRILL = (
    *("--set", "paper.disturb.every=2", "--set", 'paper.disturb.kinds=["open"]'),
    *("--set", "reconcile.interval=2"),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    data_dir = tmp_path_factory.mktemp("decisions")
    with engine(data_dir, *DRILL):
        until(lambda: bool(queue(data_dir)), "a decision")
        yield data_dir


def queue(place: Path) -> list[dict[str, Any]]:
    done = holdfast("decide", "--data-dir", str(place), "--json")
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def test_the_queue_says_everything_a_person_needs(place: Path) -> None:
    row = queue(place)[0]
    assert row["matter"] == "unknown"
    assert row["choices"] == ["adopt", "close", "leave"]
    assert row["here"] == "0"
    assert row["fills"]
    shown = holdfast("decide", "--data-dir", str(place)).stdout
    assert row["id"] in shown
    assert "choices: adopt, close, leave" in shown


def test_reconcile_prints_what_it_finds_and_exits_with_5_while_something_waits(
    place: Path,
) -> None:
    done = holdfast("reconcile", "--data-dir", str(place), "--json")
    assert done.returncode == 5, done.stderr
    told = json.loads(done.stdout)
    assert any("asks a person" in line["text"] for line in told["findings"])
    assert told["decisions"]
    shown = holdfast("reconcile", "--data-dir", str(place))
    assert shown.returncode == 5
    assert "reconciled on command" in shown.stdout


def test_a_wrong_answer_is_refused_with_what_is_offered(place: Path) -> None:
    id_ = queue(place)[0]["id"]
    for words, code, said in (
        ((id_,), 2, "needs a choice: adopt, close, leave"),
        ((id_, "estimate"), 2, "offered: adopt, close, leave"),
        (("nothing", "leave"), 1, "no decision nothing"),
    ):
        done = holdfast("decide", *words, "--data-dir", str(place))
        assert done.returncode == code
        assert said in done.stderr


def test_a_headless_engine_goes_on_and_says_what_waits(tmp_path: Path) -> None:
    with engine(tmp_path, *DRILL) as running:
        until(lambda: bool(queue(tmp_path)), "a decision")
        id_ = queue(tmp_path)[0]["id"]
        assert running.process.poll() is None
        assert status(tmp_path)["decisions"] >= 1
        holdfast("decide", id_, "leave", "--data-dir", str(tmp_path))
        running.process.terminate()
        said = running.process.communicate(timeout=30)[0]
    assert f"waits for a decision: {id_}" in said
    assert f"decided: {id_}: leave by cli" in said


def status(place: Path) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(holdfast("status", "--data-dir", str(place), "--json").stdout)
    return row


def test_an_answer_is_taken_once_and_stands_in_the_journal(place: Path) -> None:
    row = queue(place)[0]
    done = holdfast("decide", row["id"], "adopt", "--note", "mine", "--data-dir", str(place))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("sent\naccepted: decide")
    held = positions(place)
    assert [p["symbol"] for p in held] == [row["symbol"]]
    again = holdfast("decide", row["id"], "leave", "--data-dir", str(place))
    assert again.returncode == 1
    assert "answered already: adopt by cli" in again.stderr
    taken = journal(place, "DecisionTaken", "OrderAdopted")
    kinds = [entry["type"] for entry in taken]
    assert kinds == ["DecisionTaken", *["OrderAdopted"] * len(row["fills"])]
    assert taken[0]["cause"] == "cli"
