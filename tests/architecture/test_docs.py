"""The documents say what is in the tree, and nothing else."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from textwrap import dedent
from typing import Final

import pytest

from engine.settings.model import PROFILES, Settings
from engine.store.schema import TABLES
from tests.architecture import documents, sources
from tests.architecture.meanings import MEANINGS
from tui.cli.exits import EPILOG
from tui.cli.parser import run
from tui.manual import manual

DOCS: Final = sources.ROOT / "docs"
DECISION_LINES: Final = 40
PATH: Final = re.compile(r"`((?:engine|tui|tests|themes|docs|\.ci)/[\w./-]*)(?:::(\w+))?`")
LINK: Final = re.compile(r"!?\[[^\]]*\]\((?!https?:)([^)#]+)\)")
INVARIANT: Final = re.compile(r"\*\*Invariant:\*\*(.*?)(?=\n\n)", re.DOTALL)
ADDRESS: Final = re.compile(r"/work/|/root/|/home/\w|pypi\.|index-url|artifactory|:\d{4}/simple")
WRITTEN: Final = ("README.md", "CHANGELOG.md")


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def written() -> list[Path]:
    return [sources.ROOT / name for name in WRITTEN] + sorted(DOCS.rglob("*.md"))


def test_every_file_and_test_that_the_architecture_names_exists() -> None:
    found = PATH.findall(text(documents.ARCHITECTURE))
    assert len(found) > 50
    for name, test in found:
        path = sources.ROOT / name
        assert path.exists(), name
        assert not test or re.search(
            rf"(def|class) {test}\b|^{test} = ", text(path), re.MULTILINE
        ), test


def test_every_invariant_names_a_test_that_holds_it() -> None:
    sentences = INVARIANT.findall(text(documents.ARCHITECTURE))
    assert len(sentences) >= 20
    for sentence in sentences:
        tests = [test for _, test in PATH.findall(sentence) if test]
        assert tests, sentence


def test_every_room_is_in_the_code_map() -> None:
    rooms = {str(p.parent) for p in sources.python_files(*sources.PRODUCT)} - {"engine"}
    assert rooms == set(documents.ROOMS)


@pytest.mark.parametrize("document", [documents.ARCHITECTURE, documents.MANUAL])
def test_what_is_made_from_the_code_is_what_the_code_says(document: Path) -> None:
    assert documents.MADE.search(text(document))
    is_current = text(document) == documents.renewed(text(document))
    assert is_current, "run `python -m tests.architecture.documents`"


def test_every_setting_has_a_meaning_and_every_meaning_a_setting() -> None:
    keys = [key for key, _ in documents.leaves(Settings().model_dump())]
    silent = [key for key in keys if not documents.meaning(key)]
    assert not silent, "say in tests/architecture/meanings.py what they mean"
    assert set(MEANINGS) <= set(keys)


def test_the_health_table_has_the_weights_that_the_engine_computes_with() -> None:
    table = dict(
        re.findall(r"^\| (\w+) \| (\d+ \| (?:yes|no)) \|", documents.health(), re.MULTILINE)
    )
    computed = {
        name: f"{weight:g} | {'yes' if is_critical else 'no'}"
        for name, (weight, is_critical) in documents.weights().items()
    }
    assert table == computed


def test_decisions_are_short_numbered_and_of_one_form() -> None:
    decisions = sorted((DOCS / "decisions").glob("*.md"))
    assert [p.name[:4] for p in decisions] == [f"{n:04}" for n in range(1, len(decisions) + 1)]
    for path in decisions:
        said = text(path)
        assert said.startswith(f"# {path.name[:4]} "), path.name
        assert said.count("\n") <= DECISION_LINES, path.name
        for part in ("**Context.**", "**Decision.**", "**Consequences.**", "would change it.**"):
            assert part in said, (path.name, part)


def test_the_readme_has_its_two_commands() -> None:
    commands = re.findall(
        r"^    (python3 -m venv .*)$", text(sources.ROOT / "README.md"), re.MULTILINE
    )
    assert len(commands) == 2
    assert commands[0].endswith("&& .venv/bin/holdfast")
    assert "requirements.lock" in commands[0]
    assert "-m pytest" in commands[1]
    assert "requirements-dev.lock" in commands[1]


def test_the_manual_names_every_exit_code_and_profile() -> None:
    said = text(documents.MANUAL)
    for code in re.findall(r"(?<![\w+])\d(?= )", EPILOG):
        assert f"| {code} |" in said, code
    for profile in PROFILES:
        assert f"`{profile}`" in said, profile


def test_every_query_of_the_manual_runs_on_the_tables_of_the_store() -> None:
    section = text(documents.MANUAL).partition("### SQL")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("    ")]
    queries = [q for q in "\n".join(lines).split(";") if q.strip()]
    assert len(queries) >= 5
    with closing(sqlite3.connect(":memory:")) as store:
        for statement in TABLES:
            store.execute(statement)
        for query in queries:
            assert store.execute(query).fetchall() == []


def test_the_worked_example_of_the_manual_is_what_the_command_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    example = text(documents.MANUAL).partition("Worked example:")[2].partition("\n## ")[0]
    ticks, signals, said = re.findall(r"(?:^    .*\n)+", example, re.MULTILINE)
    (tmp_path / "ex.csv").write_text(dedent(ticks), encoding="utf-8")
    (tmp_path / "ex.jsonl").write_text(dedent(signals), encoding="utf-8")
    command, *table = dedent(said).splitlines()
    assert run(command.removeprefix("$ holdfast ").split()) == 0
    assert capsys.readouterr().out.splitlines()[: len(table)] == table


def test_the_page_of_keys_is_current() -> None:
    assert text(DOCS / "keys.md") == manual(), "run `python -m tui.manual > docs/keys.md`"


def test_links_between_documents_lead_somewhere() -> None:
    dead = [
        f"{path.name}: {target}"
        for path in written()
        for target in LINK.findall(text(path))
        if not (path.parent / target).exists()
    ]
    assert not dead


def test_no_document_names_a_place_of_the_machine_it_was_written_on() -> None:
    named = [
        f"{path.name}: {found[0]}" for path in written() if (found := ADDRESS.search(text(path)))
    ]
    assert not named
