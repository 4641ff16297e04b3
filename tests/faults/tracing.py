"""strace on a running engine: system calls that take long or fail from now on, until it ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest


@cache
def can_trace() -> bool:
    """Return whether strace is there and may trace."""
    found = shutil.which("strace")
    if found is None:
        return False
    tried = subprocess.run(
        [found, "-f", "-qq", "-o", os.devnull, "-e", "trace=none", "true"],
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0


needs_strace = pytest.mark.skipif(
    not can_trace(), reason="NOT TESTED: strace is missing or may not trace"
)


@contextmanager
def injected(pid: int, fault: str) -> Iterator[None]:
    """Let a running process suffer `fault` (strace's words: `fdatasync:delay_enter=3s`)."""
    call = fault.partition(":")[0]
    command = ["strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={fault}"]
    tracer = subprocess.Popen(
        [*command, "-p", str(pid)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    assert tracer.stderr is not None
    try:
        line = tracer.stderr.readline()
        assert b"attached" in line, line
        yield
    finally:
        tracer.terminate()
        try:
            tracer.wait(10)
        except subprocess.TimeoutExpired:
            tracer.kill()
            tracer.wait()
        tracer.stderr.close()
        time.sleep(0)
