"""A running engine's snapshot as plain rows: what `status`, `positions` and the like print."""

from __future__ import annotations

from typing import Any

from engine.domain.health import Health
from engine.domain.ids import SECOND
from engine.domain.money import plain
from engine.domain.position import Position
from engine.domain.stop import Reading, Unit, view_of
from engine.link.protocol import Welcome
from engine.runtime.outcome import account_data, iso, position_data, strategy_data

Row = dict[str, Any]


def status_row(welcome: Welcome) -> Row:
    """Return how an engine is, in one row."""
    state, pulse, health = welcome.state, welcome.pulse, welcome.health
    session = state.session
    market = {quote.instrument: quote for quote in welcome.quotes}
    return {
        "running": True,
        "pid": welcome.engine_pid,
        "started": iso(welcome.started_at),
        "uptime_s": (pulse.now - welcome.started_at) // SECOND,
        "data_dir": welcome.data_dir,
        "session": session.id if session is not None else None,
        "session_status": session.status.value if session is not None else None,
        "mode": session.mode.value if session is not None else None,
        "venue": welcome.venue,
        "feed": welcome.feed,
        "feed_is_up": pulse.is_feed_up,
        "feed_age_s": round(pulse.feed_age / SECOND, 3),
        "ticks": pulse.ticks,
        "ticks_per_s": round(pulse.ticks_per_s, 1),
        "persisted": pulse.is_persisted,
        "persistence": welcome.persistence,
        "events": state.seq,
        "open_positions": len(state.positions),
        "working_orders": len(state.orders),
        "decisions": len(state.decisions),
        "entries_blocked": dict(state.blocks),
        "latch": state.latch.reason if state.latch is not None else None,
        "health": round(health.score, 1) if health is not None else None,
        "health_level": health.level.value if health is not None else None,
        "worst": health.worst if health is not None else None,
        "control": welcome.lease.owner or None,
        "memory_mb": round(pulse.rss_mb, 1),
        "accounts": [account_data(state, market, a) for a in state.accounts.values()],
    }


def position_rows(welcome: Welcome) -> list[Row]:
    """Return the open positions with their last price, P&L and nearest armed stop."""
    state = welcome.state
    market = {quote.instrument: quote for quote in welcome.quotes}
    rows = []
    for position in state.positions.values():
        row = position_data(state, market, position)
        nearest = _nearest(welcome, position)
        row["stop_rule"] = nearest.rule if nearest is not None else None
        level = nearest.level if nearest is not None else None
        row["stop_level"] = None if level is None else plain(level)
        distance = nearest.distance if nearest is not None else None
        row["stop_distance"] = None if distance is None else f"{distance:.4f}"
        rows.append(row)
    return rows


def _nearest(welcome: Welcome, position: Position) -> Reading | None:
    """Return the armed stop with the least room; a target is no stop."""
    state = welcome.state
    quote = next((q for q in welcome.quotes if q.instrument == position.instrument), None)
    if quote is None:
        return None
    terms = state.instruments[position.instrument]
    view = view_of(position, terms, quote, welcome.pulse.now, state.peak(position))
    readings = [rule.reading(view) for rule in state.rules if rule.code != "take_profit"]
    armed = [r for r in readings if r.is_armed and r.unit is Unit.PRICE and r.distance is not None]
    return min(armed, key=lambda r: r.distance or 0, default=None)


def strategy_rows(welcome: Welcome) -> list[Row]:
    """Return the strategies, by name."""
    records = welcome.state.strategies
    return [strategy_data(record) for _, record in sorted(records.items())]


def health_row(health: Health) -> Row:
    """Return health with its components, figures and losses."""
    return {
        "at": iso(health.at),
        "score": round(health.score, 1),
        "level": health.level.value,
        "worst": health.worst,
        "components": [
            {
                "name": part.name,
                "score": round(part.score, 1),
                "weight": part.weight,
                "critical": part.is_critical,
                "figures": dict(part.figures),
                "losses": [{"points": loss.points, "why": loss.why} for loss in part.losses],
            }
            for part in health.components
        ],
    }
