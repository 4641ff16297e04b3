"""Bringing a session's journal over the link, page by page; it can be cancelled at any moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
        try:
            await self._run(link, on_news)
        except (ConnectionError, DomainError) as error:
            self.why = str(error)
        finally:
            self.is_over = True
            on_news()

    async def _run(self, link: EngineLink, on_news: Callable[[], None]) -> None:
        record = await link.ask(AskSession(self.session))
        base = (await link.ask(AskStart(self.session))).state
        line = self.line = Timeline(record, link.unfold)
        line.base(base)
        self.first = self.done = base.seq
        while self.done < record.last:
            page = await link.ask(AskEntries(Seq(self.done), record.last))
            if page.last == self.done:
                self.why = f"the journal ends at entry {self.done}"
                return
            line.add(page)
            self.done = page.last
            on_news()
            if line.is_full:
                self.why = f"only the first {len(line):,} entries are held"
                return
