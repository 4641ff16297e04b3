"""Health: a bar per component, the worst first to see; in full with every lost point (C-13)."""

from __future__ import annotations

from typing import ClassVar, Final

from engine.domain.health import Component, Health, Loss
from tui import formatting as fmt
from tui.hues import LEVELS, hue_of
from tui.panel import Panel
from tui.replica import Concern
from tui.sanitise import for_screen
from tui.widgets.gauges import meter
from tui.widgets.line import BLANK, Line, Span, cut

_NAME_WIDTH: Final = 15
"""The longest name, `reconciliation`, and a blank."""


def project(health: Health, width: int) -> list[Line]:
    """Return the compact panel: a bar, the score and the first reason per component."""
    bar_width = max(6, min(24, width - _NAME_WIDTH - 36))
    lines = [_component(item, bar_width, width) for item in health.components]
    is_lost = any(_counts(loss) for item in health.components for loss in item.losses)
    worst = told(health.worst, 120) if is_lost else ""
    head: Line = (("  worst: ", "muted"), (worst or "nothing is lost", "text"))
    return [*lines, cut(head, width)]


_LEAST: Final = 0.05
_FIRST: Final = 5
"""Figures in a component's first row."""


def project_full(health: Health, width: int) -> list[Line]:
    """Return every component with its figures and each lost point, then the formula."""
    lines: list[Line] = []
    for item in health.components:
        lines.append(_component(item, 24, width, with_reason=False))
        lines += [cut((("    ", "text"), (row, "muted")), width) for row in _rows(item, width - 4)]
        for loss in filter(_counts, item.losses):
            points: Span = (f"    −{loss.points:.1f}  ", "warning")
            lines.append(cut((points, (told(loss.why, 160), "text")), width))
    return [*lines, BLANK, *_formula(health, width)]


def _rows(item: Component, width: int) -> list[str]:
    """Return the figures: the first ones in one row, further ones in as many as they need."""
    shown = [
        f"{for_screen(fmt.words(name), 40)} {for_screen(value, 30)}" for name, value in item.figures
    ]
    rows = ["   ".join(shown[:_FIRST])] if shown else []
    for text in shown[_FIRST:]:
        if len(rows) > 1 and len(rows[-1]) + len(text) + 3 <= width:
            rows[-1] += f"   {text}"
        else:
            rows.append(text)
    return rows


def _component(item: Component, bar_width: int, width: int, *, with_reason: bool = True) -> Line:
    hue = hue_of(item.score)
    mark = "!" if item.is_critical else " "
    spans: list[Span] = [
        (f" {mark}", "muted"),
        (fmt.fit(fmt.words(item.name), _NAME_WIDTH), "text"),
        *meter(item.score / 100, bar_width, hue),
        (f"{item.score:5.0f} ", "text" if item.score >= 75 else f"{hue}!"),
    ]
    if not with_reason:
        spans.append((f" weight {item.weight:g}{' critical' if item.is_critical else ''}", "muted"))
    elif any(map(_counts, item.losses)):
        spans.append((f" {told(next(filter(_counts, item.losses)).why, 100)}", "muted"))
    elif item.figures:
        name, value = item.figures[0]
        spans.append((f" {for_screen(name, 30)} {for_screen(value, 30)}", "muted"))
    return cut(spans, width)


def _counts(loss: Loss) -> bool:
    """Return whether a lost point is one that can be seen: not 0.0."""
    return loss.points >= _LEAST


def told(why: str, length: int) -> str:
    """Return a reason as a person reads it: no codes, no CE and PE."""
    return fmt.symbols_in(for_screen(why, length)).replace("_", " ")


def _formula(health: Health, width: int) -> list[Line]:
    weight = sum(item.weight for item in health.components)
    mean = sum(item.score * item.weight for item in health.components) / weight if weight else 0.0
    critical = [item.score for item in health.components if item.is_critical]
    cap = f", the worst critical component stands at {min(critical):.0f}" if critical else ""
    return [
        cut((("  each component: 100 minus its losses, at least 0", "muted"),), width),
        cut(((f"  weighted mean {mean:.1f}{cap}", "muted"),), width),
        cut(
            (
                ("  overall ", "muted"),
                (f"{health.score:.1f} {health.level.value}", f"{LEVELS[health.level]}!"),
            ),
            width,
        ),
    ]


class HealthPanel(Panel):
    """The compact panel of the dashboard."""

    NAME: ClassVar[str] = "health"
    TITLE: ClassVar[str] = "Health"
    CONCERNS: ClassVar[frozenset[Concern]] = frozenset({Concern.HEALTH, Concern.LINK})

    def notes(self) -> str:
        health = self.desk.replica.health
        return f"{health.score:.0f} {health.level.value}" if health is not None else ""

    def draw(self, width: int, height: int) -> list[Line]:
        health = self.desk.replica.health
        if health is None:
            return [((f"  {self.desk.unmeasured}", "muted"),)]
        return self.scrolled(project(health, width), height)


class ComponentsPanel(HealthPanel):
    """The full account on the health screen."""

    NAME: ClassVar[str] = "components"
    TITLE: ClassVar[str] = "Components: every lost point"

    def draw(self, width: int, height: int) -> list[Line]:
        health = self.desk.replica.health
        if health is None:
            return [((f"  {self.desk.unmeasured}", "muted"),)]
        return self.scrolled(project_full(health, width), height)
