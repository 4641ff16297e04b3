"""What is said to a strategy and what it answers: the same in this process and across a pipe.

Frames are a 4-byte big-endian length and JSON. Everything that comes back is decoded against its
type, so that no foreign number (numpy, NaN) reaches the engine (E-6).
"""

from __future__ import annotations

import json
import struct
from decimal import Decimal
from enum import Enum
from typing import Any, Final, TypeAlias

import msgspec

from engine.domain.ids import InstrumentId, Nanos, StrategyName
from engine.domain.instrument import Instrument
from engine.domain.market import Tick
from engine.domain.signal import Signal
from engine.domain.strategy import Advice, Holding, Moment, Needs, Strategy

FRAME_MAX: Final = 64 * 1024 * 1024
HEADER: Final = struct.Struct(">I")


class Load(msgspec.Struct, tag=True):
    """First frame: which strategy the process is for."""

    name: StrategyName
    kind: str
    settings: tuple[tuple[str, str], ...]
    limit_s: float


class Start(msgspec.Struct, tag=True):
    memory: str
    """JSON of `Strategy.memory`; empty: a first life."""
    instruments: dict[InstrumentId, Instrument]
    holding: Holding | None
    now: Nanos


class BarsEnded(msgspec.Struct, tag=True):
    moment: Moment


class Ticked(msgspec.Struct, tag=True):
    ticks: list[Tick]


class Opened(msgspec.Struct, tag=True):
    holding: Holding


class Closed(msgspec.Struct, tag=True):
    holding: Holding
    reason: str
    pnl: Decimal
    now: Nanos


class Refused(msgspec.Struct, tag=True):
    signal: Signal
    reason: str


class Answer(msgspec.Struct, tag=True):
    advice: list[Advice]
    memory: str | None
    """JSON of all it remembers; None: not asked, a tick that led to nothing."""
    needs: Needs | None = None


class Fault(msgspec.Struct, tag=True):
    why: str
    traceback: str


Request: TypeAlias = Start | BarsEnded | Ticked | Opened | Closed | Refused
Reply: TypeAlias = Answer | Fault

_ENCODER: Final = msgspec.json.Encoder()
_REQUESTS: Final = msgspec.json.Decoder(Load | Request)
_REPLIES: Final = msgspec.json.Decoder(Reply)


def encode(message: Load | Request | Reply) -> bytes:
    """Return `message` as a frame."""
    body = _ENCODER.encode(message)
    return HEADER.pack(len(body)) + body


def decode_request(body: bytes) -> Load | Request:
    """Return the request in a frame's body."""
    request: Load | Request = _REQUESTS.decode(body)
    return request


def decode_reply(body: bytes) -> Reply:
    """Return the reply in a frame's body; raises msgspec.MsgspecError."""
    reply: Reply = _REPLIES.decode(body)
    return reply


def frames(buffer: bytearray) -> list[bytes]:
    """Take the whole frames off the front of `buffer`; raises ValueError for an absurd length."""
    found: list[bytes] = []
    while len(buffer) >= HEADER.size:
        (size,) = HEADER.unpack_from(buffer)
        if size > FRAME_MAX:
            raise ValueError(f"a frame of {size} bytes, at most {FRAME_MAX}")
        end = HEADER.size + size
        if len(buffer) < end:
            break
        found.append(bytes(buffer[HEADER.size : end]))
        del buffer[:end]
    return found


def perform(strategy: Strategy, request: Request) -> Answer:
    """Call the strategy and return its answer. Raises whatever it raises."""
    needs: Needs | None = None
    advice: list[Advice]
    match request:
        case Start(memory=memory, instruments=instruments, holding=holding, now=now):
            if memory:
                strategy.restore(json.loads(memory))
            needs = strategy.needs()
            advice = [strategy.on_start(instruments, holding, now)]
        case BarsEnded(moment=moment):
            advice = [strategy.on_bars(moment)]
        case Ticked(ticks=ticks):
            advice = [said for said in map(strategy.on_tick, ticks) if said != Advice()]
            if not advice:
                return Answer([], None)
        case Opened(holding=held):
            advice = [strategy.on_opened(held)]
        case Closed(holding=held, reason=reason, pnl=pnl, now=now):
            advice = [strategy.on_closed(held, reason, pnl, now)]
        case _:
            advice = [strategy.on_refused(request.signal, request.reason)]
    return Answer([_checked(said) for said in advice], _text(strategy.memory()), needs)


def _checked(advice: Advice) -> Advice:
    """Return advice whose signals hold exact, finite, positive numbers; raises otherwise."""
    if not advice.signals:
        return advice
    exact: Advice = msgspec.convert(msgspec.to_builtins(advice, enc_hook=_native), Advice)
    for signal in exact.signals:
        amounts = (signal.qty, signal.stop_loss, signal.take_profit)
        if any(amount is not None and not _is_positive(amount) for amount in amounts):
            raise ValueError(f"signal {signal.id}: qty and prices are above 0, were {amounts}")
        if not signal.confidence.is_finite() or not 0 <= signal.confidence <= 1:
            raise ValueError(f"signal {signal.id}: confidence is 0 to 1, was {signal.confidence}")
    return exact


def _is_positive(amount: Decimal) -> bool:
    return amount.is_finite() and amount > 0


def _text(memory: dict[str, Any]) -> str:
    return json.dumps(memory, separators=(",", ":"), default=_native, allow_nan=False)


def _native(value: object) -> Any:  # noqa: ANN401
    """Return a foreign scalar as plain data: numpy's numbers have `item`, an Enum its value."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    item = getattr(value, "item", None)
    if callable(item):
        return item()
    raise TypeError(f"not plain data: {type(value).__name__}")
