"""The first look at the venue: a session without a person may refuse to live with a difference."""

from __future__ import annotations

from engine.bootstrap.opening import NeedsDecision
from engine.bootstrap.options import LiveOptions
from engine.domain.event import SessionEnded
from engine.domain.ids import SECOND
from engine.domain.questions import MATTERS
from engine.domain.reconcile import PROOF, Action, Finding
from engine.domain.session import SessionStatus
from engine.ports.tables import Tables
from engine.runtime.engine import Engine
from engine.runtime.logbook import Logbook
from engine.runtime.reconciler import Books, Reconciler
from engine.runtime.sensors import Sensors


async def reconciling(
    options: LiveOptions,
    engine: Engine,
    venue: Books,
    tables: Tables | None,
    logbook: Logbook,
    sensors: Sensors,
) -> Reconciler:
    """Return a reconciler that has looked once. Raises NeedsDecision."""
    made = Reconciler(engine, venue, engine.clock, logbook, tables, policy=options.reconcile_policy)
    await made.begin(sensors)
    await require_agreement(options, engine, made)
    return made


async def require_agreement(options: LiveOptions, engine: Engine, reconciler: Reconciler) -> None:
    """End the session that has just begun, and raise NeedsDecision, where the policy `stop` says
    so and nobody is here. What is doubtful is looked at twice first; positions stay as they are.
    """
    stops = options.reconcile_policy.stops
    if options.is_attended or not stops:
        return
    if any(MATTERS.get(finding.what) in stops for finding in reconciler.found):
        await engine.clock.sleep(PROOF / SECOND)
        await reconciler.reconcile()
    asked = [f for f in reconciler.found if MATTERS.get(f.what) in stops]
    proven = [finding for finding in asked if finding.action is Action.ASK]
    if not proven:
        return
    session = engine.state.session
    if session is not None:
        ended = SessionEnded(session.id, SessionStatus.COMPLETED, "reconcile.policy")
        await engine.settle(ended)
    raise NeedsDecision(_reason(proven))


def _reason(proven: list[Finding]) -> str:
    what = "; ".join(str(finding) for finding in proven)
    ways = "open a console, or set reconcile.policy.* to what shall be done"
    return f"the venue does not agree, and the policy is to stop: {what} ({ways})"
