"""Numbers as a person types them: plain digits, thousands separators allowed, nothing clever."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

_PLAIN: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{0,12})?|\.[0-9]{1,12}")


def typed_number(text: str) -> Decimal | None:
    """Return the number above 0 that `text` means, or None: no signs, exponents or NaN."""
    clean = text.strip().replace(",", "")
    if _PLAIN.fullmatch(clean) is None:
        return None
    value = Decimal(clean)
    return value if value > 0 else None
