"""The rig in a real terminal: for pictures, and to feel how it moves."""

from __future__ import annotations

import argparse
import os
import sys
from itertools import count, repeat

from tui.terminal import TerminalError, prepare, require, speak_utf8


def main() -> None:
    """Show the rig; `--live` lets prices move."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--live", action="store_true")
    parser.add_argument("--theme")
    parser.add_argument("--positions", type=int, default=0, help="a crowd instead of the story")
    parser.add_argument("--rate", type=int)
    parser.add_argument("--slow", action="store_true", help="slow-link mode")
    parser.add_argument("--step", type=float, default=0.1, help="seconds between price changes")
    parser.add_argument("--steps", type=int, help="stand still after so many, and say so")
    parser.add_argument("--view", default="dashboard")
    options = parser.parse_args()
    terminal = prepare()
    try:
        require(os.environ)
    except TerminalError as error:
        sys.exit(str(error))
    speak_utf8()

    from engine.domain.ids import Nanos
    from tests.tui.rig import Rig, pulse
    from tests.tui.rig_crowd import crowd
    from tui.settings import ConsoleSettings

    settings = ConsoleSettings(
        terminal=terminal,
        theme=options.theme,
        view=options.view,
        frames_per_second=options.rate,
        is_slow_link=options.slow,
    )
    rig = Rig(settings, crowd(options.positions) if options.positions else None)

    left = count(options.steps, -1) if options.steps is not None else repeat(1)

    def beat() -> None:
        if (more := next(left)) <= 0:
            if more == 0:
                rig.log("the last step was taken")
            return
        now = Nanos(rig.clock.now() + int(options.step * 1_000_000_000))
        rig.clock.set(now)
        if now % 500_000_000 < options.step * 1_000_000_000:
            rig.link.push(pulse(now))
        if options.live:
            for quote in rig.link.welcome.quotes:
                step = (now // 100_000_000 + sum(map(ord, quote.instrument))) % 7 - 3
                tick = rig.app.desk.replica.instruments[quote.instrument].tick_size
                quote.last = type(quote.last)(quote.last + step * tick)
                quote.at = now
                rig.tick(quote.instrument, str(quote.last))

    rig.app.call_later(lambda: rig.app.set_interval(options.step, beat))
    rig.app.run(mouse=settings.mouse)
    os._exit(rig.app.return_code or 0)
