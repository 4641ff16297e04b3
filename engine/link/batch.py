"""What one turn of the engine's loop has to tell, encoded once for all who listen."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from engine.link.frames import Kind, frame
from engine.link.protocol import Update
from engine.link.wire import encode_update


class Batch:
    """Updates in order; nothing is encoded before the first socket asks for it."""

    def __init__(self, updates: Sequence[Update]) -> None:
        self.updates = updates

    @cached_property
    def frames(self) -> list[bytes]:
        """One frame for each update."""
        return [frame(Kind.UPDATE, encode_update(update)) for update in self.updates]

    @cached_property
    def data(self) -> bytes:
        """All frames in one piece."""
        return b"".join(self.frames)
