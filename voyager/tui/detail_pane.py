"""Everything about one skill, in tabs that are read when they are looked at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static, TabbedContent, TabPane, Tabs
from textual.worker import get_current_worker

from env.errors import VoyagerError
from skill_store.browsing import Row
from voyager.browsing.details import read_tab
from voyager.browsing.told import (
    Attempts,
    Code,
    Contract,
    Graph,
    Lessons,
    Proof,
    Runs,
    Tab,
    Told,
    Versions,
)
from voyager.tui.text import QUIET, STATE_STYLES, STATES, bar, one_line, safe

_PATIENCE: Final = 0.06
"""Seconds after which a skill is read: whoever runs down the list looks at none on the way."""
_TITLES: Final = {
    Tab.CODE: "Code",
    Tab.CONTRACT: "Contract",
    Tab.CERTIFICATE: "Proof",
    Tab.GRAPH: "Calls",
    Tab.VERSIONS: "Versions",
    Tab.ATTEMPTS: "Attempts",
    Tab.LESSONS: "Lessons",
    Tab.RUNS: "Runs",
}


_Pane = TypeVar("_Pane", bound=Widget)


class Leaf(TabPane):
    """A tab that is blank until something is in it."""

    def render(self) -> str:
        """Nothing; what is in it draws itself."""
        return ""


class DetailPane(Vertical):
    """Shows one skill. What is in a tab is made when the tab is looked at for the first time."""

    class TabRead(Message):
        """A tab was read."""

        def __init__(self, name: str, tab: Tab, told: Told | None, error: str) -> None:
            """Take what it tells, or why it cannot be told."""
            super().__init__()
            self.name = name
            self.tab = tab
            self.told = told
            self.error = error

    def __init__(self, home: Path, clock: Callable[[], datetime]) -> None:
        """Take the home and the source of the present moment."""
        super().__init__()
        self._home = home
        self._clock = clock
        self._row: Row | None = None
        self._told: dict[Tab, Told] = {}
        self._timer: Timer | None = None
        self._wanted = False

    @property
    def row(self) -> Row | None:
        """The skill that is shown."""
        return self._row

    @property
    def tab(self) -> Tab:
        """The tab that is looked at."""
        return Tab(self.query_one(TabbedContent).active)

    def told(self, tab: Tab) -> Told | None:
        """What a tab tells, if it was read."""
        return self._told.get(tab)

    def compose(self) -> ComposeResult:
        """A heading, and the tabs."""
        yield Static(id="detail-heading")
        with TabbedContent(initial=Tab.CODE.value):
            for tab, title in _TITLES.items():
                yield Leaf(title, id=tab.value)

    def show(self, row: Row | None, *, again: bool = False) -> None:
        """Show a skill.

        Args:
            row: The skill; None for none.
            again: Whether it is read anew although it is shown already.
        """
        same = row is not None and self._row is not None and row.name == self._row.name
        self._row = row
        self._head()
        if same and not again:
            return
        self._told = {}
        if self._timer is not None:
            self._timer.stop()
        if again:
            self._read()
        else:
            self._timer = self.set_timer(_PATIENCE, self._read)

    def choose(self, tab: Tab) -> None:
        """Look at a tab."""
        self.query_one(TabbedContent).active = tab.value

    def focus_tab(self) -> None:
        """Give the keys to what is in the tab, at once or when it is there."""
        pane = self.query_one(TabbedContent).active_pane
        inner = [] if pane is None else [one for one in pane.query("*") if one.focusable]
        self._wanted = not inner or self.tab not in self._told
        if inner:
            inner[0].focus()
        elif pane is not None:
            self.query_one(Tabs).focus()

    def turn(self, by: int) -> None:
        """Look at the tab beside; the keys go with it if they are here."""
        tabs = list(Tab)
        here = self.has_focus_within
        if here:
            # What is about to be hidden must not have the keys: the next one would be lost.
            self.screen.set_focus(self.query_one(Tabs))
        self.choose(tabs[(tabs.index(self.tab) + by) % len(tabs)])
        if here:
            self.call_after_refresh(self.focus_tab)

    def on_tabbed_content_tab_activated(self, event: TabbedContent.TabActivated) -> None:
        """Read a tab that is looked at for the first time."""
        event.stop()
        self._read()

    async def on_detail_pane_tab_read(self, message: TabRead) -> None:
        """Show what was read, if it is still wanted."""
        if self._row is None or message.name != self._row.name:
            return
        if message.told is None:
            self.query_one("#detail-heading", Static).update(safe(message.error, "$text-error"))
            return
        await self._fill(message.told)
        if self._row is None or message.name != self._row.name:
            return
        self._told[message.tab] = message.told
        if self._wanted and message.tab is self.tab:
            self.call_after_refresh(self.focus_tab)

    async def _fill(self, told: Told) -> None:
        """Show what a tab tells. Loading all of the panes would hold up the first screen."""
        match told:
            case Code():
                from voyager.tui.code_pane import CodePane

                (await self._in(Tab.CODE, CodePane)).show(told)
            case Contract():
                from voyager.tui.contract_pane import ContractPane

                (await self._in(Tab.CONTRACT, ContractPane)).show(told)
            case Proof():
                from voyager.tui.certificate_pane import CertificatePane

                await (await self._in(Tab.CERTIFICATE, CertificatePane)).show(told)
            case Graph():
                from voyager.tui.graph_pane import GraphPane

                (await self._in(Tab.GRAPH, GraphPane)).show(told)
            case Versions():
                from voyager.tui.versions_pane import VersionsPane

                (await self._in(Tab.VERSIONS, VersionsPane, self._clock)).show(told)
            case Attempts():
                from voyager.tui.attempts_pane import AttemptsPane

                (await self._in(Tab.ATTEMPTS, AttemptsPane, self._clock)).show(told)
            case Lessons():
                from voyager.tui.lessons_pane import LessonsPane

                (await self._in(Tab.LESSONS, LessonsPane)).show(told)
            case Runs():
                from voyager.tui.runs_pane import RunsPane

                (await self._in(Tab.RUNS, RunsPane, self._clock)).show(told)

    async def _in(self, tab: Tab, kind: type[_Pane], *given: Any) -> _Pane:
        """What is in a tab, made of what is given if it is not there yet."""
        pane = self.query_one(f"#{tab.value}", TabPane)
        if not pane.query(kind):
            await pane.mount(kind(*given))
        return pane.query_one(kind)

    def _read(self) -> None:
        if self._row is not None and self.tab not in self._told:
            self._read_tab(self._row.name, self.tab)

    @work(thread=True, exclusive=True, group="tab", exit_on_error=False)
    def _read_tab(self, name: str, tab: Tab) -> None:
        told, error = None, ""
        try:
            told = read_tab(self._home, name, tab)
        except VoyagerError as wrong:
            error = str(wrong)
        if not get_current_worker().is_cancelled:
            self.post_message(self.TabRead(name, tab, told, error))

    def _head(self) -> None:
        row = self._row
        heading = self.query_one("#detail-heading", Static)
        if row is None:
            heading.update("")
            return
        style = STATE_STYLES.get(row.state, "")
        parts: list[str | Content | tuple[str, str]] = [
            (one_line(row.name), "bold"),
            "  ",
            (f"{STATES.get(row.state, '?')} {one_line(row.state)}", style),
        ]
        if row.pinned:
            parts.append(("  pinned", "$text-accent"))
        if row.bound is None:
            parts.append((f"  {row.k} of {row.n} unseen scenes, no bound yet", QUIET))
        else:
            reached, rest = bar(row.bound, 10)
            parts += [(f"  {reached}", style), (rest, "$foreground 25%")]
            parts.append((f"  ≥ {row.bound:.1%}", style))
        if row.calls:
            parts.append((f"  kept {row.kept} of {row.calls} calls", QUIET))
        heading.update(Content.assemble(*parts, "\n", (one_line(row.goal), "$text-secondary")))
