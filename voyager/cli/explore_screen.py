"""Shows an exploring run: a live screen in a terminal, one line an event in a pipe."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from voyager.cli import screen
from voyager.cli.progress import STAGE_WORDS, told
from voyager.cli.stopping import ASKED
from voyager.events import Event
from voyager.news import News, NewsWatch, Phase

_MOST_SHOWN: Final = 12
_BAR: Final = 28
_REFRESHES: Final = 4
"""A second."""
_TAGS: Final = {
    Phase.STARTED: "started",
    Phase.CHOSEN: "chosen",
    Phase.PAUSED: "paused",
    Phase.RESUMED: "resumed",
    Phase.STOPPING: "stopping",
    Phase.ENDED: "ended",
}


@dataclass(frozen=True, slots=True)
class SkillLine:
    """A certified skill as a screen shows it: name, goal, solved, of so many."""

    name: str
    goal: str
    k: int
    n: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a home stands.

    Attributes:
        skills: Certified skills, oldest first.
        attempts: Attempts so far, of all runs.
        reached: Milestones reached.
        milestones: Milestones in all.
    """

    skills: tuple[SkillLine, ...]
    attempts: int
    reached: int
    milestones: int

    def sentence(self) -> str:
        """The same for people."""
        if not self.attempts and not self.skills:
            return "A new home: nothing is learned yet."
        return (
            f"This home has {len(self.skills)} skills and {self.reached} of {self.milestones} "
            f"milestones; going on after attempt {self.attempts}."
        )


Look = Callable[[], Standing]
"""Reads where the home stands now."""


@contextmanager
def exploring(
    console: Console | None, look: Look, asked: Callable[[], bool]
) -> Iterator[NewsWatch]:
    """A watcher of an exploring run.

    Args:
        console: Where to show it; None shows nothing.
        look: Is asked again after each new skill.
        asked: Whether the user asked to stop.

    Yields:
        What to hand to the explorer.
    """
    if console is None:
        yield _nothing
    elif console.is_terminal:
        live = LiveScreen(look, asked)
        with Live(console=console, get_renderable=live.render, refresh_per_second=_REFRESHES):
            yield live
    else:
        yield Lines(console)


def _nothing(news: News) -> None:
    """Show nothing."""


class LiveScreen:
    """What is going on, on one screen."""

    def __init__(
        self, look: Look, asked: Callable[[], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Look at the home once.

        Args:
            look: Reads where it stands.
            asked: Whether the user asked to stop.
            clock: Monotonic seconds.
        """
        self._look = look
        self._asked = asked
        self._clock = clock
        self._began = clock()
        self._standing = look()
        self._news = News(Phase.STARTED, "starting")
        self._event: Event | None = None
        self._why = ""
        self._proposer = ""
        self._last = ""

    def __call__(self, news: News) -> None:
        """Take a piece of news; it is drawn with the next refresh."""
        if news.phase is Phase.CHOSEN:
            self._why, self._proposer, self._event = news.text, news.proposer, None
        elif news.phase is Phase.WORKING:
            self._event = news.event
        elif news.phase is Phase.SETTLED:
            self._last, self._why, self._event = news.text, "", None
            if news.skill is not None:
                self._standing = self._look()
        self._news = news

    def render(self) -> RenderableType:
        """The screen as it is now."""
        return Group(
            Rule(Text("exploring", style="bold"), align="left", style="dim"),
            self._under_way(),
            Rule(Text(self._tally(), style="bold"), align="left", style="dim"),
            self._skills(),
            Text(ASKED if self._asked() else "Ctrl-C stops after the attempt", style="dim"),
        )

    def _under_way(self) -> Table:
        news, event = self._news, self._event
        rows = Table.grid(padding=(0, 2))
        rows.add_column(style="dim", no_wrap=True)
        rows.add_column(overflow="fold")
        task = "choosing what to try next"
        if news.task is not None and news.phase is not Phase.SETTLED:
            task = news.task.goal.text
        elif news.phase in (Phase.WORKING, Phase.PAUSED):
            task = news.text
        rows.add_row("task", screen.text(task, "bold"))
        if self._why:
            by = f"{self._proposer}: " if self._proposer else ""
            rows.add_row("why", screen.text(by + self._why))
        if event is not None:
            rows.add_row("stage", _stage(event))
            if event.budget:
                rows.add_row("attempt", _bar(event.simulated_steps, event.budget))
        if news.budget:
            rows.add_row("run", _bar(news.simulated_steps, news.budget))
        else:
            rows.add_row("run", f"{news.simulated_steps:,} simulated steps")
        rows.add_row("time", _lasted(self._clock() - self._began))
        if self._last:
            rows.add_row("last", screen.text(self._last))
        return rows

    def _tally(self) -> str:
        standing = self._standing
        return (
            f"{self._news.attempts} attempts, {self._news.certified} certified; "
            f"{len(standing.skills)} skills here, milestones {standing.reached} of "
            f"{standing.milestones}"
        )

    def _skills(self) -> Table:
        made = Table.grid(padding=(0, 2))
        shown = self._standing.skills[-_MOST_SHOWN:]
        for line in reversed(shown):
            screen.add_row(made, screen.text(line.name, "green"), f"{line.k}/{line.n}", line.goal)
        left = len(self._standing.skills) - len(shown)
        if left:
            screen.add_row(made, screen.text(f"and {left} older", "dim"), "", "")
        return made


class Lines:
    """One plain line for each event that matters, written at once."""

    def __init__(self, console: Console) -> None:
        """Write to a console."""
        self._console = console

    def __call__(self, news: News) -> None:
        """Write a line, unless it is only about the attempt under way."""
        if news.phase is Phase.WORKING:
            return
        self._console.file.write(line(news) + "\n")
        self._console.file.flush()


def line(news: News) -> str:
    """A piece of news in one line."""
    if news.phase is Phase.SETTLED:
        tag = "learned" if news.skill is not None else "not learned"
    else:
        tag = _TAGS.get(news.phase, news.phase.value)
    text = news.text
    if news.task is not None and news.phase is Phase.CHOSEN:
        by = f"{news.proposer}: " if news.proposer else ""
        text = f"{news.task.goal.text} ({by}{news.text})"
    elif news.task is not None and news.skill is not None:
        text = f"{news.skill}: {news.task.goal.text}"
    shown = " ".join(screen.clean(text).split())
    return f"{_lasted(news.seconds):>9}  {news.simulated_steps:>12,}  {tag:<11}  {shown}"


def _stage(event: Event) -> Text:
    words = STAGE_WORDS.get(event.stage, event.stage.value)
    numbers = told(event, steps=False)
    return screen.text(f"{words} ({numbers})" if numbers else words)


def _bar(done: int, of: int) -> Table:
    row = Table.grid(padding=(0, 1))
    row.add_row(
        ProgressBar(total=of, completed=min(done, of), width=_BAR),
        f"{done:,} of {of:,} simulated steps",
    )
    return row


def _lasted(seconds: float) -> str:
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def skill_table(rows: Sequence[Sequence[str]]) -> Table:
    """The table of what was learned; the cells as they are to be shown."""
    made = screen.table("learned", "goal", "certified", "bound", "calls", "steps", "at step")
    for row in rows:
        screen.add_row(made, screen.text(row[0], "bold green"), *row[1:])
    return made
