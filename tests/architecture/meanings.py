"""What the configuration keys mean, in a user's words, for the table in docs/manual.md."""

from __future__ import annotations

from typing import Final

IDLE: Final = "No effect in this version."

MEANINGS: Final[dict[str, str]] = {
    "environment": "Only `paper`: live trading is not built into this version.",
    "profile": "Figures that come together: `default`, `nifty-paper`, `perp-paper` (below).",
    "data_dir": "Where everything is kept; the same as `--data-dir`.",
    "feed": "Where prices of a live session come from: `sim` or `replay`.",
    "symbols": IDLE,
    "exits.initial.enabled": "Initial stop; `false`: only a position's own stop price acts.",
    "exits.initial.pct": "Distance of the initial stop, a fraction of entry.",
    "exits.trailing.enabled": "Trailing stop.",
    "exits.trailing.activation_pct": "Favourable move that arms it, a fraction of entry.",
    "exits.trailing.pct": "Distance kept from the peak, a fraction of the peak.",
    "exits.vwap.enabled": "VWAP stop.",
    "exits.vwap.pct": "Distance from the VWAP, a fraction of it.",
    "exits.oi.enabled": "Open-interest stop.",
    "exits.oi.pct": "Growth of open interest since entry, a fraction.",
    "exits.take_profit.enabled": "Take profit; `false`: only a position's own target acts.",
    "exits.take_profit.pct": "Distance of the target, a fraction of entry; set, it switches the "
    "rule on.",
    "exits.end_of_day.enabled": "Close at the end of the exchange's day.",
    "exits.end_of_day.time": "Exchange-local `HH:MM`; none: the session's close alone counts.",
    "exits.time_stop.enabled": "Close what was held longer than `minutes`.",
    "exits.time_stop.minutes": "Longest holding; set, it switches the rule on.",
    "exits.kill_switch.enabled": "Flatten everything on a loss.",
    "exits.kill_switch.daily_loss": "Money lost since the session began, in an account's "
    "currency, beyond what a person accepted by lifting it; set, it switches the rule on.",
    "exits.kill_switch.max_drawdown": "Fall from the highest equity, open profit included, a "
    "fraction; set, it switches the rule on.",
    "paper.initial_capital": "What each currency's account of the first session starts with.",
    "paper.leverage": "Of perpetuals and futures; everything else is paid in full.",
    "paper.capital_per_position": "Money for a position whose signal names no quantity.",
    "paper.default_qty": "Quantity of a signal that names none; wins over capital. Neither: one "
    "lot.",
    "paper.slippage_bps": "How much worse a market order fills, in 1/10 000.",
    "paper.fees.maker": "Fraction of notional, of limit orders.",
    "paper.fees.taker": "Fraction of notional, of everything else.",
    "paper.fees.cap": "Highest fee per order, in the instrument's currency.",
    "limits.positions_max": "Open positions in all; 0: no limit.",
    "limits.positions_max_per_strategy": "The same per strategy.",
    "limits.positions_max_per_instrument": "The same per instrument.",
    "limits.cooldown_s": "Seconds without an entry on an instrument after a position on it was "
    "closed.",
    "signals.confidence_min": "A signal below it is refused.",
    "signals.file": "A JSON-lines file that is watched for signals.",
    "freshness.price_age_max": "Seconds after which a price is no price: no entry, no exit by "
    "it, no fill.",
    "freshness.silent": "Seconds after which a held price is called stale.",
    "freshness.danger": "The same near a level of its exits.",
    "freshness.danger_pct": "What is near, a fraction of the level.",
    "freshness.stale": "Seconds of silence after which the feed counts as silent.",
    "checkpoint.interval": "Seconds between checkpoints.",
    "reconcile.interval": "Seconds between two comparisons of engine, database and venue.",
    "health.interval": IDLE + " Health is measured once a second.",
    "quality.enabled": "`false`: data quality is measured and holds nothing back.",
    "quality.gate": "No entry on an instrument whose score is below.",
    "sim.seed": "Another seed is another market.",
    "sim.speed": "Speed of the simulation's own clock.",
    "sim.pace": "Seconds of market per second: how lively prices are.",
    "replay.files": 'Recordings that a live session takes its prices from (`feed = "replay"`).',
    "replay.instruments": "Instruments files for them.",
    "replay.speed": "Recorded seconds per second; `none`: as fast as it goes.",
    "replay.bar_path": "The way through a bar when a live session replays bars.",
    "store.persistence": "`off`: nothing is kept. Said on screen all the time.",
    "console.theme": "A theme by name; none: by the terminal.",
    "console.rate": "Frames a second, 1 to 30.",
    "console.mouse": "Mouse on or off; none: on, but not over SSH or in tmux.",
    "console.bell": "Ring the terminal's bell on an alert.",
    "console.keymap": "Action name to keys, see [keys.md](keys.md).",
    "strategies": "Tables `[strategies.NAME]`: `kind`, `enabled`, and the strategy's own "
    "parameters.",
    "secrets": "Texts that no log and no output may show.",
}
