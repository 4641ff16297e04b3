"""A console that looks after its engine: starts, watches and, if asked to, ends it (O-1, E-67)."""

from __future__ import annotations

import argparse
import os
import subprocess
import traceback
from contextlib import suppress
from pathlib import Path

from engine.link.address import socket_path
from engine.link.client import SocketLink
from engine.link.frames import Hello
from engine.link.protocol import EngineLink
from engine.ports.clock import Clock
from engine.runtime.clock import SystemClock
from engine.runtime.supervisor import Process, Site, Supervisor, Turn
from engine.store.lock import holder
from tui.alerts import Alert
from tui.app import Console
from tui.cli.exits import FAILED, Failure
from tui.cli.launching import OUTPUT, start_engine
from tui.cli.looks import console_settings
from tui.cli.output import complain, say
from tui.sanitise import for_screen
from tui.terminal import Terminal

CRASHES = "console-crash.log"
WORDS_MAX = 4000


def open_console(
    args: argparse.Namespace,
    data_dir: Path,
    terminal: Terminal,
    process: subprocess.Popen[bytes] | None,
) -> int:
    """Show the console until it is left; return its exit code."""
    words = Words(data_dir / "logs" / OUTPUT)
    clock = SystemClock()
    link = SocketLink(socket_path(data_dir), hello_of(args, clock))
    site = Site(
        start=lambda: start_engine(data_dir, args),
        is_held=lambda: holder(data_dir) is not None,
        farewell=lambda: link.farewell,
    )
    app = HostedConsole(link, clock, args, data_dir, terminal)
    if args.engine != "attach":
        app.supervise(site, process)
    app.run(mouse=app.settings.mouse)
    return after(app, data_dir, words)


def hello_of(args: argparse.Namespace, clock: Clock) -> Hello:
    """Return how this console introduces itself: by its terminal, for people."""
    try:
        where = os.ttyname(0).removeprefix("/dev/")
    except OSError:
        where = "no terminal"
    client = f"{os.getpid()}-{clock.now()}"
    return Hello(f"console on {where}", client, is_read_only=args.read_only)


class Words:
    """What an engine process has said since the console started."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._start = path.stat().st_size if path.exists() else 0

    def last(self) -> list[str]:
        """Return its newest lines."""
        try:
            with self._path.open("rb") as file:
                file.seek(0, os.SEEK_END)
                size = file.tell()
                file.seek(max(min(self._start, size), size - WORDS_MAX))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return []
        return [line for line in text.splitlines() if line.strip()][-20:]


class HostedConsole(Console):
    """A console with a supervisor in a background worker."""

    def __init__(
        self,
        link: EngineLink,
        clock: Clock,
        args: argparse.Namespace,
        data_dir: Path,
        terminal: Terminal,
    ) -> None:
        settings = console_settings(args, data_dir, terminal)
        super().__init__(link, clock, settings, host=self._look_after)
        self.crash = ""
        """Traceback of the fault that ended this console."""
        self.supervisor: Supervisor | None = None

    def supervise(self, site: Site, process: Process | None) -> None:
        """Look after the engine at `site` for as long as the console lives."""
        self.supervisor = Supervisor(site, self.clock, self.told, process)
        started = f"engine process {process.pid} started" if process is not None else ""
        self.desk.opening = started or "an engine runs already: connecting to it"

    async def _look_after(self) -> None:
        if self.supervisor is None:
            return
        try:
            await self.supervisor.run()
        except Exception as error:  # noqa: BLE001  a console without supervision says so
            self.alarm("supervisor", error)

    def told(self, turn: Turn, text: str) -> None:
        """Show what became of the engine; one that cannot even start ends the console."""
        if turn is Turn.REFUSED and self.desk.replica.is_waiting:
            code = self.supervisor.exit_code if self.supervisor is not None else None
            self.leave(code or FAILED)
            return
        self.desk.opening = text
        token = "accent" if turn is Turn.ENDED else "error"
        self.desk.alerts.raise_alert(Alert(self.desk.now, token, for_screen(text, 160), "link"))
        self.stage.draw_frame()

    def _fatal_error(self) -> None:
        """End after a fault of the console's own, without the values of its variables."""
        self.crash = traceback.format_exc()
        self._close_messages_no_wait()


def after(app: HostedConsole, data_dir: Path, words: Words) -> int:
    """Say in a plain line what became of the engine, end it if asked to; return the exit code."""
    code = app.return_code or 0
    with suppress(OSError):  # the terminal may be gone
        if app.crash:
            code = FAILED
            _keep(app.crash, data_dir / "logs" / CRASHES)
            last = app.crash.strip().splitlines()[-1]
            complain(f"the console failed ({last}); details in {data_dir / 'logs' / CRASHES}")
        refused = app.supervisor.exit_code if app.supervisor is not None else None
        if refused is not None:
            for line in words.last():
                complain(line.removeprefix("holdfast: "))
            return refused
        if app.ends_engine and not app.crash:
            from tui.cli.stopping import end_engine

            try:
                end_engine(data_dir, app.clock, say)
            except Failure as failure:
                complain(str(failure))
                return failure.code
        else:
            replica = app.desk.replica
            known = None if replica.is_waiting else len(replica.state.positions)
            say(engine_state(data_dir, known))
    return code


def engine_state(data_dir: Path, positions: int | None) -> str:
    """Return one plain line about the engine, for whoever has just lost sight of it.

    `positions`: how many were open when it was last heard; None: it never was.
    """
    owner = holder(data_dir)
    count = "any" if positions is None else positions
    open_ = f"{count} open position{'' if positions == 1 else 's'}"
    if owner is None:
        watched = f"; NOTHING watches {open_}" if positions else ""
        return f"no engine is running{watched}. `holdfast` starts one."
    return (
        f"the engine (pid {owner.pid}) goes on and watches {open_}. "
        "`holdfast` comes back to it, `holdfast stop` ends it."
    )


def _keep(crash: str, path: Path) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"{crash}\n")
