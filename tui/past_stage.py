"""The dashboard as it was: the same panels over a session's journal, folded to one moment (C-15).

It stands in front of the running session's stage, which goes on meanwhile: its lamps, its newest
alert and everything grave stay on screen.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import count
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import BindingType

from engine.domain.ids import Nanos, SessionId
from tui import formatting as fmt
from tui.action import Context
from tui.actions import bindings_for
from tui.guard import guard
from tui.habits import Habits
from tui.keymap import Keys
from tui.panel import Desk
from tui.panels import banner
from tui.past.kinds import NAMES, Kind
from tui.past.loading import Loading
from tui.past.player import Player
from tui.past.replica import PastReplica
from tui.past.timeline import Timeline
from tui.replica import Concern
from tui.sanitise import for_screen
from tui.stage import Stage
from tui.widgets.line import Line, pushed_apart

if TYPE_CHECKING:
    from tui.app import Console

BEAT: Final = 0.1
"""Seconds between two looks at the clock while it plays."""
_NUMBERS: Final = count(1)
"""One that is left may still be there for a moment while another one comes."""


class PastStage(Stage, inherit_bindings=False):
    """One session's time line; `bringing` fetches its entries, `player` says where it stands."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for(Context.PAST)]

    def __init__(self, console: Console, session: SessionId, keys: Keys, known: Habits) -> None:
        live = console.desk
        self.replica = PastReplica(time_zone=live.replica.zone)
        desk = Desk(self.replica, alerts=live.alerts, live=live, sessions=live.sessions)
        super().__init__(desk, keys, "dashboard", known, f"past-{next(_NUMBERS)}")
        self.banners = self._over
        self.console = console
        self.bringing = Loading(session)
        self.player: Player | None = None
        self._shown: tuple[int, Nanos, int] = (-1, Nanos(0), -1)

    def on_mount(self) -> None:
        super().on_mount()
        self.run_worker(self.bringing.run(self.console.link, self.loaded), exit_on_error=False)
        self.set_interval(BEAT, self.beat)

    @property
    def line(self) -> Timeline | None:
        """The time line, once the first page of it is there."""
        return self.bringing.line

    # Time.

    @guard
    def loaded(self) -> None:
        """Take note of a page that came: the very first one is shown at once."""
        if self.player is None and self.line is not None and len(self.line):
            self.player = Player(self.line)
            self.player.go(1)
        self.present()

    @guard
    def beat(self) -> None:
        """Let time pass, if it plays."""
        mono = self.console.clock.monotonic()
        if self.player is not None and self.player.advance(mono):
            self.present()
        else:
            self.desk.mono = mono

    def toggle(self) -> None:
        """Play, or stand still."""
        if self.player is not None:
            if self.player.position >= len(self.player.line):
                self.console.say("this is the end of what is known; ( goes to the start", "muted")
            self.player.toggle(self.console.clock.monotonic())
            self.present()

    def step(self, entries: int) -> None:
        """Go so many entries on, or back."""
        if self.player is not None:
            self.player.step(entries)
            self.present()

    def end(self) -> None:
        """Go to the last entry; of the running session, to what has come since."""
        self.step(10**9)
        live = self.desk.live
        session = live.replica.state.session if live is not None else None
        if live is None or session is None or session.id != self.bringing.session:
            return
        more = self.bringing.more(self.console.link, self._followed, live.replica.seq)
        self.run_worker(more, exit_on_error=False)

    def _followed(self) -> None:
        if self.player is not None:
            self.player.go(10**9)
        self.loaded()

    def jump(self, kind: Kind, step: int) -> None:
        """Go to the next or previous entry of a kind."""
        if self.player is None:
            return
        if not self.player.jump(kind, step):
            where = "after" if step > 0 else "before"
            self.console.say(f"no {NAMES[kind]} {where} this", "muted")
        self.present()

    def seek(self, at: Nanos) -> None:
        """Go to a time."""
        if self.player is not None:
            self.player.seek(at)
            self.present()

    def change_speed(self, step: int) -> None:
        """Play faster or slower."""
        if self.player is not None:
            self.player.change_speed(step)
            self.draw_frame()

    # Drawing.

    def present(self) -> None:
        """Bring the desk to where the play head stands, and draw it."""
        if self.console.past is not self:
            return  # left: what was asked for is still being answered
        desk, player = self.desk, self.player
        desk.mono = self.console.clock.monotonic()
        if player is None:
            self.draw_frame()
            return
        now = (player.position, player.now, len(player.line))
        if now == self._shown:
            self.draw_frame()
            return
        was, self._shown = self._shown, now
        self.replica.show(player)
        changes = self.replica.take()
        if was[0] != now[0]:
            for panel in self.panels.values():
                grid = getattr(panel, "grid", None)
                if grid is not None:
                    grid.sort_now()  # nothing moves under a finger here: every frame is asked for
        desk.book.update(
            self.replica, desk.now, changes.instruments, tuple(self.replica.state.positions)
        )
        super().draw(frozenset(Concern))

    def draw(self, concerns: Collection[Concern]) -> None:
        """Draw header and banner; the running session's news concern nothing else here."""
        self.draw_frame()

    def draw_all(self) -> None:
        super().draw(frozenset(Concern))

    def _over(self, width: int) -> list[Line]:
        """Say where this is, and whatever is grave in the running session."""
        mine = pushed_apart(
            ((f" {self.told()}", "replay"),), self._progress(), width, " ", "replay"
        )
        live = self.desk.live
        return [mine, *(banner.project(live, width) if live is not None else ())]

    def told(self) -> str:
        """Return date, time, session, place and speed: what nobody may take for the present."""
        name = for_screen(self.bringing.session, 40)
        player = self.player
        if player is None:
            return f"PAST · session {name} · {self.bringing.why or 'being asked'}"
        zone = self.replica.zone
        when = f"{fmt.day(player.now, zone)} {fmt.clock(player.now, zone)}"
        place = f"entry {player.position:,} of {player.line.total:,}"
        runs = "PLAYING" if player.is_playing else "HELD"
        return f"PAST {when} · {place} · {runs} x{player.speed} · session {name}"

    def _progress(self) -> Line:
        bringing = self.bringing
        if self.player is None:
            return ()
        if not bringing.is_over:
            return ((f" loading {bringing.share:.0%} ", "alert"),)
        if bringing.why:
            return ((f" {for_screen(bringing.why, 60)} ", "alert"),)
        return (("space plays or holds, esc leaves ", "replay"),) if self.size.width >= 110 else ()

    def action_act(self, name: str) -> None:
        """Run an action of the table whose key was pressed here."""
        self.console.act(name)
