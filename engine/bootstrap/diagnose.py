"""`holdfast doctor`: the doctor's questions about configuration, store and other engines (O-4)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engine.domain.calendar import local
from engine.ports.clock import Clock
from engine.ports.journal import JournalRefused
from engine.runtime.doctor import Finding, Question, examine
from engine.settings import SettingsError, load
from engine.store.lock import holder
from engine.store.reader import StoreReader


def diagnose(
    data_dir: Path,
    clock: Clock,
    config: Path | None = None,
    sets: Iterable[str] = (),
    more: Iterable[Question] = (),
) -> list[Finding]:
    """Return every finding about a start in `data_dir`; nothing is changed and nothing raises.

    `more`: what only the caller can ask, e.g. of the terminal.
    """
    given = tuple(sets)
    configuration = Question(
        "configuration",
        lambda: _configuration(data_dir, config, given),
        "correct the value that is named; `holdfast config` shows all of them",
        (SettingsError,),
    )
    store = Question(
        "store",
        lambda: _store(data_dir / "holdfast.db"),
        "keep this directory as it is and restore a backup into another one",
        (JournalRefused,),
    )
    engine = Question("engine", lambda: _engine(data_dir), "check the lock file's permissions")
    return examine(data_dir, clock, (configuration, store, engine, *more))


def _configuration(data_dir: Path, config: Path | None, sets: Iterable[str]) -> str:
    loaded = load(config, data_dir=data_dir, sets=sets)
    sources = ", ".join(sorted(set(loaded.sources.values())))
    idle = f"; without effect: {', '.join(loaded.idle)}" if loaded.idle else ""
    count = len(loaded.sources)
    said = f"{count} value{'' if count == 1 else 's'} from {sources}" if count else "all defaults"
    return f"{said}{idle}"


def _store(path: Path) -> str:
    """Follow the whole journal. Raises JournalRefused; a store that is not there yet is well."""
    wal = path.with_name(f"{path.name}-wal")
    mark = path.with_name(f"{path.name}.watermark")
    if not path.exists() and not wal.exists() and not mark.exists():
        return "none yet"
    with StoreReader.open(path) as reader:
        head, stamp = reader.verify_chain(), reader.stamp()
        broken = [f"{p.session} {p}" for p in reader.balance() if not p.is_ok]
        if broken:
            text = "`holdfast repair` holds the tables against the journal"
            raise JournalRefused(f"balance: {'; '.join(broken)}; {text}")
        said = f"{head.seq:,} entries, all of them unbroken; mode {stamp['mode']}"
        return f"{said}; the balance of every session is OK"


def _engine(data_dir: Path) -> str:
    owner = holder(data_dir)
    if owner is None:
        return "none is running here"
    since = f" since {local(owner.started_at, 'UTC'):%Y-%m-%d %H:%M:%S} UTC"
    return f"pid {owner.pid} runs here{since if owner.started_at else ''}"
