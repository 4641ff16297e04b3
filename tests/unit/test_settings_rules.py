"""A rule that is switched on without its figure would protect nobody: nothing starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.settings import SettingsError, load


@pytest.mark.parametrize(
    ("rule", "figure", "needed"),
    [
        ("take_profit", "pct=0.5", "pct"),
        ("time_stop", "minutes=10", "minutes"),
        ("kill_switch", "daily_loss=500", "daily_loss or max_drawdown"),
        ("kill_switch", "max_drawdown=0.1", "daily_loss or max_drawdown"),
    ],
)
def test_an_enabled_rule_needs_its_figure(rule: str, figure: str, needed: str) -> None:
    on = f"exits.{rule}.enabled=true"
    with pytest.raises(SettingsError) as caught:
        load(sets=[on], environment={}, env_file=None)
    assert str(caught.value).startswith(f"--set: exits.{rule} was ")
    assert str(caught.value).endswith(f"it is enabled and needs {needed}")
    loaded = load(sets=[on, f"exits.{rule}.{figure}"], environment={}, env_file=None)
    assert getattr(loaded.settings.exits, rule).enabled


@pytest.mark.parametrize(
    ("table", "key"), [("limits", "positions_max"), ("exits.vwap", "pct"), ("paper", "leverage")]
)
def test_true_is_no_number(tmp_path: Path, table: str, key: str) -> None:
    file = tmp_path / "holdfast.toml"
    file.write_text(f"[{table}]\n{key} = true\n")
    with pytest.raises(SettingsError) as caught:
        load(file, environment={}, env_file=None)
    assert str(caught.value).startswith(f"{file}: {table}.{key} was True: ")
