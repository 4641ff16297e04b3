"""Secrets are said once and never seen again: raw, URL-encoded or in base64 (O-8)."""

from __future__ import annotations

import base64
import json
import re
from typing import Final
from urllib.parse import quote, quote_plus

SHORTEST: Final = 4
"""Hiding every occurrence of a shorter text would destroy the log and hide nothing."""
MASK: Final = "***"


class Redactor:
    """Replaces every form of the secrets it was told."""

    def __init__(self) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def hide(self, secret: str) -> None:
        """Replace `secret` from now on; one shorter than SHORTEST is ignored."""
        if len(secret) < SHORTEST:
            return
        self._forms |= _forms(secret)
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(re.escape(form) for form in longest_first))

    def clean(self, text: str) -> str:
        """Return `text` without any secret."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)


def _forms(secret: str) -> set[str]:
    raw = secret.encode()
    urls = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    urls |= {re.sub(r"%..", lambda m: m[0].lower(), url) for url in urls}
    encoded = json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]
    forms = {secret, *urls, *encoded, repr(secret)[1:-1]}
    for lead in range(3):  # base64 looks different at each offset within what was encoded
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b"\0" * lead + raw).decode().rstrip("=")
            core = text[-(-lead * 8 // 6) :]
            if (lead + len(raw)) % 3:
                core = core[:-1]  # the last character also holds bits of what follows
            if len(core) >= SHORTEST:
                forms.add(core)
    return forms
