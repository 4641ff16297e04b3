"""Bringing a session's journal over the link, page by page; it can be cancelled at any moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from engine.domain.errors import DomainError
from engine.domain.ids import Seq, SessionId
from engine.link.protocol import EngineLink
from engine.link.protocol_past import AskEntries, AskSession, AskStart
from tui.past.timeline import Timeline


@dataclass(slots=True)
class Loading:
    """How far it is. Entries before the session are folded too when no checkpoint is near."""

    session: SessionId
    line: Timeline | None = None
    first: int = 0
    """Entry from which on it folds."""
    done: int = 0
    is_over: bool = False
    why: str = ""
    """Why it ended early."""

    @property
    def share(self) -> float:
        """Return how much of the way is done, 0 to 1."""
        if self.line is None:
            return 0.0
        return (self.done - self.first) / max(1, self.line.record.last - self.first)

    async def run(self, link: EngineLink, on_news: Callable[[], None]) -> None:
        """Ask for page after page; `on_news` is called after each."""
        await self._bring(self._begin(link), link, on_news)

    async def more(self, link: EngineLink, on_news: Callable[[], None], last: Seq) -> None:
        """Go on to entry `last`: the running session has more by now than when it was opened."""
        line = self.line
        if line is None or not self.is_over or last <= line.record.last or line.is_full:
            return
        line.record = replace(line.record, last=last)
        await self._bring(None, link, on_news)

    async def _bring(
        self, begin: Awaitable[None] | None, link: EngineLink, on_news: Callable[[], None]
    ) -> None:
        self.is_over, self.why = False, ""
        try:
            if begin is not None:
                await begin
            await self._pages(link, on_news)
        except (ConnectionError, DomainError) as error:
            self.why = str(error)
        finally:
            self.is_over = True
            on_news()

    async def _begin(self, link: EngineLink) -> None:
        record = await link.ask(AskSession(self.session))
        base = (await link.ask(AskStart(self.session))).state
        self.line = Timeline(record, link.unfold)
        self.line.base(base)
        self.first = self.done = base.seq

    async def _pages(self, link: EngineLink, on_news: Callable[[], None]) -> None:
        line = self.line
        while line is not None and self.done < line.record.last:
            page = await link.ask(AskEntries(Seq(self.done), line.record.last))
            if page.last == self.done:
                self.why = f"the journal ends at entry {self.done}"
                return
            line.add(page)
            self.done = page.last
            on_news()
            if line.is_full:
                self.why = f"only the first {len(line):,} entries are held"
                return
