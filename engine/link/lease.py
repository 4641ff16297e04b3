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
    """One owner at a time; one that left without goodbye has `GRACE` to come back."""

    def __init__(self) -> None:
        self.owner: Owner | None = None
        self._gone_at: Nanos | None = None
        self._next: Owner | None = None

    def join(self, owner: Owner) -> None:
        """Let a client in that may control: a free lease is its own, a broken one its next."""
        if self.owner is None or self.owner.client == owner.client:
            self.take(owner)
        elif self._gone_at is not None:
            self._next = owner

    def take(self, owner: Owner) -> None:
        """Hand control to `owner`, whoever had it: a person asked for it."""
        self.owner, self._gone_at, self._next = owner, None, None

    def leave(self, client: str) -> None:
        """Free the lease of a client that left in order."""
        if self._next is not None and self._next.client == client:
            self._next = None
        if self.owner is not None and self.owner.client == client:
            self._free()

    def lose(self, client: str, now: Nanos) -> None:
        """Note that a client's connection broke."""
        if self._next is not None and self._next.client == client:
            self._next = None
        if self.owner is not None and self.owner.client == client:
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
        self.owner, self._gone_at = self._next, None
        self._next = None
