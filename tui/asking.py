"""What the actions do that ask a person or send a command. Targets are bound when asked (C-2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from engine.domain.command import (
    Command,
    ControlStrategy,
    Decide,
    PauseEntries,
    ResumeEntries,
)
from engine.domain.decision import Choice, Decision
from engine.domain.ids import InstrumentId, PositionId, StrategyName
from engine.domain.money import price
from engine.domain.risk import SAFE_MODE, LatchCause
from tui import formatting as fmt
from tui.book import TARGET
from tui.commandline import OFF
from tui.dialog import Dialog
from tui.finding import command_line
from tui.permission import person, why_not_send
from tui.recording import AskedWrong, control, next_pace
from tui.room import DEEDS
from tui.screens.alert_list import AlertList
from tui.screens.close import BY, CloseDialog
from tui.screens.decisions import DecisionQueue
from tui.screens.flatten import FlattenDialog
from tui.screens.levels import STOP, LevelsDialog
from tui.screens.lift import LiftDialog
from tui.screens.partial import PartialDialog
from tui.screens.recovery import RecoveryRoom
from tui.screens.why import WhyScreen

if TYPE_CHECKING:
    from tui.app import Console

Deed: TypeAlias = Callable[..., None]
SOURCE: Final = "operator"
"""Who an operator's own pause of entries belongs to; others lift their own."""


def ask(app: Console, dialog: Dialog[Any], label: str) -> None:
    """Open `dialog`; send the command it answers, or say why there is none."""

    def answered(command: Command | None) -> None:
        if command is None:
            if dialog.outcome:
                app.say(f"{label}: {dialog.outcome}", "muted")
            return
        send(app, command, label)

    app.push_screen(dialog, answered)


def send(app: Console, command: Command, label: str) -> None:
    """Send `command` and follow it, unless nothing can be sent from here any more."""
    why = why_not_send(app.desk)
    if why:
        app.say(f"{label}: {why}; nothing was sent")
        return
    app.run_worker(app.submit(command, label), exit_on_error=False)


def _selected(app: Console, position: str) -> PositionId | None:
    chosen = PositionId(position) if position else app.desk.selected
    if chosen is None:
        app.say("no position is selected", "muted")
    return chosen


def _label(app: Console, verb: str, position: PositionId) -> str:
    held = app.desk.replica.state.positions.get(position)
    return f"{verb} {fmt.symbol(held.instrument if held else InstrumentId(position))}"


def _close(app: Console, position: str = "", amount: str = "") -> None:
    if amount:
        _partial(app, position, amount)
        return
    chosen = _selected(app, position)
    if chosen is not None:
        dialog = CloseDialog(app.desk, app.clock, chosen, app.next_command())
        ask(app, dialog, _label(app, "close", chosen))


def _partial(app: Console, position: str = "", amount: str = "50%") -> None:
    chosen = _selected(app, position)
    if chosen is not None:
        dialog = PartialDialog(app.desk, app.clock, chosen, app.next_command(), amount)
        ask(app, dialog, _label(app, "close part of", chosen))


def _levels(field: str) -> Deed:
    def deed(app: Console, position: str = "", value: str = "") -> None:
        chosen = _selected(app, position)
        if chosen is None:
            return
        dialog = LevelsDialog(app.desk, app.clock, chosen, app.next_command(), field=field)
        if value:
            dialog.values[field] = None if value == OFF else price(value)
        ask(app, dialog, _label(app, "stop of", chosen))

    return deed


def _flatten(cause: LatchCause) -> Deed:
    def deed(app: Console) -> None:
        dialog = FlattenDialog(app.desk, app.clock, cause, app.next_command())
        ask(app, dialog, "kill switch" if cause is LatchCause.KILL_SWITCH else "flatten all")

    return deed


def _lift(app: Console, reason: str = "") -> None:
    if app.desk.replica.state.latch is None:
        app.say("no flatten is in force", "muted")
        return
    ask(app, LiftDialog(app.desk, app.clock, app.next_command(), reason), "lift the flatten")


def _pause(app: Console, reason: str = "") -> None:
    why = reason or "paused from the console"
    send(app, PauseEntries(app.next_command(), BY, SOURCE, why), "pause entries")


