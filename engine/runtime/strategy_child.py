"""A strategy's own process: reads requests from one descriptor, answers on another.

`python -m engine.runtime.strategy_child IN OUT`. It ends when its parent does. Whatever the
strategy prints goes to its own output, never into the answers.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys
import traceback

from engine.domain.strategy import Strategy
from engine.runtime.strategy_loading import StrategySpec, load
from engine.runtime.strategy_wire import (
    HEADER,
    Fault,
    Load,
    Reply,
    decode_request,
    encode,
    perform,
)


def fault_of(error: BaseException) -> Fault:
    """Return what a person needs to know of an exception."""
    return Fault(f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)))


def main() -> None:
    """Serve requests until the parent closes its end."""
    source, sink = int(sys.argv[1]), int(sys.argv[2])
    _die_with_parent()
    faulthandler.enable()
    strategy: Strategy | None = None
    limit_s = 5.0
    while (body := _frame(source)) is not None:
        faulthandler.dump_traceback_later(limit_s * 0.9)
        reply: Reply | None = None
        try:
            request = decode_request(body)
            if isinstance(request, Load):
                limit_s = request.limit_s
                strategy = load(StrategySpec(request.name, request.kind, request.settings))
            elif strategy is not None:
                reply = perform(strategy, request)
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- a strategy may raise anything
            reply = fault_of(error)
        faulthandler.cancel_dump_traceback_later()
        if reply is not None:
            _write(sink, encode(reply))


def _frame(source: int) -> bytes | None:
    """Return the next frame's body; None: the parent closed its end."""
    header = _read(source, HEADER.size)
    return None if header is None else _read(source, HEADER.unpack(header)[0])


def _read(source: int, size: int) -> bytes | None:
    parts: list[bytes] = []
    while size:
        part = os.read(source, size)
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _write(sink: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(sink, view) :]


def _die_with_parent() -> None:
    """Ask Linux to end this process with its parent, even in an endless loop."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1 is PR_SET_PDEATHSIG


if __name__ == "__main__":
    main()
