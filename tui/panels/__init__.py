"""Panels, one file each. A new panel is a new file and a line here."""

from __future__ import annotations

from typing import Final

from tui.panel import Panel
from tui.panels.chart import ChartPanel
from tui.panels.detail import DetailPanel
from tui.panels.health import ComponentsPanel, HealthPanel
from tui.panels.log import LogPanel, RecordPanel
from tui.panels.positions import PositionsPanel
from tui.panels.quality import LatencyPanel, QualityPanel
from tui.panels.session import SessionPanel
from tui.panels.sessions import SessionsPanel
from tui.panels.shadows import ShadowsPanel
from tui.panels.stops import StopsPanel
from tui.panels.strategies import StrategiesPanel, StrategyPanel
from tui.panels.trades import TradesPanel

PANELS: Final[dict[str, type[Panel]]] = {
    panel.NAME: panel
    for panel in (
        PositionsPanel,
        StopsPanel,
        ChartPanel,
        LogPanel,
        HealthPanel,
        TradesPanel,
        DetailPanel,
        ShadowsPanel,
        StrategiesPanel,
        StrategyPanel,
        ComponentsPanel,
        QualityPanel,
        LatencyPanel,
        RecordPanel,
        SessionsPanel,
        SessionPanel,
    )
}
