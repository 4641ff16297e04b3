"""What wants a person's eye (C-20): kept until acknowledged. Pure; the app rings the bell."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from engine.domain import event as ev
from engine.domain.decision import RECONCILED
from engine.domain.ids import SECOND, Nanos, PositionId
from engine.domain.order import ExitKind
from tui import formatting as fmt
from tui.book import Figures
from tui.replica import Replica
from tui.sanitise import for_screen

NEAR: Final = Decimal("0.02")
"""Room to the nearest stop that raises an alert; half as much again lets it go."""
SAID: Final = "said"
SAID_FOR: Final = 8 * SECOND
RELEASE: Final = Decimal("0.03")


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to look at."""

    at: Nanos
    token: str
    """Theme token: `near-stop`, `error`, `warning`, `accent`."""
    text: str
    """Already safe to draw."""
    key: str = ""
    """Alerts of one key replace each other."""


@dataclass(slots=True)
class Alerts:
    """Alerts nobody has acknowledged, newest last."""

    waiting: deque[Alert] = field(default_factory=lambda: deque(maxlen=99))
    near: set[PositionId] = field(default_factory=set)
    rung: int = 0
    """How many were ever raised; the app rings when this grows."""
    said_at: Nanos = Nanos(0)
    """Monotonic time of the last answer to a key; it leaves by itself."""

    def raise_alert(self, alert: Alert) -> None:
        """Add an alert; one with the same key is replaced."""
        if alert.key:
            for old in tuple(self.waiting):
                if old.key == alert.key:
                    self.waiting.remove(old)
        self.waiting.append(alert)
        self.rung += 1

    def say(self, note: Alert, mono: Nanos) -> None:
        """Show an answer to a key: no bell, no count, gone after a while."""
        self.drop(SAID)
        self.waiting.append(replace(note, key=SAID))
        self.said_at = mono

    def forget(self, mono: Nanos) -> bool:
        """Let go of an answer that has been read; return whether there was one."""
        if mono - self.said_at < SAID_FOR or not self.has_said:
            return False
        self.drop(SAID)
        return True

    @property
    def has_said(self) -> bool:
        """Whether an answer to a key is on screen."""
        return any(alert.key == SAID for alert in self.waiting)

    @property
    def count(self) -> int:
        """How many wait for a person; an answer to a key is none of them."""
        return sum(alert.key != SAID for alert in self.waiting)

    def acknowledge(self) -> int:
        """Forget all waiting alerts; return how many there were."""
        count = len(self.waiting)
        self.waiting.clear()
        return count

    def drop(self, key: str) -> None:
        """Forget the alert of a key, because its cause is gone."""
        for old in tuple(self.waiting):
            if old.key == key:
                self.waiting.remove(old)

    def approach(self, item: Figures, now: Nanos) -> None:
        """Raise an alert once per approach of a stop, with hysteresis."""
        room, name = item.room, item.position.id
        if room is None:
            return
        if room <= NEAR and name not in self.near and item.position.close is None:
            self.near.add(name)
            rule = fmt.rule(item.nearest.rule) if item.nearest else "stop"
            what = f"{fmt.symbol(item.position.instrument)} {fmt.unsigned_percent(room)}"
            text = f"{what} from its {rule if 'stop' in rule else f'{rule} stop'}"
            self.raise_alert(Alert(now, "near-stop", text, f"near:{name}"))
        elif room >= RELEASE and name in self.near:
            self.near.discard(name)
            self.drop(f"near:{name}")


def alert_of(entry: ev.Entry, replica: Replica) -> Alert | None:
    """Return the alert that a journal entry is worth, if any."""
    match entry.event:
        case ev.OrderFilled():
            return _closed(entry, replica)
        case ev.OrderRejected(order=_, reason=reason, text=text):
            detail = for_screen(text, 80)
            return Alert(entry.at, "error", f"order rejected: {fmt.words(reason)} {detail}".strip())
        case ev.DecisionAsked(decision=decision) if decision.matter in RECONCILED:
            text = fmt.symbols_in(for_screen(decision.text, 100))
            return Alert(entry.at, "error", f"to decide (D): {text}", f"decision:{decision.id}")
        case ev.OrderTimedOut():
            return Alert(entry.at, "error", "an order has no answer: its outcome is unknown")
        case ev.FlattenLatched(cause=cause, reason=reason):
            text = f"FLATTEN ({fmt.words(cause.value)}): {for_screen(reason, 80)}"
            return Alert(entry.at, "error", text, "latch")
        case ev.StrategyFailed(strategy=name, why=why):
            text = f"strategy {for_screen(name, 30)} failed: {for_screen(why, 80)}"
            return Alert(entry.at, "error", text)
        case ev.FeedChanged(feed=feed, is_up=False, why=why):
            text = f"feed {for_screen(feed, 30)} is down: {for_screen(why, 80)}"
            return Alert(entry.at, "error", text, f"feed:{feed}")
        case _:
            return None


def _closed(entry: ev.Entry, replica: Replica) -> Alert | None:
    closed = replica.state.closed
    if not closed or closed[-1].seq != entry.seq:
        return None
    trade = closed[-1]
    what = f"{fmt.symbol(trade.instrument)} closed: {fmt.words(trade.reason.code)}"
    money = fmt.signed_money(trade.pnl, trade.currency)
    token = "accent" if trade.reason.kind is ExitKind.MANUAL else "warning"
    return Alert(entry.at, token, f"{what} {money} {trade.currency}", f"closed:{trade.id}")
