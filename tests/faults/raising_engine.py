"""The real engine with a fault in its loop and a thread that never ends (P14).

`python -m tests.faults.raising_engine engine …` takes the words of `python -m tui.cli engine`.
"""

from __future__ import annotations

import sys
import threading

from engine.runtime.engine import Engine
from tui.cli import main


async def _raises(self: Engine) -> None:
    secret = "a value that no traceback may show"
    threading.Thread(target=threading.Event().wait, name="never ends").start()
    await self.clock.sleep(1.0)
    raise RuntimeError(f"planted fault after {len(secret) // len(secret)} second")


if __name__ == "__main__":
    Engine.run = _raises  # type: ignore[method-assign]
    sys.exit(main())
