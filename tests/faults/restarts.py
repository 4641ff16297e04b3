"""Planned restarts of the real engine with open positions, again and again (P17).

`python -m tests.faults.restarts --n 100`
"""

from __future__ import annotations

import argparse
import json
import signal
import tempfile
from pathlib import Path

from tests.faults.process_rig import buy, engine, events, holdfast
from tests.faults.recorder import remember

STOPS = ("1000.5", "2000")


def open_positions(data_dir: Path) -> list[dict[str, object]]:
    """Return what a running engine says of its positions, without what the market moves."""
    done = holdfast("positions", "--data-dir", str(data_dir), "--json")
    rows: list[dict[str, object]] = json.loads(done.stdout)
    kept = ("id", "symbol", "side", "qty", "entry_price", "stop_loss", "take_profit")
    return [{name: row[name] for name in kept if name in row} for row in rows]


def restarted(data_dir: Path, count: int) -> int:
    """Restart `count` times in order; return how often everything was as before."""
    with engine(data_dir) as running:
        for number, stop in enumerate(STOPS):
            buy(data_dir, f"p{number}")
            newest = open_positions(data_dir)[-1]["id"]
            done = holdfast("stop-price", str(newest), stop, "--data-dir", str(data_dir))
            assert done.returncode == 0, done.stdout + done.stderr
        held = open_positions(data_dir)
        assert running.signal(signal.SIGTERM) == 128 + signal.SIGTERM
    assert {row.get("stop_loss") for row in held} == set(STOPS)
    same = 0
    for _ in range(count):
        with engine(data_dir) as running:
            same += open_positions(data_dir) == held
            assert running.signal(signal.SIGTERM) == 128 + signal.SIGTERM
    told = events(data_dir)
    assert told.count("SessionCrashed") == 0
    assert told.count("SessionStarted") + told.count("Resumed") == count + 1
    return same


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        same = restarted(Path(place) / "data", args.n)
    text = f"{args.n} planned restarts: positions and stops identical {same} times"
    print(text)
    remember("P17", text, n=args.n)
    return 0 if same == args.n else 1


if __name__ == "__main__":
    raise SystemExit(main())
