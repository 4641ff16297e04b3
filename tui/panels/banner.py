"""One line per grave state, over everything: lost link, NOT PERSISTED, flatten, paused display."""

from __future__ import annotations

from engine.domain.entries import VENUE_BLOCK
from engine.domain.ids import SECOND
from engine.domain.recovery import ROOM
from engine.domain.risk import OPERATOR, SAFE_MODE
from tui import away
from tui import formatting as fmt
from tui.panel import Desk
from tui.sanitise import for_screen
from tui.widgets.line import Line, cut, line_cells


def project(desk: Desk, width: int) -> list[Line]:
    """Return at most one line; empty when nothing grave is the matter."""
    chips = [
        *_link(desk),
        *_store(desk),
        *_latch(desk),
        *_recovery(desk),
        *_paused(desk),
        *_recording(desk),
        *_blocks(desk),
    ]
    if not chips:
        return []
    spans: list[tuple[str, str]] = []
    for text, token in chips:
        if spans:
            spans.append((" ", "text"))
        spans.append((f" {text} ", token))
    line = cut(spans, width)
    return [(*line, (" " * (width - line_cells(line)), "text"))]


def _link(desk: Desk) -> Line:
    replica = desk.replica
    if replica.is_waiting and not replica.lost:
        return ()  # the header says STARTING, the steps stand below
    silent = replica.silence(desk.mono) // SECOND
    if replica.lost:
        why = for_screen(replica.lost, 60)
        return ((f"LINK LOST {silent} s: {why}. Positions may be unwatched", "live"),)
    return ((f"ENGINE SILENT {silent} s", "live"),) if desk.is_grey else ()


def _store(desk: Desk) -> Line:
    pulse, welcome = desk.replica.pulse, desk.replica.welcome
    if welcome is not None and welcome.persistence == "off":
        return (("NOT PERSISTED: the store is off by choice", "live"),)
    if pulse is not None and not pulse.is_persisted:
        return (("NOT PERSISTED: entries stopped, exits go on", "live"),)
    return ()


def _latch(desk: Desk) -> Line:
    latch = desk.replica.state.latch
    if latch is None:
        return ()
    left = len(desk.replica.state.positions)
    done = "flat" if latch.is_flat else f"{left} still open"
    cause = fmt.words(latch.cause.value)
    return ((f"FLATTEN {done} ({cause}): {for_screen(latch.reason, 60)}", "live"),)


def _recovery(desk: Desk) -> Line:
    """Say what still waits in the recovery room, and when the policy acts."""
    state = desk.replica.state
    if state.absence is None:
        return ()
    if state.absence.is_settled:
        told = away.looked_back(state.absence, desk.now)
        return ((told, "alert"),) if told else ()
    asked = [decision for decision in state.decisions.values() if decision.matter in ROOM]
    due = [decision.due_at for decision in asked if decision.due_at is not None]
    left = f", the policy acts in {max(0, min(due) - desk.now) // SECOND} s" if due else ""
    count = f"{len(asked)} to decide{left}" if asked else "under way"
    if state.absence.was_stopped and not asked:
        return ((away.looking_back(state.absence), "alert"),)
    return ((f"RECOVERY {count} (R)", "alert"),)


def _paused(desk: Desk) -> Line:
    if desk.paused_at is None:
        return ()
    waited = (desk.mono - desk.paused_at) // SECOND
    return ((f"DISPLAY PAUSED {waited} s, the engine goes on (space)", "alert"),)


def _recording(desk: Desk) -> Line:
    if not desk.is_recorded:
        return ()
    recording, zone = desk.replica.recording, desk.replica.zone
    if recording.has_ended:
        at = fmt.clock(desk.now, zone)
        return ((f"THE RECORDED DAY HAS ENDED at {at}: no more prices come", "alert"),)
    if recording.is_paused:
        return (("THE RECORDED DAY IS HELD (:feed resume lets it run on)", "alert"),)
    return ()


def _blocks(desk: Desk) -> Line:
    blocks = desk.replica.state.blocks
    if not blocks or desk.replica.state.latch is not None:
        return ()
    source, reason = next(iter(blocks.items()))
    more = f" +{len(blocks) - 1}" if len(blocks) > 1 else ""
    if source.startswith(VENUE_BLOCK):
        where = for_screen(source.removeprefix(VENUE_BLOCK), 30)
        return ((f"ENTRIES BLOCKED on {where}: the venue has something else (D){more}", "alert"),)
    way = " (p allows them)" if source in (OPERATOR, SAFE_MODE) else ""
    text = f"ENTRIES BLOCKED by {for_screen(source, 20)}{way}: {for_screen(reason, 60)}{more}"
    return ((text, "alert"),)
