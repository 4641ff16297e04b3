"""What a store is for (V-15): a store of one mode, venue and account is never opened as another."""

from __future__ import annotations

from dataclasses import dataclass

from engine.domain.session import Mode


@dataclass(frozen=True, slots=True)
class Stamp:
    """Written when the store is created, part of its hash chain, compared at every opening."""

    mode: Mode
    venue: str
    account: str = ""

    def __str__(self) -> str:
        account = f", account {self.account}" if self.account else ""
        return f"{self.mode.value} on {self.venue}{account}"
