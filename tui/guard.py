"""An exception in a handler becomes an alert, not the end of the app (field/tui.md 4.13)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar, cast

P = ParamSpec("P")


class HasAlarm(Protocol):
    """The app, as far as a guard needs it."""

    def alarm(self, what: str, error: BaseException) -> None:
        """Show that something of the console failed."""


class HasApp(Protocol):
    """A widget, screen or app."""

    @property
    def app(self) -> object:
        """The app."""


S = TypeVar("S", bound=HasApp)


def guard(method: Callable[Concatenate[S, P], None]) -> Callable[Concatenate[S, P], None]:
    """Return `method` with every exception turned into an alert that names it."""

    @functools.wraps(method)
    def guarded(self: S, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            method(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 the console must outlive its own bugs
            cast("HasAlarm", self.app).alarm(method.__name__.lstrip("_"), error)

    return cast("Callable[Concatenate[S, P], None]", guarded)
