"""Settings: which source wins, what stays exact, and that secrets never come out."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from engine.settings import Loaded, load
from engine.settings.names import CUSTOMARY

CANARY = "k3y-CANARY-9f2"


def loaded(
    *sets: str,
    env: dict[str, str] | None = None,
    toml: str | None = None,
    dotenv: str | None = None,
    home: Path | None = None,
) -> Loaded:
    config = env_file = None
    if toml is not None and home is not None:
        config = home / "holdfast.toml"
        config.write_text(toml, "utf-8")
    if dotenv is not None and home is not None:
        env_file = home / ".env"
        env_file.write_text(dotenv, "utf-8")
    return load(config, sets=sets, environment=env or {}, env_file=env_file)


def test_without_any_source_everything_is_a_default() -> None:
    found = loaded()
    assert found.sources == {}
    assert {source for _, _, source in found.effective()} == {"default"}
    assert found.settings.exits.trailing.pct == Decimal("0.10")


STRONGER = [
    ("toml", "[freshness]\nstale = 5"),
    ("dotenv", "HOLDFAST_FRESHNESS__STALE=6"),
    ("env", {"HOLDFAST_FRESHNESS__STALE": "7"}),
    ("sets", "freshness.stale=8"),
]


@pytest.mark.parametrize("count", range(1, len(STRONGER) + 1))
def test_the_strongest_source_wins_and_is_named(tmp_path: Path, count: int) -> None:
    given = dict(STRONGER[:count])
    sets = [str(given.pop("sets"))] if "sets" in given else []
    found = loaded(*sets, home=tmp_path, **given)  # type: ignore[arg-type]
    assert found.settings.freshness.stale == 4 + count
    names = [str(tmp_path / "holdfast.toml"), str(tmp_path / ".env"), "environment", "--set"]
    assert found.sources == {"freshness.stale": names[count - 1]}


def test_a_profile_yields_to_everything_that_is_said() -> None:
    profile = loaded("profile=nifty-paper")
    assert profile.settings.paper.default_qty == 75
    assert profile.settings.exits.end_of_day.time == "15:15"
    assert profile.sources["paper.default_qty"] == "profile nifty-paper"
    changed = loaded("profile=nifty-paper", env={"HOLDFAST_PAPER__DEFAULT_QTY": "150"})
    assert changed.settings.paper.default_qty == 150
    assert changed.settings.exits.end_of_day.time == "15:15"


def test_the_perpetual_profile_has_the_figures_of_the_specification() -> None:
    paper = loaded(env={"HOLDFAST_PROFILE": "perp-paper"}).settings.paper
    assert (paper.initial_capital, paper.leverage) == (Decimal(10_000), Decimal(10))
    assert paper.capital_per_position == 200


def test_the_data_directory_brings_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "holdfast.toml").write_text("[limits]\npositions_max = 3", "utf-8")
    found = load(data_dir=tmp_path, environment={}, env_file=None)
    assert found.settings.limits.positions_max == 3
    assert load(data_dir=tmp_path / "none", environment={}, env_file=None).sources == {}


@pytest.mark.parametrize("text", ["0.1", "0.070", "0.12345678901"])
def test_a_fraction_is_exactly_what_was_written(tmp_path: Path, text: str) -> None:
    key = "exits.trailing.pct"
    for found in (
        loaded(f"{key}={text}"),
        loaded(env={"HOLDFAST_EXITS__TRAILING__PCT": text}),
        loaded(home=tmp_path, toml=f'[exits.trailing]\npct = "{text}"'),
        loaded(home=tmp_path, toml=f"[exits.trailing]\npct = {text}"),
    ):
        assert str(found.settings.exits.trailing.pct) == text


def test_customary_names_work_and_the_idle_ones_are_said(tmp_path: Path) -> None:
    env = {"MAX_POSITIONS": "4", "SYMBOLS": "BTC-EUR, ETH-EUR,", "CACHE_FEATURES": "true"}
    env |= {"ENABLE_DATA_QUALITY_CHECKS": "false", "HEALTH_CHECK_INTERVAL": "5"}
    found = loaded(env=env)
    settings = found.settings
    assert settings.limits.positions_max == 4
    assert settings.symbols == ("BTC-EUR", "ETH-EUR")
    assert (settings.quality.enabled, settings.health.interval) == (False, 5)
    assert found.idle == ("CACHE_FEATURES",)
    again = loaded(home=tmp_path, dotenv="MAX_POSITIONS=9\nSYMBOLS=A,B")
    assert (again.settings.limits.positions_max, again.settings.symbols) == (9, ("A", "B"))


def test_every_customary_name_of_the_specification_is_known() -> None:
    named = """BITVAVO_API_KEY BITVAVO_API_SECRET TELEGRAM_BOT_TOKEN TELEGRAM_CHAT_ID MAX_POSITIONS
    SYMBOLS ENABLE_PERFORMANCE_MONITORING ENABLE_DATA_QUALITY_CHECKS ENABLE_CIRCUIT_BREAKERS
    CACHE_FEATURES MAX_CONCURRENT_PREDICTIONS FEATURE_CACHE_SIZE HEALTH_CHECK_INTERVAL
    PREDICTION_FAILURE_THRESHOLD PREDICTION_RECOVERY_TIMEOUT DATA_COLLECTION_FAILURE_THRESHOLD
    CACHE_TTL_SECONDS MAX_CACHE_MEMORY_MB ERROR_NOTIFICATIONS_PER_HOUR TRADE_NOTIFICATIONS_PER_HOUR
    STATUS_NOTIFICATIONS_PER_HOUR"""
    assert set(named.split()) == set(CUSTOMARY)


def test_lists_and_tables_may_be_set(tmp_path: Path) -> None:
    assert loaded('symbols=["A","B"]').settings.symbols == ("A", "B")
    env = {"HOLDFAST_SYMBOLS": '["A"]', "HOLDFAST_CONSOLE__KEYMAP": '{"quit": "ctrl+q"}'}
    settings = loaded(env=env).settings
    assert (settings.symbols, settings.console.keymap) == (("A",), {"quit": "ctrl+q"})
    assert loaded(home=tmp_path, toml='symbols = ["C"]').settings.symbols == ("C",)
    found = loaded(env={"HOLDFAST_SYMBOLS": "BTC, ETH"})
    assert found.settings.symbols == ("BTC", "ETH")
    assert ("symbols", "BTC,ETH", "environment") in found.effective()
    assert loaded(home=tmp_path, dotenv="HOLDFAST_SYMBOLS=D,E").settings.symbols == ("D", "E")
    assert loaded("exits.end_of_day.time=none").settings.exits.end_of_day.time is None


def test_a_strategys_own_parameters_are_kept_as_they_are(tmp_path: Path) -> None:
    toml = '[strategies.nifty]\nkind = "oi_momentum"\nunderlying = "NIFTY"\ncooldown_s = 10'
    table = loaded("strategies.nifty.bar_seconds=5", home=tmp_path, toml=toml).settings.strategies
    assert table["nifty"].kind == "oi_momentum"
    assert table["nifty"].model_extra == {
        "underlying": "NIFTY",
        "cooldown_s": 10,
        "bar_seconds": "5",
    }


@pytest.mark.parametrize(
    ("rule", "given"),
    [
        ("take_profit", "exits.take_profit.pct=0.5"),
        ("time_stop", "exits.time_stop.minutes=30"),
        ("kill_switch", "exits.kill_switch.daily_loss=5000"),
    ],
)
def test_the_figure_of_a_rule_switches_it_on_unless_that_was_said(rule: str, given: str) -> None:
    assert not getattr(loaded().settings.exits, rule).enabled
    assert getattr(loaded(given).settings.exits, rule).enabled
    off = loaded(given, f"exits.{rule}.enabled=false").settings.exits
    assert not getattr(off, rule).enabled


def test_secrets_are_masked_wherever_they_could_be_shown(tmp_path: Path) -> None:
    found = loaded(
        f"secrets.own={CANARY}",
        home=tmp_path,
        dotenv=f"TELEGRAM_BOT_TOKEN={CANARY}",
        env={"BITVAVO_API_SECRET": CANARY, "HOLDFAST_SECRETS__OTHER": CANARY},
    )
    secrets = found.settings.secrets
    assert set(secrets) == {"own", "telegram_bot_token", "bitvavo_api_secret", "other"}
    assert {value.get_secret_value() for value in secrets.values()} == {CANARY}
    shown = (found.effective(), repr(found), str(found.settings), found.settings.model_dump_json())
    assert CANARY not in str(shown)
    assert ("secrets.own", "***", "--set") in found.effective()


def test_what_is_loaded_cannot_be_changed() -> None:
    settings = loaded().settings
    with pytest.raises(ValueError, match="frozen"):
        settings.paper.leverage = Decimal(100)


def test_names_of_others_in_the_environment_mean_nothing() -> None:
    assert loaded(env={"PATH": "/bin", "EXITS__TRAILING__PCT": "x", "FEED": "kite"}).sources == {}
