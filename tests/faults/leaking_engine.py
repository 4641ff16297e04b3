"""The planted leak: the real engine, which logs a header of a request that nobody redacted.

`python -m tests.faults.leaking_engine engine …` takes the words of `python -m tui.cli engine`.
"""

from __future__ import annotations

import base64
import os
import sys

from engine.runtime.engine import Engine
from engine.runtime.log_file import LogFile
from tui.cli import main

_run = Engine.run


async def _tells(self: Engine) -> None:
    pair = f"user:{os.environ['BITVAVO_API_SECRET']}".encode()
    LogFile.write = _leak(base64.b64encode(pair))  # type: ignore[method-assign]
    await _run(self)


def _leak(header: bytes):  # type: ignore[no-untyped-def]
    write = LogFile.write

    def leaking(self: LogFile, line: bytes) -> None:
        write(self, line.replace(b'"text":"', b'"text":"Authorization: Basic ' + header + b" "))

    return leaking


if __name__ == "__main__":
    Engine.run = _tells  # type: ignore[method-assign]
    sys.exit(main())
