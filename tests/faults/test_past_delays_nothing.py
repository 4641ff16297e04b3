"""Looking at the past costs the running engine nothing: counted, not timed (C-15, B-2)."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

import pytest

from engine.domain.command import PauseEntries, ResumeEntries
from engine.domain.event import CommandAccepted, Entry
from engine.domain.ids import CommandId, Seq
from engine.link.address import socket_path
from engine.link.client import SocketLink
from engine.link.frames import Hello
from engine.link.protocol import EngineLink, Pulse, Welcome
from engine.link.protocol_past import AskBooks, AskEntries, AskSession, AskSessions, AskStart
from tests.faults.process_rig import engine
from tests.linked import PATIENCE, Ear, room

TICKS = 2000
ROUNDS = 40


async def test_a_disk_that_hangs_under_a_question_delays_neither_ticks_nor_commands(
    tmp_path: Path,
) -> None:
    stuck = tmp_path / "holdfast.db"
    os.mkfifo(stuck)  # whoever opens it waits until somebody writes: a disk that hangs
    ear = Ear()
    async with room(tmp_path, stuck) as here:
        link = here.link("socket")
        link.attach(ear)
        await ear.hears(Welcome)
        async with asyncio.TaskGroup() as tasks:
            question = tasks.create_task(_refused(link))
            before = here.source.engine.core.ticks
            for number in range(TICKS):
                here.tick(f"{100 + number % 50}")
            for number in range(ROUNDS):
                await link.send(PauseEntries(CommandId(f"p{number}"), "test", f"s{number}", "why"))
            await ear.until(lambda: len(accepted(ear)) == ROUNDS)
            async with asyncio.timeout(PATIENCE):
                while here.source.engine.core.ticks < before + TICKS:
                    await asyncio.sleep(0)
            assert not question.done()
            os.close(os.open(stuck, os.O_RDWR | os.O_NONBLOCK))  # the disk is back, and no store
            await link.close()


async def _refused(link: EngineLink) -> None:
    with suppress(ConnectionError):
        await link.ask(AskSessions())
        pytest.fail("there was something to be told")


def accepted(ear: Ear) -> list[Entry]:
    return [e for e in ear.all_of(Entry) if isinstance(e.event, CommandAccepted)]


@pytest.mark.serial
async def test_while_the_past_is_scrubbed_a_real_engine_obeys_and_ticks_on(tmp_path: Path) -> None:
    with engine(tmp_path, "--set", "sim.pace=60") as running:
        ear = Ear()
        link = SocketLink(socket_path(tmp_path), Hello("test", "test"))
        link.attach(ear)
        (welcome,) = await ear.hears(Welcome)
        assert welcome.state.session is not None
        session = welcome.state.session.id
        answers = 0
        for number in range(ROUNDS):
            verb = PauseEntries if number % 2 == 0 else ResumeEntries
            record = await link.ask(AskSession(session))
            async with asyncio.TaskGroup() as tasks:
                asked = [
                    tasks.create_task(link.ask(AskEntries(Seq(0), record.last))),
                    tasks.create_task(link.ask(AskBooks(session))),
                    tasks.create_task(link.ask(AskStart(session))),
                ]
                id_ = CommandId(f"test-{number}")
                command = (
                    PauseEntries(id_, "test", "test", "a test")
                    if verb is PauseEntries
                    else ResumeEntries(id_, "test", "test")
                )
                await link.send(command)
                await ear.until(lambda wanted=number + 1: len(accepted(ear)) >= wanted)  # type: ignore[misc]
            answers += len([task for task in asked if task.result() is not None])
        assert answers == 3 * ROUNDS
        assert running.process.poll() is None
        entries = ear.all_of(Entry)
        assert [e.seq for e in entries] == list(range(entries[0].seq, entries[-1].seq + 1))
        pulses = ear.all_of(Pulse)
        await ear.hears(Pulse, len(pulses) + 2)
        ticks = [pulse.ticks for pulse in ear.all_of(Pulse)]
        assert ticks[-1] > ticks[0]
        await link.close()
