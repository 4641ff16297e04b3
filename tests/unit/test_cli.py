"""Words to commands and exit codes, and what of the outside may reach a terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tui.cli import main
from tui.cli.exits import Failure
from tui.cli.looks import console_settings
from tui.cli.output import as_json, complain, say, table
from tui.cli.parser import build
from tui.cli.places import chosen_data_dir, data_dir_of, default_data_dir
from tui.terminal import Terminal

HOSTILE = "\x1b]52;c;ZXZpbA==\x07\x1b[2J\u202eNIFTY\r\n[@click=app.bell]x[/]"


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["status", "--nonsense"],
        ["replay"],
        ["close"],
        ["stop-price", "X"],
        ["replay", "f.csv", "--speed", "0"],
        ["replay", "f.csv", "--speed", "nan"],
        ["replay", "f.csv", "--bar-path", "sideways"],
        ["run", "--engine", "thread"],
        ["logs", "-n", "many"],
    ],
)
def test_wrong_usage_is_exit_code_2_with_one_line(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("holdfast: ")
    assert said.err.count("\n") == 1


def test_help_of_every_command_names_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--help"], ["status", "--help"], ["replay", "--help"], ["flatten", "--help"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 0
        said = " ".join(capsys.readouterr().out.split())
        for code in ("0 done", "1 failed", "2 wrong usage", "3 the data directory", "4 store"):
            assert code in said
        assert "6 no engine is running" in said


def test_the_version_is_said_and_is_the_projects(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert f'version = "{capsys.readouterr().out.split()[1]}"' in project


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["status"], 6),
        (["stop"], 6),
        (["health"], 6),
        (["close", "x"], 6),
        (["flatten"], 6),
        (["stop-price", "x", "1"], 6),
        (["pause"], 6),
        (["signal"], 6),
        (["positions"], 0),
        (["trades"], 0),
        (["sessions"], 0),
        (["strategies"], 0),
        (["logs"], 1),
    ],
)
def test_without_an_engine_acts_are_refused_and_questions_answered(
    words: list[str], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--data-dir", str(tmp_path)]) == code
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["positions", "trades", "sessions", "strategies"])
def test_with_json_nothing_found_is_an_empty_list(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name, "--json", "--data-dir", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_what_is_no_store_has_its_own_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "holdfast.db").write_bytes(b"somebody's file" * 300)
    assert main(["trades", "--data-dir", str(tmp_path)]) == 4
    assert "holdfast.db" in capsys.readouterr().err


def test_no_text_from_outside_commands_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say(HOSTILE)
    complain(HOSTILE)
    table([{"symbol": HOSTILE, "list": [HOSTILE]}], ("symbol", "list"))
    as_json({"symbol": HOSTILE})
    said = capsys.readouterr()
    for text in (said.out, said.err):
        assert not [c for c in text if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160)]
        assert "\u202e" not in text
    assert json.loads(said.out.splitlines()[-1]) == {"symbol": HOSTILE}


def test_a_table_aligns_figures_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    table([{"name": "a", "pnl": "1.5"}, {"name": "bb", "pnl": "-10"}], ("name", "pnl"))
    assert capsys.readouterr().out.splitlines() == ["NAME  PNL", "a     1.5", "bb    -10"]


def test_the_data_directory_follows_flag_environment_and_platform(tmp_path: Path) -> None:
    assert default_data_dir({"XDG_DATA_HOME": "/x"}) == Path("/x/holdfast")
    assert default_data_dir({"HOLDFAST_DATA_DIR": "/y", "XDG_DATA_HOME": "/x"}) == Path("/y")
    assert default_data_dir({}) == Path.home() / ".local/share/holdfast"
    assert data_dir_of(tmp_path) == tmp_path


def test_a_configuration_file_may_name_the_data_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOLDFAST_DATA_DIR", raising=False)
    config = tmp_path / "c.toml"
    config.write_text(f'data_dir = "{tmp_path}/from-file"\n')
    words = ["run", "--config", str(config)]
    assert chosen_data_dir(build().parse_args(words)) == tmp_path / "from-file"
    words += ["--set", f"data_dir={tmp_path}/from-set"]
    assert chosen_data_dir(build().parse_args(words)) == tmp_path / "from-set"
    words += ["--data-dir", str(tmp_path / "flag")]
    assert chosen_data_dir(build().parse_args(words)) == tmp_path / "flag"


def test_the_console_table_is_read_without_the_settings_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "holdfast.toml").write_text(
        '[console]\ntheme = "light"\nrate = 5\nmouse = true\nbell = false\n'
    )
    found = console_settings(build().parse_args(["run"]), tmp_path, Terminal())
    assert (found.theme, found.frames_per_second) == ("light", 5)
    assert (found.mouse, found.has_bell) == (True, False)
    monkeypatch.setenv("HOLDFAST_CONSOLE__THEME", "mono")
    args = build().parse_args(["run", "--set", "console.rate=2"])
    found = console_settings(args, tmp_path, Terminal())
    assert (found.theme, found.frames_per_second) == ("mono", 2)
    args = build().parse_args(["run", "--theme", "dark", "--read-only", "--slow"])
    found = console_settings(args, tmp_path, Terminal())
    assert (found.theme, found.is_read_only, found.is_slow_link) == ("dark", True, True)


def test_a_theme_that_does_not_exist_names_those_that_do(tmp_path: Path) -> None:
    args = build().parse_args(["run", "--theme", "neon"])
    with pytest.raises(Failure, match=r"'neon', allowed: .*dark") as failed:
        console_settings(args, tmp_path, Terminal())
    assert failed.value.code == 2


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_files_are_no_reason_to_fail(tmp_path: Path, closed: str) -> None:
    script = f'"$@" {closed}'
    command = [sys.executable, "-m", "tui", "status", "--data-dir", str(tmp_path)]
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", *command],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 6
    assert b"Traceback" not in done.stderr


def test_a_full_disk_behind_standard_output_is_said_in_one_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tui", "positions", "--data-dir", str(tmp_path)],
            cwd=Path(__file__).parents[2],
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr
