"""Peers, each in a throw-away environment of its own, asked by a script that answers in JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parent / "peers"
RELEASES = {"nautilus": "nautilus_trader==1.221.0", "freqtrade": "freqtrade==2026.9"}
"""The newest that installs on Python 3.11."""
INSTALL_SECONDS = 900


class PeerMissing(Exception):
    """A peer could not be installed or did not run; the message says why."""


def cache() -> Path:
    """Return the folder of environments and recordings, outside the project."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "holdfast-bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def python_of(peer: str) -> Path:
    """Return the interpreter of `peer`'s environment, made now if it is not there yet."""
    home = cache() / peer
    python, done = home / "bin" / "python", home / RELEASES[peer]
    if not done.exists():
        print(f"installing {RELEASES[peer]} into {home}", file=sys.stderr)
        _call([sys.executable, "-m", "venv", "--clear", str(home)])
        _call([str(python), "-m", "pip", "install", "-q", RELEASES[peer]])
        done.touch()
    return python


def ask(peer: str, script: str, request: dict[str, Any], seconds: float = 300) -> dict[str, Any]:
    """Run `peers/<script>.py` in `peer`'s environment; return what it answers to `request`."""
    command = [str(python_of(peer)), str(SCRIPTS / f"{script}.py"), json.dumps(request)]
    answer: dict[str, Any] = json.loads(_call(command, seconds).strip().splitlines()[-1])
    return answer


def _call(command: list[str], seconds: float = INSTALL_SECONDS) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, check=True, env=environment
        )
    except subprocess.CalledProcessError as failed:
        raise PeerMissing(f"{command[:3]} failed: {failed.stderr.strip()[-400:]}") from failed
    except (OSError, subprocess.TimeoutExpired) as failed:
        raise PeerMissing(f"{command[:3]} did not run: {failed}") from failed
    return done.stdout
