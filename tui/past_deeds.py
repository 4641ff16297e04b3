"""What the actions of the past do: list sessions, open one, move in time, leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from engine.domain.ids import SessionId
from tui.past.kinds import Kind
from tui.past.times import NoTime, moment_of
from tui.past_stage import PastStage

if TYPE_CHECKING:
    from tui.app import Console

Deed: TypeAlias = Callable[..., None]


def _sessions(app: Console) -> None:
    """Show the list, asked anew; from the past that means leaving it."""
    _leave(app)
    app.live.show_view("sessions")
    known, live = app.desk.sessions, app.live

    def news() -> None:
        for name in ("sessions", "session"):
            if live.view == "sessions" and app.past is None:
                live.panels[name].show_guarded()

    if not known.is_asking:
        app.run_worker(known.learn(app.link, news), group="sessions", exit_on_error=False)


def _open(app: Console, name: str = "") -> None:
    session = SessionId(name) if name else app.desk.sessions.selected
    if session is None:
        app.say("no session is selected; 6 lists them", "muted")
        return
    _leave(app)
    app.past = PastStage(app, session, app.keys, app.live.known)
    app.push_screen(app.past)


def _leave(app: Console) -> None:
    past, app.past = app.past, None
    if past is not None:
        past.workers.cancel_node(past)
        past.dismiss()
        app.live.show_view("dashboard")
        app.live.draw_all()


def _moves(move: Callable[[PastStage], None]) -> Deed:
    def deed(app: Console) -> None:
        if app.past is None:
            app.say("the past is not open; 6 lists the sessions, enter opens one", "muted")
            return
        move(app.past)

    return deed


def _seek(app: Console, text: str = "") -> None:
    past = app.past
    if past is None or past.player is None:
        app.say("the past is not open; 6 lists the sessions, enter opens one", "muted")
    elif not text:
        from tui.finding import command_line

        command_line(app, "at ")
    else:
        try:
            past.seek(moment_of(text, past.player.now, past.replica.zone))
        except NoTime as error:
            app.say(str(error))


PAST_DEEDS: Final[dict[str, Deed]] = {
    "screen.sessions": _sessions,
    "past.open": _open,
    "past.leave": _leave,
    "past.seek": _seek,
    "past.back": _moves(lambda past: past.step(-1)),
    "past.on": _moves(lambda past: past.step(1)),
    "past.back_far": _moves(lambda past: past.step(-100)),
    "past.on_far": _moves(lambda past: past.step(100)),
    "past.start": _moves(lambda past: past.step(-(10**9))),
    "past.end": _moves(lambda past: past.end()),
    "past.exit_next": _moves(lambda past: past.jump(Kind.EXIT, 1)),
    "past.exit_previous": _moves(lambda past: past.jump(Kind.EXIT, -1)),
    "past.trouble_next": _moves(lambda past: past.jump(Kind.TROUBLE, 1)),
    "past.trouble_previous": _moves(lambda past: past.jump(Kind.TROUBLE, -1)),
    "past.fill_next": _moves(lambda past: past.jump(Kind.FILL, 1)),
    "past.fill_previous": _moves(lambda past: past.jump(Kind.FILL, -1)),
    "past.faster": _moves(lambda past: past.change_speed(1)),
    "past.slower": _moves(lambda past: past.change_speed(-1)),
}
