"""Values as JSON bytes, tagged with a kind and a version.

Exact: a Decimal is its own text, nanoseconds are integers. An exit rule is stored as its
registered name and its settings, so that a new rule does not touch this file. Everything that
does not decode raises `CodecError`: an unknown kind (written by a newer program) or a damaged
body.
"""

# ruff: noqa: ANN401 -- what JSON holds is of any type until its decoder has said otherwise

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, get_args

import msgspec

from engine.domain.command import Command
from engine.domain.event import Entry, Event, SessionStarted
from engine.domain.health import Health
from engine.domain.ids import Nanos, Seq
from engine.domain.market import Bar, Quote, Tick
from engine.domain.quality import QualityReport
from engine.domain.state import State
from engine.domain.stop import ExitRule

VERSION: Final = 1
"""Version of every kind so far; a kind that changes its shape gets its own."""


class CodecError(Exception):
    """Base of what decoding can raise."""


class UnknownKind(CodecError):
    """A kind, version or exit rule that this program does not know: written by a newer one."""


class DamagedBody(CodecError):
    """The body does not hold what its kind says."""


@dataclass(frozen=True, slots=True)
class _StoredRule:
    rule: str
    settings: ExitRule


class _Envelope(msgspec.Struct):
    kind: str
    v: int
    body: msgspec.Raw


class _StoredEntry(msgspec.Struct):
    seq: int
    at: int
    kind: str
    v: int
    event: msgspec.Raw


_ENCODER: Final = msgspec.json.Encoder()
_ENVELOPES: Final = msgspec.json.Decoder(_Envelope)
_ENTRIES: Final = msgspec.json.Decoder(_StoredEntry)
_EVENTS: Final[dict[str, type[Any]]] = {kind.__name__: kind for kind in get_args(Event)}
_COMMANDS: Final[tuple[type[Any], ...]] = get_args(Command)


def _rule(raw: Any) -> ExitRule:
    from engine.stops import STOP_RULES  # late: the registry imports every rule

    if not isinstance(raw, dict) or raw.keys() != {"rule", "settings"}:
        raise DamagedBody(f"an exit rule has a rule and settings, was {raw!r}")
    kind = STOP_RULES.get(raw["rule"])
    if kind is None:
        raise UnknownKind(f"exit rule {raw['rule']!r}")
    return msgspec.convert(raw["settings"], kind)


def _special(kind: type, raw: Any) -> Any:
    if kind is ExitRule:
        return _rule(raw)
    raise NotImplementedError(kind)


_DECODERS: Final[dict[type[Any], msgspec.json.Decoder[Any]]] = {}


def _decoder(kind: type[Any]) -> msgspec.json.Decoder[Any]:
    decoder = _DECODERS.get(kind)
    if decoder is None:  # made once per kind: building one costs more than a thousand decodings
        decoder = _DECODERS[kind] = msgspec.json.Decoder(kind, dec_hook=_special)
    return decoder


def _decoded(decode: Callable[[Any], Any], body: Any, what: str) -> Any:
    try:
        return decode(body)
    except CodecError:
        raise
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise DamagedBody(f"{what}: {error}") from error
    except Exception as error:  # a value's own __post_init__ refused it
        raise DamagedBody(f"{what}: {type(error).__name__}: {error}") from error


def with_named_rules(value: Any) -> Any:
    """Return a session start or a state whose rules carry their names; for encoding only."""
    return replace(value, rules=tuple(_StoredRule(rule.code, rule) for rule in value.rules))


def encode_event(event: Event) -> tuple[str, int, bytes]:
    """Return kind, version and JSON body of `event`."""
    body = with_named_rules(event) if isinstance(event, SessionStarted) else event
    return type(event).__name__, VERSION, _ENCODER.encode(body)


def decode_event(kind: str, version: int, body: str | bytes) -> Event:
    """Return the event in `body`; the inverse of `encode_event`. Raises CodecError."""
    cls = _EVENTS.get(kind)
    if cls is None or version != VERSION:
        raise UnknownKind(f"event {kind!r} version {version}")
    event: Event = _decoded(_decoder(cls).decode, body, kind)
    return event


def encode_state(state: State) -> bytes:
    """Return the whole state as JSON."""
    return _ENCODER.encode(with_named_rules(state))


def decode_state(body: str | bytes) -> State:
    """Return the state in `body`, equal to the one encoded, order of its mappings included."""
    state: State = _decoded(_decoder(State).decode, body, "State")
    return state


def _encode_entry(entry: Entry) -> bytes:
    kind, version, body = encode_event(entry.event)
    return _ENCODER.encode(_StoredEntry(entry.seq, entry.at, kind, version, msgspec.Raw(body)))


def _decode_entry(body: bytes | msgspec.Raw) -> Entry:
    stored: _StoredEntry = _decoded(_ENTRIES.decode, body, "Entry")
    event = decode_event(stored.kind, stored.v, bytes(stored.event))
    return Entry(Seq(stored.seq), Nanos(stored.at), event)


_ENCODINGS: Final[dict[type[Any], Callable[[Any], bytes]]] = {
    Entry: _encode_entry,
    State: encode_state,
}
_DECODINGS: Final[dict[type[Any], Callable[[Any], Any]]] = {Entry: _decode_entry}


class Codec:
    """Packs values of the given types, each in an envelope that says which one it is."""

    def __init__(self, *types: type[Any]) -> None:
        self._encoders: dict[str, Callable[[Any], bytes]] = {}
        self._decoders: dict[str, Callable[[Any], Any]] = {}
        for kind in types:
            name = kind.__name__
            self._encoders[name] = _ENCODINGS.get(kind, _ENCODER.encode)
            self._decoders[name] = _DECODINGS.get(kind) or _decoder(kind).decode

    def teach_encoding(self, kind: type[Any], encode: Callable[[Any], bytes]) -> None:
        """Use `encode` for a kind whose fields alone do not say everything."""
        self._encoders[kind.__name__] = encode

    def pack(self, value: object) -> bytes:
        """Return `value` in its envelope; a type that was not registered raises UnknownKind."""
        kind = type(value).__name__
        encode = self._encoders.get(kind)
        if encode is None:
            raise UnknownKind(kind)
        return _ENCODER.encode(_Envelope(kind, VERSION, msgspec.Raw(encode(value))))

    def unpack(self, data: bytes) -> Any:
        """Return the value in `data`. Raises CodecError."""
        envelope: _Envelope = _decoded(_ENVELOPES.decode, data, "envelope")
        decode = self._decoders.get(envelope.kind)
        if decode is None or envelope.v != VERSION:
            raise UnknownKind(f"{envelope.kind!r} version {envelope.v}")
        return _decoded(decode, envelope.body, envelope.kind)


VALUES: Final = Codec(Entry, State, Quote, Tick, Bar, Health, QualityReport, *_COMMANDS)
"""Everything of the domain that is kept or sent on its own."""


def encode_command(command: Command) -> bytes:
    """Return `command` as bytes."""
    return VALUES.pack(command)


def decode_command(data: bytes) -> Command:
    """Return the command in `data`; anything else raises CodecError."""
    value = VALUES.unpack(data)
    if not isinstance(value, _COMMANDS):
        raise UnknownKind(f"{type(value).__name__} is not a command")
    command: Command = value
    return command
