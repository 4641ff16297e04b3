"""What is done when nobody answers: after a crash, and about differences with the venue."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.settings.table import Count, Interval, Table


class RecoveryTable(Table):
    flat: Literal["resume", "fresh", "ask"] = "resume"
    """What becomes of a session that crashed with nothing open, if nobody answers within the
    countdown; the day's figures are kept. ask: without a person nothing starts.
    """
    gap: Literal["exit_now", "hold", "ask"] = "exit_now"
    """What is done where a rule would have fired while no engine ran, if nobody answers within the
    countdown. ask: it waits for a person; the ordinary rules watch meanwhile.
    """
    countdown: Annotated[float, Field(ge=0, le=3600)] = 20
    """Seconds that a person at a console is given to answer; without a console: none."""
    safe_mode_crashes: Count = 3
    """So many crashes in ten minutes block entries until a person resumes; 0: never."""


class ReconcilePolicyTable(Table):
    """What is done about what reconciliation asks, if nobody answers. ask: it waits for a person;
    stop: it waits, and a session without a person does not begin with it (exit code 5).
    """

    gone: Literal["ask", "book", "estimate", "leave", "stop"] = "ask"
    """Open here, nothing at the venue, and its fills do not explain it."""
    unknown: Literal["ask", "adopt", "close", "leave", "stop"] = "ask"
    """Open at the venue, nothing here."""
    differs: Literal["ask", "book", "adopt", "estimate", "leave", "stop"] = "ask"
    """Another size or side at the venue, and its fills do not explain it."""
    stray: Literal["ask", "cancel", "leave", "stop"] = "ask"
    """An order at the venue that nothing here sent."""
    wait: Annotated[float, Field(ge=0, le=3600)] = 30
    """Seconds that a person is given to answer before the policy acts."""


class ReconcileTable(Interval):
    interval: Annotated[float, Field(gt=0)] = 60
    policy: ReconcilePolicyTable = ReconcilePolicyTable()
