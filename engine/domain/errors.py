"""Errors the domain can raise.

DomainError
├── InvalidAmount      a price, quantity or amount that cannot exist
├── InvalidInstrument  a contract whose terms contradict each other
├── CurrencyMismatch   arithmetic across two currencies
└── IllegalTransition  an event that does not follow from the state (a bug: stop the engine)
"""

from __future__ import annotations


class DomainError(Exception):
    """Base of every error raised by engine.domain."""


class InvalidAmount(DomainError):
    """A price, quantity or amount is not finite, off-increment or of the wrong sign."""


class InvalidInstrument(DomainError):
    """An instrument's terms are missing or contradict each other."""


class CurrencyMismatch(DomainError):
    """Two amounts in different currencies were combined."""


class IllegalTransition(DomainError):
    """An event does not follow from the state it was applied to."""
