"""B-26: secrets that must never be seen again, planted everywhere, and looked for everywhere.

A canary is looked for raw, URL-encoded and in base64, in whatever the product wrote, printed, drew
or showed in the process list.
"""

from __future__ import annotations

import base64
import gzip
import secrets
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote, quote_plus

CUSTOMARY: Final = ("BITVAVO_API_KEY", "BITVAVO_API_SECRET", "TELEGRAM_BOT_TOKEN")
NESTED: Final = ("kite_api_key", "kite_access_token", "deribit_client_secret", "alpaca_secret")
GIVEN: Final = frozenset({"holdfast.toml", ".env"})
"""Files in which a person keeps secrets: the only places where they may be."""


def fresh(name: str) -> str:
    """Return a value that nobody can write by chance; it looks different in each encoding."""
    return f"canary+{name}/{secrets.token_hex(12)}="


def forms(secret: str) -> frozenset[bytes]:
    """Return the ways in which a secret can be written down."""
    raw = secret.encode()
    found = {raw, quote(secret, safe="").encode(), quote_plus(secret).encode()}
    found |= {form.lower() for form in found if form != raw}
    for lead in range(3):  # what is before it moves its base64
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b"\0" * lead + raw)
            found.add(text[-(-lead * 8 // 6) : (len(raw) + lead) // 3 * 4])
    return frozenset(found)


@dataclass
class Canaries:
    """Planted secrets, and whatever of them was seen."""

    secrets: dict[str, str] = field(default_factory=dict)
    hits: list[str] = field(default_factory=list)
    """Where which canary was seen: name, place, never the value."""
    looked: int = 0
    """Bytes looked through."""
    places: int = 0

    @classmethod
    def planted(cls) -> Canaries:
        return cls({name: fresh(name) for name in (*CUSTOMARY, *NESTED, "dotenv", "wrong")})

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """Return `base` with the customary names, and one of the product's own."""
        named = {name: self.secrets[name] for name in CUSTOMARY}
        return {
            **base,
            **named,
            "HOLDFAST_SECRETS__KITE_ACCESS_TOKEN": self.secrets["kite_access_token"],
        }

    def configuration(self) -> str:
        """Return the secrets table of a configuration file."""
        names = [name for name in NESTED if name != "kite_access_token"]
        return "[secrets]\n" + "".join(f'{name} = "{self.secrets[name]}"\n' for name in names)

    def look(self, place: str, data: bytes) -> None:
        """Look for every canary in every form."""
        self.looked += len(data)
        self.places += 1
        for name, secret in self.secrets.items():
            if any(form in data for form in forms(secret)):
                self.hits.append(f"{name} in {place}")

    def look_at_files(self, directory: Path) -> None:
        """Look through every file but those in which a person keeps secrets."""
        for path in sorted(directory.rglob("*")):
            if path.is_file() and path.name not in GIVEN:
                data = path.read_bytes()
                self.look(str(path.relative_to(directory)), data)
                if data[:2] == b"\x1f\x8b":
                    self.look(f"{path.name} unpacked", gzip.decompress(data))


class ProcessList:
    """Reads the command lines of all processes, as any user may, while the block runs."""

    def __init__(self, canaries: Canaries) -> None:
        self._canaries = canaries
        self._ended = threading.Event()
        self._seen: set[bytes] = set()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> ProcessList:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()
        self._canaries.look("process list", b"\n".join(sorted(self._seen)))

    @property
    def ours(self) -> int:
        """How many different command lines of the product were seen."""
        return sum(b"holdfast" in line or b"-m\0tui" in line for line in self._seen)

    def _watch(self) -> None:
        while not self._ended.wait(0.02):
            self._seen.update(command_lines())


def command_lines() -> Iterator[bytes]:
    """Yield the command line of every process."""
    paths: Iterable[Path] = Path("/proc").glob("[0-9]*/cmdline")
    for path in paths:
        try:
            yield path.read_bytes()
        except OSError:
            continue  # it has ended meanwhile
