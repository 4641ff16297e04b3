"""B-26: no secret that a person gave is seen anywhere; a planted leak is found."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from engine.domain.ids import SECOND
from engine.runtime.clock import SystemClock
from tests.faults.canaries import Canaries, ProcessList, forms
from tests.faults.process_rig import BTC, PATIENCE, QUIET, ROOT, answers, environment, until
from tests.faults.test_standstill import Record
from tests.tui.pty_session import PtySession

pytestmark = pytest.mark.serial

QUESTIONS = (
    *("config", "doctor", "status", "positions", "trades", "sessions", "strategies", "health"),
    *("logs", "repair", "backup"),
)


class Plant:
    """Canaries in environment, `.env` and configuration of one data directory."""

    def __init__(self, place: Path) -> None:
        self.canaries = Canaries.planted()
        self.data_dir = place / "data"
        self.data_dir.mkdir(mode=0o700)
        (self.data_dir / "holdfast.toml").write_text(self.canaries.configuration())
        self.home = place / "home"
        self.home.mkdir()
        dotenv = self.canaries.secrets["dotenv"]
        (self.home / ".env").write_text(f"HOLDFAST_SECRETS__SOMETHING={dotenv}\n")
        self.env = {**self.canaries.environment(environment()), "PYTHONPATH": str(ROOT)}

    def run(self, *words: str, given: str = "") -> subprocess.CompletedProcess[bytes]:
        """Run a command to its end and look at what it said."""
        done = subprocess.run(
            [sys.executable, "-m", "tui", *words, "--data-dir", str(self.data_dir)],
            cwd=self.home,
            input=given.encode(),
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            env=self.env,
        )
        self.canaries.look(f"output of {' '.join(words)}", done.stdout + done.stderr)
        return done

    @contextmanager
    def engine(self, program: str = "tui.cli") -> Iterator[subprocess.Popen[bytes]]:
        """Run an engine, and look at everything that it printed once it is gone."""
        words = ("-m", program, "engine", "--data-dir", str(self.data_dir), *QUIET)
        with subprocess.Popen(
            [sys.executable, "-X", "faulthandler", *words],
            cwd=self.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.env,
        ) as process:
            try:
                until(lambda: answers(self.data_dir), "an engine")
                yield process
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
                said, _ = process.communicate(timeout=PATIENCE)
                self.canaries.look(f"output of {program}", said)

    def buy(self, id_: str) -> None:
        now = SystemClock().now() // SECOND
        line = {"time": now, "symbol": BTC, "side": "buy", "qty": "0.1", "id": id_}
        until(lambda: self.run("signal", given=json.dumps(line)).returncode == 0, "a signal")


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path)


def test_no_secret_is_seen_in_logs_store_output_or_process_list(
    plant: Plant, record_property: Record
) -> None:
    with ProcessList(plant.canaries) as processes:
        with plant.engine() as first:
            plant.buy("a")
            for question in QUESTIONS:
                plant.run(question)
            plant.run("config", "--json")
            plant.run("close", BTC, "--note", "by hand")
            plant.buy("b")
            first.send_signal(signal.SIGABRT)  # faulthandler says where every thread was
            first.wait(PATIENCE)
        with plant.engine():
            plant.run("flatten")
            plant.run("reconcile")
        plant.run("restore", "latest")
        plant.run("drill", "--kills", "1")
    plant.canaries.look_at_files(plant.data_dir)
    assert processes.ours > 3
    assert plant.canaries.looked > 100_000
    assert plant.canaries.hits == []
    looked = plant.canaries
    record_property("n", len(looked.secrets))
    record_property(
        "figure",
        f"{len(looked.secrets)} canaries, {looked.places} places, "
        f"{looked.looked / 1e6:.1f} MB: 0 hits",
    )


@pytest.mark.parametrize(
    "broken",
    [
        'wrong = "{0}"',
        '[secrets]\nkite_api_key = ["{0}"]',
        'secrets = "{0}"',
        '[secrets]\nkite_api_key = "{0}',
        '[exits.initial]\npct = 7\n[secrets]\nx = "{0}"',
        '[secrets.deep]\nx = "{0}"',
    ],
)
def test_no_secret_is_seen_when_the_start_fails(plant: Plant, broken: str) -> None:
    secret = plant.canaries.secrets["wrong"]
    (plant.data_dir / "holdfast.toml").write_text(broken.format(secret))
    (plant.home / ".env").unlink()
    plant.env = {
        name: v for name, v in plant.env.items() if v not in plant.canaries.secrets.values()
    }
    for words in (("run", "--headless"), ("config",), ("doctor",)):
        assert plant.run(*words).returncode != 0
    plant.env["HOLDFAST_SECRETS"] = f"not a table: {secret}"
    plant.run("run", "--headless")
    plant.canaries.look_at_files(plant.data_dir)
    assert plant.canaries.hits == []


def test_a_secret_on_the_command_line_is_refused_and_says_where_it_belongs(plant: Plant) -> None:
    secret = plant.canaries.secrets["wrong"]
    done = plant.run("run", "--headless", "--set", f"secrets.kite_api_key={secret}")
    assert done.returncode == 2
    assert b"environment" in done.stderr
    assert plant.canaries.hits == []


def test_no_secret_is_drawn_or_left_by_a_console_that_crashes(
    plant: Plant, record_property: Record
) -> None:
    try:
        for program, is_crash in (("tui", False), ("tests.faults.crashing_console", True)):
            session = PtySession(
                *("run", "--data-dir", str(plant.data_dir), *QUIET),
                size=(140, 40),
                program=("-m", program),
                env=plant.env,
            )
            try:
                if is_crash:
                    assert session.wait() == 1
                else:
                    session.read_until(b"Value")
                    for key in b"1234512":
                        session.send(bytes([key]))
                        session.read(0.3)
                    seen = len(session.output)
                    session.send(b":")
                    session.read_until(b":export", seen)
                    seen = len(session.output)
                    session.send(b"screenshot")
                    session.read_until(b"screenshot", seen)
                    session.press_until(b"\r", b"wrote ")
                    session.signal(signal.SIGTERM)
                    session.wait()
            finally:
                session.close()
            plant.canaries.look(f"frames of {program}", session.output)
    finally:
        plant.run("stop")
    plant.canaries.look_at_files(plant.data_dir)
    assert plant.canaries.hits == []
    assert list((plant.data_dir / "screenshots").glob("*.svg"))
    record_property("figure", f"{plant.canaries.looked / 1e6:.1f} MB of frames and files: 0 hits")


def test_a_planted_leak_is_found(plant: Plant) -> None:
    with plant.engine("tests.faults.leaking_engine"):
        plant.buy("a")
    plant.canaries.look_at_files(plant.data_dir)
    assert any("BITVAVO_API_SECRET in logs/" in hit for hit in plant.canaries.hits)


def test_a_planted_argument_is_found_in_the_process_list() -> None:
    canaries = Canaries.planted()
    secret = canaries.secrets["wrong"]
    with ProcessList(canaries):
        subprocess.run(["sleep", "0.3", *([] if os.name == "nt" else ["0"])], check=True)
        subprocess.run([sys.executable, "-c", "import time; time.sleep(0.3)", secret], check=True)
    assert canaries.hits == ["wrong in process list"]


@pytest.mark.parametrize("lead", ["", "a", "ab", "abc"])
def test_every_form_of_a_secret_is_found(lead: str) -> None:
    secret = Canaries.planted().secrets["wrong"]
    said = [
        f"{lead}{secret}tail".encode(),
        f"https://x/?k={quote(secret, safe='')}&z=1".encode(),
        base64.b64encode(f"{lead}{secret}tail".encode()),
        base64.urlsafe_b64encode(f"{lead}{secret}".encode()),
    ]
    for text in said:
        assert any(form in text for form in forms(secret)), text
    assert not any(form in b"canary+wrong/" for form in forms(secret))
