"""Paints changed cells straight onto the terminal: no layout, no strips, nothing but what differs.

Textual's compositor repaints lines from a widget's left edge to the end of a change, and spends
more on it than the figures cost. What stands still is its business: screens, dialogs, layout. The
cells of panels that already stand where they are go this way; whenever anything is not as simple
as that, the widget is refreshed in the ordinary way instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual.color import Color
from textual.filter import LineFilter

from tui.widgets.line import Run

if TYPE_CHECKING:
    from tui.app import Console
    from tui.widgets.lines import Lines

_NO_STYLE: Final = Style()


class Brush:
    """Collects what one turn of the loop changes, and writes it in one piece."""

    def __init__(self, app: Console) -> None:
        self._app = app
        self._wet: list[str] = []
        self._widgets: set[Lines] = set()

    def can_paint(self, widget: Lines) -> bool:
        """Return whether `widget` stands where the terminal shows it, with nothing in front."""
        app = self._app
        return (
            app.console_driver is not None
            and app.screen is app.stage is widget.screen
            and app.stage.is_settled
            and widget.is_attached
            and not app._batch_count  # noqa: SLF001 no public way to ask
        )

    def paint(self, widget: Lines, changes: Sequence[tuple[int, Sequence[Run]]]) -> None:
        """Paint the runs of some lines of `widget`; written when this turn of the loop is over."""
        app, region = self._app, widget.region
        filters, ground = app.get_line_filters(), app.stage.background_colors[1]
        system = app.console._color_system or ColorSystem.TRUECOLOR  # noqa: SLF001 as a strip does
        if not self._wet:
            asyncio.get_running_loop().call_soon(self.flush)
        for y, runs in changes:
            if y < region.height:
                for run in runs:
                    self._wet.append(f"\x1b[{region.y + y + 1};{region.x + run.x + 1}H")
                    self._wet += self._inked(run, filters, ground, system)
        self._widgets.add(widget)

    def flush(self) -> None:
        """Write what was painted; refresh instead where a dialog has come in front meanwhile."""
        wet, widgets = self._wet, self._widgets
        self._wet, self._widgets = [], set()
        app = self._app
        driver = app.console_driver
        if not wet or driver is None:
            return
        if not all(map(self.can_paint, widgets)):
            for widget in widgets:
                widget.refresh()
            return
        text = "".join(wet)
        if app._sync_available:  # noqa: SLF001 what Textual found out when it asked
            text = f"{SYNC_START}{text}{SYNC_END}"
        driver.write(text)

    def _inked(
        self, run: Run, filters: Sequence[LineFilter], ground: Color, system: ColorSystem
    ) -> list[str]:
        look, is_grey = self._app.look, self._app.is_grey
        segments = [Segment(text, look.style(token, is_grey=is_grey)) for text, token in run.line]
        for own in filters:
            segments = own.apply(segments, ground)
        return [
            (style or _NO_STYLE).render(text, color_system=system) for text, style, _ in segments
        ]
