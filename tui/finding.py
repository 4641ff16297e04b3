"""How any action is reached without its key: help, palette, command line, filter; and leaving."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from tui import formatting as fmt
from tui.action import Action
from tui.commandline import Scope
from tui.panel import Panel
from tui.panels.log import LogPanel
from tui.panels.positions import PositionsPanel
from tui.panels.stops import StopsPanel
from tui.permission import why_not_send
from tui.sanitise import for_screen
from tui.screens.finder import Finder, help_for, palette
from tui.screens.leave import Leave, LeaveDialog
from tui.screens.prompt import CommandPrompt, Prompt

if TYPE_CHECKING:
    from tui.app import Console

Deed: TypeAlias = Callable[..., None]


def scope(app: Console) -> Scope:
    """Return what words of the command line can stand for now."""
    desk = app.stage.desk
    state = desk.replica.state
    return Scope(
        tuple((name, fmt.symbol(p.instrument)) for name, p in state.positions.items()),
        tuple(app.looks),
        tuple(state.strategies),
        tuple(app.desk.sessions.rows),
    )


def _run_chosen(app: Console, action: Action | None) -> None:
    if action is None:
        return
    if action.is_complete_without_arguments or action.keys:
        app.act(action.id)
    else:
        command_line(app, f"{action.command} ")


def _help(app: Console) -> None:
    context = app.stage.context
    is_past = app.past is not None
    here = help_for(context, app.keys, is_recorded=app.desk.is_recorded, is_past=is_past)
    finder = Finder(f"Keys that work here: {context.value}", here)
    app.push_screen(finder, lambda action: _run_chosen(app, action))


def _palette(app: Console) -> None:
    is_recorded, is_past = app.desk.is_recorded and app.past is None, app.past is not None
    found = palette(app.keys, is_recorded=is_recorded, is_past=is_past)
    finder = Finder("Everything the console can do", found)
    app.push_screen(finder, lambda action: _run_chosen(app, action))


def command_line(app: Console, text: str = "") -> None:
    """Open the command line with `text` in it."""
    prompt = CommandPrompt(lambda: scope(app), text)

    def answered(line: str | None) -> None:
        asked = prompt.invocation
        if line is not None and asked is not None:
            app.act(asked.action.id, *asked.arguments)

    app.push_screen(prompt, answered)


def _edit_filter(app: Console) -> None:
    panel = _filtered(app)
    before = str(getattr(panel, "filter_text", ""))

    def answered(text: str | None) -> None:
        app.act("filter.use", before if text is None else text)

    app.push_screen(Prompt(before, lambda text: app.act("filter.use", text)), answered)


def _filtered(app: Console) -> Panel | None:
    focused = app.stage.focused
    if isinstance(focused, StopsPanel):
        return app.stage.panels["positions"]  # the ladder speaks for the table it follows
    return focused if isinstance(focused, Panel) else None


def _copy(app: Console) -> None:
    text = _copied(app)
    if text:
        app.copy_to_clipboard(text)
        app.say(f"copied: {text}", "muted")


def _copied(app: Console) -> str:
    """Return the row under the cursor as plain text."""
    panel, desk = _filtered(app), app.stage.desk
    if isinstance(panel, LogPanel) and panel.record is not None:
        record = panel.record
        stamp = fmt.precise_clock(record.at, desk.replica.zone)
        return f"{stamp} {record.level} {for_screen(record.source)} {for_screen(record.text)}"
    item = desk.book.get(desk.selected) if desk.selected is not None else None
    if isinstance(panel, PositionsPanel) and item is not None:
        position = item.position
        last = fmt.price(item.quote.last, item.instrument) if item.quote else "no price"
        return (
            f"{fmt.symbol(position.instrument)} {fmt.standing(position.side)} "
            f"{fmt.quantity(position.qty)} @ {fmt.price(position.entry, item.instrument)} "
            f"LTP {last} id {for_screen(position.id)}"
        )
    return "\n".join(panel.shown) if panel is not None else ""


def _take_lease(app: Console) -> None:
    if app.settings.is_read_only:
        app.say("this console was started with --read-only: it never sends anything")
        return
    app.desk.is_read_only = False
    app.run_worker(app.link.take_lease(), exit_on_error=False)
    app.say("asked for control", "muted")


def _read_only(app: Console) -> None:
    app.desk.is_read_only = True
    app.say(f"read-only from now on; {app.keys.shown('lease.take')} takes control", "accent")


def _screenshot(app: Console, name: str = "") -> None:
    if app.settings.data_dir is None:
        app.say("no data directory, so there is no place for a picture")
        return
    folder = app.settings.data_dir / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    zone, now = app.desk.replica.zone, app.clock.now()
    stamp = f"{fmt.day(now, zone)}-{fmt.clock(now, zone).replace(':', '')}"
    path = folder / (name.removesuffix(".svg") or f"holdfast-{stamp}")
    path.with_name(f"{path.name}.svg").write_text(app.export_screenshot(), encoding="utf-8")
    path.with_name(f"{path.name}.txt").write_text(_screen_text(app), encoding="utf-8")
    app.say(f"wrote {path}.svg and .txt", "accent")


def _screen_text(app: Console) -> str:
    strips = app.screen._compositor.render_strips()  # noqa: SLF001 Textual shows them nowhere else
    return "".join("".join(s.text for s in strip).rstrip() + "\n" for strip in strips)


def _export(app: Console) -> None:
    if app.settings.data_dir is None:
        app.say("no data directory, so there is no place for exports")
        return
    folder = app.settings.data_dir / "exports"
    files = sorted(path.name for path in folder.glob("*.csv"))
    what = ", ".join(files[-3:]) if files else "nothing yet"
    app.say(f"trades are kept as CSV in {folder}: {what}", "accent")


def depart(app: Console, *, ends_engine: bool) -> None:
    """Leave the console; whoever hosts the engine ends it afterwards if asked to."""
    app.ends_engine = ends_engine
    app.leave(0)


def _quit(app: Console) -> None:
    if isinstance(app.screen, LeaveDialog):
        app.screen.interrupted()
        return
    if not app.desk.replica.state.positions:
        depart(app, ends_engine=not why_not_send(app.desk))
        return

    def answered(leave: Leave | None) -> None:
        if leave is not None:
            depart(app, ends_engine=leave is Leave.ENGINE)

    app.push_screen(LeaveDialog(app.desk, app.clock), answered)


FINDING_DEEDS: Final[dict[str, Deed]] = {
    "app.help": _help,
    "app.palette": _palette,
    "app.command": command_line,
    "filter.edit": _edit_filter,
    "row.copy": _copy,
    "trades.export": _export,
    "lease.take": _take_lease,
    "lease.read_only": _read_only,
    "display.screenshot": _screenshot,
    "app.quit": _quit,
    "app.interrupt": _quit,
}
