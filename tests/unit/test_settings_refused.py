"""A wrong value names its source, key, value and what is allowed, and nothing starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.settings import SettingsError, load

CANARY = "k3y-CANARY-9f2"


def refusal(
    *sets: str, env: dict[str, str] | None = None, config: Path | None = None, dotenv: str = ""
) -> str:
    env_file = None
    if dotenv and config is not None:
        env_file = config.with_name(".env")
        env_file.write_text(dotenv, "utf-8")
        config = None
    with pytest.raises(SettingsError) as caught:
        load(config, sets=sets, environment=env or {}, env_file=env_file)
    return str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        "exits.trailing.pct=1",
        "exits.trailing.pct=0",
        "exits.trailing.pct=-0.1",
        "exits.trailing.pct=NaN",
        "exits.trailing.pct=Infinity",
        "exits.trailing.pct=ten",
        "exits.initial.pct=25",
        "exits.end_of_day.time=25:00",
        "exits.end_of_day.time=15:15:00",
        "exits.time_stop.minutes=1.5",
        "exits.kill_switch.daily_loss=0",
        "paper.initial_capital=0",
        "paper.initial_capital=NaN",
        "paper.leverage=0.5",
        "paper.slippage_bps=10000",
        "limits.positions_max=-1",
        "signals.confidence_min=1.01",
        "freshness.stale=0",
        "freshness.stale=nan",
        "freshness.stale=inf",
        "checkpoint.interval=-1",
        "checkpoint.interval=inf",
        "quality.gate=101",
        "quality.gate=nan",
        "sim.speed=0",
        "sim.pace=inf",
        "console.rate=31",
        "console.rate=nan",
        "store.persistence=maybe",
        "environment=live",
        "profile=margin",
        "feed=kite",
        "exits=off",
    ],
)
def test_a_value_out_of_range_is_refused_by_source_key_and_value(given: str) -> None:
    said = refusal(given)
    key, _, value = given.partition("=")
    assert said.startswith(f"--set: {key}")
    assert value.strip() in said


def test_what_is_allowed_is_said() -> None:
    assert "less than 1" in refusal("exits.trailing.pct=7")
    assert "'on' or 'off'" in refusal("store.persistence=maybe")
    assert "'default', 'nifty-paper' or 'perp-paper'" in refusal("profile=margin")
    assert "valid boolean" in refusal("exits.vwap.enabled=perhaps")


def test_every_fault_is_told_at_once_one_per_line() -> None:
    said = refusal("exits.trailing.pct=7", "paper.leverage=0", "limits.positions_max=x")
    assert [line.split()[1] for line in said.splitlines()] == [
        "exits.trailing.pct",
        "paper.leverage",
        "limits.positions_max",
    ]


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("exits.trailing.pc=0.1", "exits.trailing.pct"),
        ("exits.trailling.pct=0.1", "exits"),
        ("colour=red", "console"),
        ("limits.max=1", "limits.positions_max"),
        ("exits.trailing.pct.x=1", "exits.trailing.pct is one value"),
    ],
)
def test_an_unknown_key_is_refused_with_what_there_is(given: str, near: str) -> None:
    said = refusal(given)
    assert said.startswith(f"--set: unknown key {given.partition('=')[0]}")
    assert near in said


def test_an_unknown_name_in_the_environment_is_refused() -> None:
    said = refusal(env={"HOLDFAST_EXIT__TRAILING__PCT": "0.1"})
    assert "HOLDFAST_EXIT__TRAILING__PCT is no setting" in said
    assert "HOLDFAST_EXITS" in said
    nested = refusal(env={"HOLDFAST_EXITS__TRAILING__PC": "0.1"})
    assert nested.startswith("environment: unknown key exits.trailing.pc")


@pytest.mark.parametrize("text", ["[", '["A",', "[BTC]"])
def test_a_list_of_the_environment_that_is_no_json_is_refused_by_name(text: str) -> None:
    said = refusal(env={"HOLDFAST_SYMBOLS": text})
    assert said.startswith("environment: ")
    assert "symbols" in said
    assert '["A","B"]' in said


def test_a_wrong_value_in_the_dotenv_file_names_the_file(tmp_path: Path) -> None:
    said = refusal(config=tmp_path / "x", dotenv="HOLDFAST_LIMITS__POSITIONS_MAX=many")
    assert said.startswith(f"{tmp_path / '.env'}: limits.positions_max was 'many'")
    unknown = refusal(config=tmp_path / "x", dotenv="HOLDFAST_LIMITS__MAX=1")
    assert unknown.startswith(f"{tmp_path / '.env'}: unknown key limits.max")


def test_a_misspelt_name_in_the_dotenv_file_is_refused_as_in_the_environment(
    tmp_path: Path,
) -> None:
    said = refusal(config=tmp_path / "x", dotenv="HOLDFAST_LIMIT__POSITIONS_MAX=1")
    assert said.startswith(f"{tmp_path / '.env'}: ")
    assert "HOLDFAST_LIMIT" in said


@pytest.mark.parametrize("sets", ["", "=1", "freshness.stale", " = 1"])
def test_a_set_without_key_or_value_is_refused(sets: str) -> None:
    assert "key=value" in refusal(sets)


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"[exits", "is no TOML"), (b"\xff\xfe", "cannot be read"), (b"a = 1\na = 2", "is no TOML")],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "holdfast.toml"
    path.write_bytes(data)
    assert refusal(config=path).startswith(f"{path}: {said}")
    assert refusal(config=tmp_path / "none.toml").startswith(f"{tmp_path / 'none.toml'}: cannot")


def test_a_wrong_value_in_a_file_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "holdfast.toml"
    path.write_text("[exits.trailing]\npct = 7\n[paper]\nleverag = 3", "utf-8")
    assert refusal(config=path) == (
        f"{path}: unknown key paper.leverag; allowed here: "
        "paper.capital_per_position, paper.default_qty, paper.disturb, paper.fees, "
        "paper.initial_capital, paper.leverage, paper.slippage_bps"
    )
    path.write_text("[exits.trailing]\npct = 7", "utf-8")
    assert refusal(config=path).startswith(f"{path}: exits.trailing.pct was 7: ")


def test_a_rejected_secret_is_never_shown(tmp_path: Path) -> None:
    path = tmp_path / "holdfast.toml"
    path.write_text(f'[secrets]\nown = ["{CANARY}"]', "utf-8")
    said = refusal(config=path)
    assert "secrets.own was ***" in said
    assert CANARY not in said
    for sets in (f"secrets={CANARY}", f'secrets=["{CANARY}"]', f'secrets={{"a": ["{CANARY}"]}}'):
        assert CANARY not in refusal(sets)
    assert CANARY not in refusal(env={"HOLDFAST_SECRETS": CANARY})
    assert CANARY not in refusal(f"secrets.own:{CANARY}")
    assert CANARY not in refusal(f"secrets.own.deeper={CANARY}")
