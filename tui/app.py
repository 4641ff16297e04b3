"""The console: an engine's link on one side, the stage on the other, one flush timer between.

Everything the engine says goes into the replica at once; the screen is drawn at most so many
times a second, only where something changed, and not at all while the terminal lags behind.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from functools import cached_property, partial
from itertools import count
from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.binding import BindingType
from textual.filter import LineFilter

from engine.domain.command import Command
from engine.domain.errors import DomainError
from engine.domain.ids import CommandId
from engine.link.protocol import Disconnected, EngineLink, Update, Welcome
from engine.ports.clock import Clock
from tui import habits
from tui.action import Context
from tui.actions import BY_ID, bindings_for
from tui.alerts import Alert
from tui.arrangement import VIEWS
from tui.brush import Brush
from tui.deeds import CONSOLE_DEEDS, Deed
from tui.driver import HardyDriver
from tui.ear import Ear
from tui.filters import filters_of
from tui.guard import guard
from tui.keymap import Keys
from tui.painter import Painter, driver_of
from tui.panel import Desk
from tui.permission import why_not_send
from tui.sanitise import for_screen
from tui.settings import ConsoleSettings
from tui.settling import SETTLED_SECONDS, settle
from tui.stage import Stage
from tui.terminal import on_signals
from tui.theming import Look, load_looks, themes_directory

if TYPE_CHECKING:
    from tui.past_stage import PastStage


class Console(App[int], inherit_bindings=False):
    """One stage over one engine. `act` runs any action of the table by its id."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [themes_directory() / "base.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_for(Context.GLOBAL),
        *bindings_for(Context.REPLAY),
    ]
    ENABLE_COMMAND_PALETTE = False
    TITLE = "Holdfast"

    def __init__(
        self,
        link: EngineLink,
        clock: Clock,
        settings: ConsoleSettings | None = None,
        host: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.clock = clock
        self.settings = settings or ConsoleSettings()
        self.desk = Desk(is_read_only=self.settings.is_read_only)
        self.desk.mono = self.desk.opened_at = clock.monotonic()
        self.link = link
        self._host = host
        """Runs as a background worker: starts and supervises the engine (O-1)."""
        self.keys = Keys(self.settings.keymap)
        self.ends_engine = False
        """Set on leaving: whoever hosts the engine ends it then."""
        data_dir = self.settings.data_dir
        self.looks = load_looks(data_dir / "themes" if data_dir is not None else None)
        self._look = self.looks["dark"]
        self._commands = count(1)
        self._started = clock.now()
        self._round = 0
        self._ear = Ear()
        terminal = self.settings.terminal
        self._own_filters = filters_of(terminal)
        is_served = "TEXTUAL_DRIVER" in os.environ
        super().__init__(driver_class=None if is_served else HardyDriver)
        for look in self.looks.values():
            self.register_theme(look.theme)
        known = habits.load(data_dir)
        self.use_theme(self.settings.theme_of(habits.theme_for(known, terminal)))
        view = self.settings.view or known.view
        view = view if view in VIEWS else "dashboard"
        self.live = Stage(self.desk, self.keys, view, known)
        self.past: PastStage | None = None  # in front of `live`, while it is open
        self.painter = Painter(self)
        self.brush = Brush(self)

    @cached_property
    def deeds(self) -> dict[str, Deed]:
        """What each action does; dialogs are imported on the first key, not before first paint."""
        from tui.asking import ASKING_DEEDS
        from tui.finding import FINDING_DEEDS
        from tui.past_deeds import PAST_DEEDS

        return {**CONSOLE_DEEDS, **ASKING_DEEDS, **FINDING_DEEDS, **PAST_DEEDS}

    # What widgets ask of the app.

    @property
    def stage(self) -> Stage:
        """The stage in front."""
        return self.past or self.live

    @property
    def look(self) -> Look:
        """The theme in use."""
        return self._look

    @property
    def is_grey(self) -> bool:
        """Whether figures are shown as out of date."""
        return self.stage.desk.is_grey

    @property
    def console_driver(self) -> HardyDriver | None:
        """The driver of a real terminal."""
        return driver_of(self)

    def get_line_filters(self) -> list[LineFilter]:
        return [*super().get_line_filters(), *self._own_filters]

    def get_default_screen(self) -> Stage:
        return self.live

    # Life.

    def on_mount(self) -> None:
        self.set_keymap(self.keys.textual())
        if self._host is not None:
            self.run_worker(self._host(), name="host", exit_on_error=False)
        self.attach()
        if not self.is_headless:
            on_signals(asyncio.get_running_loop(), self.leave)
            self.set_interval(1, self.painter.watch_terminal)
            self.set_timer(SETTLED_SECONDS, partial(settle, self))
        self.painter.start(self.settings.frame_seconds)

    def attach(self) -> None:
        """Listen to the engine from a fresh snapshot on."""
        self._round += 1
        mine = self._round

        def receive(update: Update) -> None:
            if mine == self._round:
                self.receive(update)

        self.link.attach(receive)

    def receive(self, update: Update) -> None:
        """Take one update; what cannot follow on the replica's state starts afresh."""
        mono = self.clock.monotonic()
        replica = self.desk.replica
        try:
            replica.apply(update, mono)
        except DomainError as error:
            replica.apply(Disconnected("out of step with the engine"), mono)
            self.alarm("replica", error)
            self.attach()
            return
        self._ear.hear(update, self.desk, mono)
        if self._ear.door.opens(self.desk):
            self.call_later(self.act, "recovery.show")
        if isinstance(update, Welcome):
            self.call_later(self.flush)
        else:
            self.painter.wake()

    def leave(self, code: int = 0) -> None:
        """End the console with an exit code; the terminal is restored by Textual."""
        habits.save(habits.of(self), self.settings.data_dir)
        self.painter.stop()
        self.painter.title.restore()
        self.exit(code, return_code=code)

    # Acting.

    def action_act(self, name: str) -> None:
        """Run the action whose key was pressed; whoever leaves does nothing more."""
        if not self._exit:
            self.act(name)

    @guard
    def act(self, name: str, *arguments: str) -> None:
        """Run an action of the table by its id; refused with the reason while only reading."""
        action = BY_ID[name]
        why = why_not_send(self.stage.desk) if action.needs_lease else ""
        if why:
            self.say(why)
            return
        deed = self.deeds.get(name)
        if deed is not None:
            deed(self, *arguments)

    def next_command(self) -> CommandId:
        """Return a command id that was never used before, also not by an earlier console."""
        return CommandId(f"console-{self._started:x}-{next(self._commands)}")

    async def submit(self, command: Command, label: str) -> None:
        """Send a command and follow it through the journal in the header (C-3)."""
        mono = self.clock.monotonic()
        self.desk.progress.follow(command, label, mono)
        self.stage.draw_frame()
        try:
            await self.link.send(command)
        except ConnectionError as error:
            self.desk.progress.failed(command.id, str(error) or "the engine is gone", mono)
        self.stage.draw_frame()

    def say(self, text: str, token: str = "warning") -> None:  # noqa: S107 a style's name
        """Show a line in the header; a newer one replaces it."""
        note = Alert(self.desk.now, token, for_screen(text, 160))
        self.desk.alerts.say(note, self.clock.monotonic())
        self.stage.draw_frame()

    def alarm(self, what: str, error: BaseException) -> None:
        """Show that something of the console itself failed; it goes on."""
        text = f"console fault in {for_screen(what, 40)}: {type(error).__name__}"
        detail = for_screen(error, 120)
        self.log.error(text, detail)
        alert = Alert(self.desk.now, "error", f"{text}: {detail}", f"fault:{what}")
        self.desk.alerts.raise_alert(alert)
        self.call_later(self.stage.draw_frame)

    # The display.

    @guard
    def flush(self) -> None:
        """Draw a frame, if there is anything new."""
        self.painter.flush()

    def use_theme(self, name: str) -> None:
        """Draw with a theme from now on; one that is not there changes nothing."""
        if name not in self.looks:
            return
        self._look = self.looks[name]
        self.desk.theme = name
        self.theme = name
