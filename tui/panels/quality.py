"""Data quality per instrument with its last bad sample, and the engine's latencies (C-13)."""

from __future__ import annotations

from typing import ClassVar

from engine.domain.quality import InstrumentQuality, QualityReport
from engine.link.protocol import Pulse
from tui import formatting as fmt
from tui.hues import hue_of
from tui.panel import Panel
from tui.replica import Concern
from tui.sanitise import for_screen
from tui.widgets.gauges import meter
from tui.widgets.line import Line, Span, cut


def project(report: QualityReport, zone: str, width: int) -> list[Line]:
    """Return a line per instrument, the worst first; what never became a tick at the end."""
    ranked = sorted(report.instruments, key=lambda item: (item.score, item.instrument))
    lines: list[Line] = []
    for item in ranked:
        lines.append(_instrument(item, report.gate, width))
        if item.last_bad is not None:
            bad = item.last_bad
            what = f"{fmt.words(bad.check)}: {for_screen(bad.text, 120)}"
            text = f"     last {fmt.clock(bad.at, zone)} {what}"
            lines.append(cut(((text, "warning"),), width))
    for reason, count in report.refused:
        text = f"  refused at the door: {fmt.words(reason)} × {count:,}"
        lines.append(cut(((text, "warning"),), width))
    return lines or [(("  no samples yet", "muted"),)]


def _instrument(item: InstrumentQuality, gate: float, width: int) -> Line:
    is_gated = item.score < gate
    trend = "▲" if item.trend > 0.5 else "▼" if item.trend < -0.5 else " "
    counts = " ".join(f"{fmt.words(check)} × {count}" for check, count in item.counts)
    spans: list[Span] = [
        ("  ", "text"),
        (fmt.fit(fmt.symbol(item.instrument), 23), "text"),
        *meter(item.score / 100, 6, hue_of(item.score)),
        (f"{item.score:4.0f}{trend} ", "error" if is_gated else "text"),
        ("no entries " if is_gated else "", "error"),
        (counts or f"{item.samples:,} samples", "muted"),
    ]
    return cut(spans, width)


def latencies(pulse: Pulse, width: int) -> list[Line]:
    """Return what the engine measures of itself."""
    rows = (
        ("newest tick", fmt.age(pulse.feed_age), "any instrument"),
        ("ticks", f"{pulse.ticks:,}", f"{pulse.ticks_per_s:,.0f} a second"),
        ("decision p99", f"{pulse.decision_ms_p99:.2f} ms", "tick taken to events"),
        ("commit p50", f"{pulse.commit_ms_p50:.2f} ms", "events durable"),
        ("commit p99", f"{pulse.commit_ms_p99:.2f} ms", ""),
        ("inbox", f"{pulse.waiting:,}", "inputs waiting"),
        ("journal", f"{pulse.seq:,}", "last durable entry"),
        ("memory", f"{pulse.rss_mb:,.0f} MB", "engine process"),
    )
    return [
        cut(
            (
                (f"  {fmt.fit(name, 14)}", "muted"),
                (fmt.fit(value, 14, right=True), "text"),
                (f"  {note}", "muted"),
            ),
            width,
        )
        for name, value, note in rows
    ]


class QualityPanel(Panel):
    """Every instrument's score, and why it lost points."""

    NAME: ClassVar[str] = "quality"
    TITLE: ClassVar[str] = "Data quality"
    CONCERNS: ClassVar[frozenset[Concern]] = frozenset({Concern.QUALITY, Concern.LINK})

    def notes(self) -> str:
        report = self.desk.replica.quality
        return f"{report.score:.0f}, entries from {report.gate:.0f}" if report is not None else ""

    def draw(self, width: int, height: int) -> list[Line]:
        report = self.desk.replica.quality
        if report is None:
            return [((f"  {self.desk.unmeasured}", "muted"),)]
        return self.scrolled(project(report, self.desk.replica.zone, width), height)


class LatencyPanel(Panel):
    """The engine's own clockwork."""

    NAME: ClassVar[str] = "latency"
    TITLE: ClassVar[str] = "Latencies"
    CONCERNS: ClassVar[frozenset[Concern]] = frozenset({Concern.PULSE, Concern.LINK})

    link_ms: float | None = None
    """Time from a frame to the terminal's answer, where it answers."""

    def draw(self, width: int, height: int) -> list[Line]:
        pulse = self.desk.replica.pulse
        if pulse is None:
            return [(("  no heartbeat yet", "muted"),)]
        lines = latencies(pulse, width)
        if self.link_ms is not None:
            lines.append(
                (
                    ("  terminal        ", "muted"),
                    (f"{self.link_ms:>9.1f} ms   there and back", "text"),
                )
            )
        return self.scrolled(lines, height)
