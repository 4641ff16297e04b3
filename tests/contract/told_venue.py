"""A venue that answers for its account as a test tells it to; a paper venue otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from engine.domain.ids import Nanos, OrderId
from engine.domain.truth import VenueTruth
from engine.venues.paper.venue import PaperVenue

Change = Callable[[VenueTruth], VenueTruth]


def empty(truth: VenueTruth) -> VenueTruth:
    """An empty page: right in form, and wrong."""
    return VenueTruth(truth.at)


def flat(truth: VenueTruth) -> VenueTruth:
    """No positions, and yet all the fills."""
    return replace(truth, positions={})


class ToldVenue(PaperVenue):
    """Answers truthfully until told otherwise."""

    change: Change = staticmethod(lambda truth: truth)
    failure: Exception | None = None
    is_silent = False
    asked = 0
    cancelled: Sequence[OrderId] = ()

    async def account_truth(self, since: Nanos) -> VenueTruth:
        self.asked += 1
        if self.is_silent:
            await asyncio.Event().wait()
        if self.failure is not None:
            raise self.failure
        return self.change(await super().account_truth(since))

    async def cancel(self, order: OrderId) -> None:
        self.cancelled = [*self.cancelled, order]
        await super().cancel(order)
