"""A start that is told nothing: the same session as with the settings library, without it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from engine.bootstrap.configure import live_options
from engine.bootstrap.unsaid import unsaid_options
from engine.settings import Settings, load
from engine.settings.names import CUSTOMARY, is_silent


def silent(folder: Path, env: Mapping[str, str] | None = None, **said: object) -> bool:
    told = {"config": None, "sets": (), "env_file": folder / ".env", **said}
    return is_silent(data_dir=folder, environment=env or {}, **told)  # type: ignore[arg-type]


def test_what_nobody_has_said_is_what_the_settings_say(tmp_path: Path) -> None:
    loaded = load(data_dir=tmp_path, environment={}, env_file=None)
    assert unsaid_options(tmp_path) == live_options(loaded.settings, tmp_path)


def test_a_fresh_place_is_silent_wherever_it_is(tmp_path: Path) -> None:
    assert silent(tmp_path)
    assert silent(tmp_path, {"PATH": "/bin", "HOLDFAST_DATA_DIR": str(tmp_path)})


@pytest.mark.parametrize(
    "env",
    [
        {"HOLDFAST_FEED": "replay"},
        {"holdfast_feed": "replay"},
        {"HOLDFAST_PAPER__LEVERAGE": "3"},
        {"HOLDFAST_NO_SUCH_THING": "1"},
        *({name: "1"} for name in CUSTOMARY),
    ],
)
def test_any_name_of_ours_in_the_environment_says_something(
    tmp_path: Path, env: Mapping[str, str]
) -> None:
    assert not silent(tmp_path, env)


def test_a_file_or_an_option_says_something_whatever_is_in_it(tmp_path: Path) -> None:
    assert not silent(tmp_path, config=tmp_path / "other.toml")
    assert not silent(tmp_path, sets=["sim.seed=8"])
    (tmp_path / ".env").touch()
    assert not silent(tmp_path)
    (tmp_path / ".env").unlink()
    (tmp_path / "holdfast.toml").touch()
    assert not silent(tmp_path)


def test_every_setting_can_be_said_by_a_name_that_is_heard() -> None:
    assert all(not silent(Path("/none"), {f"HOLDFAST_{name.upper()}": "1"}) for name in heard())


def heard() -> set[str]:
    return set(Settings.model_fields) - {"data_dir"}


def test_it_does_without_the_settings_library() -> None:
    code = (
        "import sys; from pathlib import Path; from engine.settings.names import is_silent; "
        "from engine.bootstrap.unsaid import unsaid_options; unsaid_options(Path('x')); "
        "import engine.bootstrap.live, engine.link.server; "
        "sys.exit(any(name.startswith('pydantic') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
