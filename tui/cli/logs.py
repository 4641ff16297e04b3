"""`holdfast logs [-f]`: the engine's log file, which needs no engine to be read."""

from __future__ import annotations

import argparse
import json
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from tui.cli.exits import DONE, Failure
from tui.cli.output import say
from tui.cli.places import data_dir_of

LOOK_SECONDS: Final = 0.2
LINE_MAX: Final = 4000


def command(args: argparse.Namespace) -> int:
    """Print the newest lines, and with `-f` everything that follows."""
    path = data_dir_of(args.data_dir) / "logs" / "holdfast.log"
    if not path.exists() and not args.follow:
        raise Failure(f"{path}: there is no log yet")
    for line in newest(path, max(0, args.lines)):
        _print(line, is_json=args.json)
    if args.follow:
        for line in growing(path):
            _print(line, is_json=args.json)
    return DONE


def newest(path: Path, count: int) -> list[bytes]:
    """Return the last `count` lines, from the rotated file before it too if need be."""
    lines: deque[bytes] = deque(maxlen=count)
    for place in (path.with_name(f"{path.name}.1"), path):
        if place.exists():
            with place.open("rb") as file:
                lines.extend(line for line in file if line.endswith(b"\n"))
    return list(lines)


def growing(path: Path) -> Iterator[bytes]:
    """Yield whole lines as they are added, for ever; a rotation is followed."""
    pause = threading.Event()
    file: BinaryIO | None = None
    rest = b""
    while True:
        if file is None and path.exists():
            file = path.open("rb")
            if not rest:
                file.seek(0, 2)
        added = file.read() if file is not None else b""
        if added:
            *lines, rest = (rest + added).split(b"\n")
            yield from lines
            continue
        if file is not None and _is_replaced(path, file):
            file.close()
            file = path.open("rb") if path.exists() else None
            continue
        pause.wait(LOOK_SECONDS)


def _is_replaced(path: Path, file: BinaryIO) -> bool:
    import os

    try:
        now = path.stat()
    except FileNotFoundError:
        return False
    opened = os.fstat(file.fileno())
    return (now.st_dev, now.st_ino) != (opened.st_dev, opened.st_ino)


def _print(line: bytes, *, is_json: bool) -> None:
    try:
        record = json.loads(line)
        at, level, source = record["at"], record["level"], record["source"]
        text = record.get("text") or " ".join(f"{k}={v}" for k, v in record["fields"].items())
    except (ValueError, KeyError, TypeError, AttributeError):
        return  # torn by a crash
    if is_json:
        say(json.dumps(record, ensure_ascii=True), LINE_MAX * 4)
    else:
        say(f"{at}  {level:<8}  {source:<10}  {text}", LINE_MAX)
