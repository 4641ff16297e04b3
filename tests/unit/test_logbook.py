"""The log loses nothing quietly, holds nobody up, and never says a secret."""

from __future__ import annotations

import base64
import json
import stat
import threading
import unicodedata
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.ids import Nanos
from engine.domain.log import LogRecord
from engine.runtime.clock import ManualClock
from engine.runtime.logbook import Logbook, line_of
from engine.runtime.redaction import Redactor
from tests.builders import SECOND

NOON = Nanos(1_769_753_527 * SECOND + 123_456_789)
CANARY = "s3cr/et+ké y=="


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_line_is_on_disk_for_its_owner_alone(tmp_path: Path) -> None:
    book = Logbook(tmp_path / "logs", ManualClock(NOON))
    book.start()
    book.log("info", "stop", "trailing stop fired", [("seq", "7")])
    book.log("error", "store", "disk full")
    book.performance({"decision_ms_p99": "0.2"})
    book.close()
    directory = tmp_path / "logs"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(f.stat().st_mode) for f in directory.iterdir()} == {0o600}
    first, second = lines(directory / "holdfast.log")
    assert first == {
        "at": "2026-01-30T06:12:07.123456Z",
        "level": "info",
        "source": "stop",
        "text": "trailing stop fired",
        "fields": {"seq": "7"},
    }
    assert lines(directory / "errors.log") == [second]
    assert lines(directory / "performance.log")[0]["fields"] == {"decision_ms_p99": "0.2"}


def test_a_writer_that_stands_still_holds_nobody_up_and_the_loss_is_said(tmp_path: Path) -> None:
    book = Logbook(tmp_path, ManualClock(NOON), queue_max=10)
    for n in range(25):
        book.log("info", "test", f"line {n}")
    assert (book.dropped, len(book.recent)) == (15, 25)
    book.start()
    book.close()
    texts = [line["text"] for line in lines(tmp_path / "holdfast.log")]
    assert texts[0] == "line 0"
    assert "15 log lines were dropped: the disk was too slow" in texts


def test_files_are_rotated_by_size_and_only_so_many_are_kept(tmp_path: Path) -> None:
    book = Logbook(tmp_path, ManualClock(NOON), size_max=1_000, kept=2)
    book.start()
    for n in range(100):
        book.log("info", "test", f"line {n:04}")
    book.close()
    found = sorted(path.name for path in tmp_path.iterdir())
    assert found == ["holdfast.log", "holdfast.log.1", "holdfast.log.2"]
    assert all(path.stat().st_size <= 1_000 for path in tmp_path.iterdir())
    assert lines(tmp_path / "holdfast.log")[-1]["text"] == "line 0099"


def test_a_disk_that_refuses_is_counted_and_the_console_still_hears(tmp_path: Path) -> None:
    heard: list[LogRecord] = []
    (tmp_path / "holdfast.log").mkdir()
    book = Logbook(tmp_path, ManualClock(NOON))
    book.subscribe(heard.append)
    book.start()
    book.log("info", "test", "one")
    book.unsubscribe(heard.append)
    book.log("info", "test", "two")
    book.close()
    assert book.failed == 2
    assert [record.text for record in heard] == ["one"]


def test_an_alarm_from_another_thread_is_heard_in_the_loops_own(tmp_path: Path) -> None:
    heard: list[tuple[str, int]] = []
    book = Logbook(tmp_path, ManualClock(NOON))
    book.subscribe(lambda record: heard.append((record.text, threading.get_ident())))
    book.start()
    other = threading.Thread(target=book.alarm, args=("loop stuck",))
    other.start()
    other.join()
    assert heard == []
    book.log("info", "test", "again alive")
    book.close()
    here = threading.get_ident()
    assert heard == [("loop stuck", here), ("again alive", here)]
    assert [line["text"] for line in lines(tmp_path / "errors.log")] == ["loop stuck"]


def test_a_log_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    (tmp_path / "holdfast.log").symlink_to(target)
    book = Logbook(tmp_path, ManualClock(NOON))
    book.start()
    book.log("info", "test", "one")
    book.close()
    assert book.failed == 1
    assert not target.exists()


@pytest.mark.parametrize(
    "text",
    [
        f"key {CANARY} end",
        f"https://venue/x?{urlencode({'key': CANARY})}",
        f"https://venue/{quote(CANARY)}",
        f"https://venue/{quote(CANARY, safe='').lower()}",
        f"Basic {base64.b64encode(f'user:{CANARY}'.encode()).decode()}",
        f"Basic {base64.b64encode(f'u:{CANARY}:x'.encode()).decode()}",
        f"{base64.urlsafe_b64encode(CANARY.encode()).decode()}",
        json.dumps({"key": CANARY}),
        repr({"key": CANARY}),
    ],
)
def test_no_form_of_a_secret_is_written_or_shown(tmp_path: Path, text: str) -> None:
    book = Logbook(tmp_path, ManualClock(NOON))
    book.hide([CANARY])
    book.start()
    book.log("error", "test", text, [("field", text)])
    book.close()
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir()).decode()
    assert "***" in written
    core = base64.b64encode(CANARY.encode()).decode()[2:12]
    for form in (CANARY, quote(CANARY), quote(CANARY, safe=""), core):
        assert form not in written
        assert form not in book.recent[0].text


@given(st.binary(min_size=4, max_size=40), st.binary(max_size=5), st.binary(max_size=5))
def test_base64_hides_at_every_offset(secret: bytes, before: bytes, after: bytes) -> None:
    text = secret.hex()
    redactor = Redactor()
    redactor.hide(text)
    shown = redactor.clean(base64.b64encode(before + text.encode() + after).decode())
    assert "***" in shown


def test_a_very_short_secret_does_not_eat_the_log() -> None:
    redactor = Redactor()
    redactor.hide("on")
    assert redactor.clean("on second thoughts") == "on second thoughts"


@given(st.text())
def test_whatever_is_logged_is_one_line_that_reads_back_without_control_characters(
    text: str,
) -> None:
    line = line_of(LogRecord(NOON, "info", "test", text)).decode()
    assert line.endswith("\n")
    assert not any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in line[:-1])
    assert json.loads(line).get("text", "") == text
    assert not any(unicodedata.bidirectional(char) in {"RLO", "LRO", "RLI"} for char in line)
