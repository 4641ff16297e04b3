"""The control lease: who of the consoles may send commands (O-1). Pure: time is handed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.domain.ids import SECOND, Nanos

GRACE: Final = 10 * SECOND
"""How long control waits for an owner whose connection broke."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A client that may send."""

    client: str
    who: str


class LeaseDesk:
    """One owner at a time; one that left without goodbye has `GRACE` to come back.

    A lease that gets free goes to whoever has been there longest, so that somebody can act.
    """

    def __init__(self) -> None:
        self.owner: Owner | None = None
        self._gone_at: Nanos | None = None
        self._present: dict[str, Owner] = {}
        """Connected clients that may control, oldest first."""

    def join(self, owner: Owner) -> None:
        """Let a client in that may control; a free lease, or the one it lost, is its own."""
        self._present[owner.client] = owner
        if self.owner is None or self.owner.client == owner.client:
            self.take(owner)

    def take(self, owner: Owner) -> None:
        """Hand control to `owner`, whoever had it: a person asked for it."""
        self.owner, self._gone_at = owner, None

    def leave(self, client: str) -> None:
        """Free the lease of a client that left in order."""
        self._present.pop(client, None)
        if self.is_held_by(client):
            self._free()

    def lose(self, client: str, now: Nanos) -> None:
        """Note that a client's connection broke."""
        self._present.pop(client, None)
        if self.is_held_by(client):
            self._gone_at = now

    def expire(self, now: Nanos) -> bool:
        """Free the lease of an owner that did not come back; return whether that was now."""
        if self._gone_at is None or now - self._gone_at < GRACE:
            return False
        self._free()
        return True

    @property
    def shown(self) -> str:
        """The owner's name, for people; empty: nobody."""
        if self.owner is None:
            return ""
        return f"{self.owner.who} (gone)" if self._gone_at is not None else self.owner.who

    def is_held_by(self, client: str) -> bool:
        return self.owner is not None and self.owner.client == client

    def _free(self) -> None:
        self.owner, self._gone_at = next(iter(self._present.values()), None), None