def _resume(app: Console) -> None:
    state = app.desk.replica.state
    if state.latch is not None:
        key = app.keys.shown("latch.lift")
        app.say(f"a flatten blocks entries: {key} lifts it with a reason")
    elif {SOURCE, SAFE_MODE} & state.blocks.keys():
        send(app, ResumeEntries(app.next_command(), BY, SOURCE), "allow entries")
    elif state.blocks:
        names = ", ".join(fmt.words(name) for name in state.blocks)
        app.say(f"not blocked by you but by {names}: w says why")
    else:
        app.say("entries are allowed", "muted")


def _toggle(app: Console) -> None:
    state = app.desk.replica.state
    if {SOURCE, SAFE_MODE} & state.blocks.keys() or state.latch is not None:
        _resume(app)
    else:
        _pause(app)


def _strategy(app: Console, name: str, verb: str) -> None:
    command = ControlStrategy(app.next_command(), StrategyName(name), verb, BY)
    send(app, command, f"{verb} {fmt.words(name)}")


def _feed(app: Console, verb: str, value: str = "") -> None:
    if not app.desk.is_recorded:
        app.say("only a recorded day can be steered: this feed is live", "muted")
        return
    replica = app.desk.replica
    now, zone = app.desk.now, replica.zone
    try:
        command = control(verb, value.strip(), app.next_command(), BY, now, zone)
    except AskedWrong as error:
        app.say(str(error))
        return
    send(app, command, f"feed {verb} {value}".strip())


def _pace(step: int) -> Deed:
    return lambda app: _feed(app, "speed", next_pace(app.desk.replica.recording, step))


def _hold(app: Console) -> None:
    _feed(app, "resume" if app.desk.replica.recording.is_paused else "pause")


def _seek(app: Console) -> None:
    if app.desk.is_recorded:
        command_line(app, "feed seek ")
    else:
        _feed(app, "seek")


def _why(app: Console, position: str = "") -> None:
    desk = app.stage.desk
    wanted = PositionId(position) if position else desk.selected
    if not position and app.stage.view == "strategies":
        wanted = None
    app.push_screen(WhyScreen(desk, app.clock, wanted))


def _recovery(app: Console) -> None:
    def answer(decision: Decision, choice: Choice) -> None:
        command = Decide(app.next_command(), decision.id, choice, person())
        send(app, command, f"{DEEDS[choice]}: {fmt.symbol(InstrumentId(_about(decision)))}")

    if not isinstance(app.screen, RecoveryRoom):
        app.push_screen(RecoveryRoom(app.desk, app.clock, answer))


def _decisions(app: Console) -> None:
    def answer(decision: Decision, choice: Choice) -> None:
        command = Decide(app.next_command(), decision.id, choice, person())
        name = fmt.symbol(InstrumentId(_about(decision)))
        send(app, command, f"{choice.value.replace('_', ' ')} {name}")

    if not isinstance(app.screen, DecisionQueue):
        app.push_screen(DecisionQueue(app.desk, app.clock, answer))


def _about(decision: Decision) -> str:
    return decision.instrument or decision.subject


def _alerts(app: Console) -> None:
    def answered(is_seen: bool | None) -> None:
        if is_seen:
            app.act("alerts.acknowledge")

    app.push_screen(AlertList(app.desk, app.clock), answered)


ASKING_DEEDS: Final[dict[str, Deed]] = {
    "position.close": _close,
    "position.partial": _partial,
    "position.stop": _levels(STOP),
    "position.target": _levels(TARGET),
    "book.flatten": _flatten(LatchCause.OPERATOR),
    "book.kill": _flatten(LatchCause.KILL_SWITCH),
    "latch.lift": _lift,
    "entries.toggle": _toggle,
    "entries.pause": _pause,
    "entries.resume": _resume,
    "strategy.control": _strategy,
    "feed.control": _feed,
    "feed.toggle": _hold,
    "feed.step": lambda app: _feed(app, "step"),
    "feed.faster": _pace(1),
    "feed.slower": _pace(-1),
    "feed.seek": _seek,
    "why": _why,
    "alerts.show": _alerts,
    "recovery.show": _recovery,
    "decisions.show": _decisions,
}
