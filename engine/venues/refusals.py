"""What a file says that cannot be used: broken files stop the start, broken rows are counted."""

from __future__ import annotations

from dataclasses import dataclass, field


class FormatError(Exception):
    """A file cannot be read as what it claims to be; nothing starts.

    The message names file, line, column and value, and says what is allowed.
    """


class RowRefused(Exception):
    """One row cannot be used. Raised and caught inside the readers, never seen outside."""

    def __init__(self, reason: str, column: str, value: str, allowed: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.column = column
        self.value = value
        self.allowed = allowed


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused row. `value` comes from outside: escape it before showing."""

    reason: str
    file: str
    line: int
    column: str
    value: str
    allowed: str

    def __str__(self) -> str:
        return (
            f"{self.file}:{self.line}: column {self.column} was {self.value!r}, "
            f"allowed: {self.allowed} ({self.reason})"
        )


@dataclass(slots=True)
class Tally:
    """How often a reason refused a row, with its first and its last example."""

    count: int
    first: Refusal
    last: Refusal


@dataclass(slots=True)
class Refusals:
    """Rows that never became a tick or bar, by reason. Filled while a file is read."""

    tallies: dict[str, Tally] = field(default_factory=dict)

    def add(self, refusal: Refusal) -> None:
        tally = self.tallies.get(refusal.reason)
        if tally is None:
            self.tallies[refusal.reason] = Tally(1, refusal, refusal)
        else:
            tally.count += 1
            tally.last = refusal

    @property
    def total(self) -> int:
        return sum(tally.count for tally in self.tallies.values())

    def counts(self) -> tuple[tuple[str, int], ...]:
        """Return (reason, how often), most frequent first; fits `QualityReport.refused`."""
        pairs = ((reason, tally.count) for reason, tally in self.tallies.items())
        return tuple(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))


EXCERPT = 80


def excerpt(text: str) -> str:
    """Return the beginning of `text`: an example must not carry a megabyte into the log."""
    return text if len(text) <= EXCERPT else text[:EXCERPT] + "…"
