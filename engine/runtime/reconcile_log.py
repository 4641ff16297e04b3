"""What reconciliation says in the log, and how often it found what (E-41, E-49)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from engine.domain.money import plain
from engine.domain.reconcile import Action, Finding, Found
from engine.runtime.logbook import Logbook

SOURCE: Final = "reconcile"
RUN: Final = "run"
"""Field of the line that ends a run on command."""
_LEVELS: Final = {Action.ASK: "error", Action.AGAIN: "info"}


class ReconcileLog:
    """Tells each finding once, and counts."""

    def __init__(self, logbook: Logbook) -> None:
        self._logbook = logbook
        self.counts: Counter[Found] = Counter()
        """How often each kind was found anew."""
        self._ends: Counter[tuple[str, str]] = Counter()

    @property
    def outcomes(self) -> tuple[tuple[str, int], ...]:
        """How often each kind of finding came to each end, in words."""
        return tuple((f"{what} {end}", n) for (what, end), n in sorted(self._ends.items()))

    def tell(self, found: Sequence[Finding], before: Iterable[Finding], *, is_whole: bool) -> None:
        """Log what is new as one structured record each; all well: a line at debug.

        `before` is what the run before this one found. `is_whole`: log what is not new, too.
        """
        known = {(finding.key, finding.action) for finding in before}
        kinds = {key for key, _ in known}
        for finding in found:
            is_new = (finding.key, finding.action) not in known
            self.counts[finding.what] += finding.key not in kinds
            self._ends[finding.what.value, finding.action.value] += is_new
            if is_new or is_whole:
                level = _LEVELS.get(finding.action, "warning")
                self._logbook.log(level, SOURCE, str(finding), _record(finding))
        if not found:
            is_over = bool(kinds)
            text = "engine, database and venue agree" + (" again" if is_over else "")
            self._logbook.log("info" if is_over else "debug", SOURCE, text)

    def sum_up(self, found: Sequence[Finding], asked: Iterable[str], run: int) -> None:
        """Log one line that ends what a person asked for; `asked` are the decisions it asks."""
        n = len(found)
        text = f"{n} difference{'s' if n != 1 else ''} found" if n else "all three agree"
        figures = ((RUN, str(run)), ("differences", str(n)), ("asks", " ".join(asked)))
        self._logbook.log("info", SOURCE, f"reconciled on command: {text}", figures)


def _record(finding: Finding) -> tuple[tuple[str, str], ...]:
    return (
        ("trade", finding.subject),
        ("instrument", finding.instrument or ""),
        ("engine", plain(finding.here)),
        ("database", finding.row),
        ("venue", plain(finding.there)),
        ("action", finding.action.value),
    )
