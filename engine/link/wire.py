"""Messages of the console protocol as bytes (framing is the socket's business)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, get_args

import msgspec

from engine.link.protocol import Update, Welcome
from engine.store.codec import Codec, decode_command, encode_command, with_named_rules

_UPDATES: Final = Codec(*get_args(Update))
_ENCODER: Final = msgspec.json.Encoder()


def _encode_welcome(welcome: Welcome) -> bytes:
    return _ENCODER.encode(replace(welcome, state=with_named_rules(welcome.state)))


_UPDATES.teach_encoding(Welcome, _encode_welcome)

__all__ = ["decode_command", "decode_update", "encode_command", "encode_update"]


def encode_update(update: Update) -> bytes:
    """Return `update` as bytes."""
    return _UPDATES.pack(update)


def decode_update(data: bytes) -> Update:
    """Return the update in `data`. Raises engine.store.codec.CodecError."""
    value: Update = _UPDATES.unpack(data)
    return value
