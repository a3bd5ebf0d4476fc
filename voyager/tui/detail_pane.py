"""Everything about one skill, in tabs that are read when they are looked at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.css.query import NoMatches
from textual.message import Message
from textual.timer import Timer
from textual.widget import MountError
from textual.widgets import Static
from textual.worker import get_current_worker

from env.errors import VoyagerError
from skill_store.browsing import Row
from voyager.browsing.tabs import Tab
from voyager.tui.text import QUIET, STATE_STYLES, STATES, bar, one_line, safe

if TYPE_CHECKING:
    from textual.widgets import TabbedContent

    from voyager.browsing.told import Told
    from voyager.tui.detail_tabs import DetailTabs

_PATIENCE: Final = 0.06
"""Seconds after which a skill is read: whoever runs down the list looks at none on the way."""


class DetailPane(Vertical):
    """Shows one skill.

    The tabs are made when a list is on the screen, and what is in one when it is looked at.
    """

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
        self._tabs: DetailTabs | None = None
        self._first: Tab | None = None
        self._asked: tuple[str, Tab] | None = None

    @property
    def row(self) -> Row | None:
        """The skill that is shown."""
        return self._row

    @property
    def tab(self) -> Tab:
        """The tab that is looked at."""
        return (self._first or Tab.CODE) if self._tabs is None else self._tabs.tab

    def told(self, tab: Tab) -> Told | None:
        """What a tab tells, if it was read."""
        return self._told.get(tab)

    def compose(self) -> ComposeResult:
        """A heading."""
        yield Static(id="detail-heading")

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
        self._asked = None
        if self._timer is not None:
            self._timer.stop()
        if again:
            self._read()
        else:
            self._timer = self.set_timer(_PATIENCE, self._read)

    def choose(self, tab: Tab) -> None:
        """Look at a tab."""
        if self._tabs is None:
            self._first = tab
        else:
            self._tabs.choose(tab)

    def focus_tab(self) -> None:
        """Give the keys to what is in the tab, at once or when it is there."""
        if self._tabs is None:
            self._wanted = True
            return
        inner = self._tabs.inner
        self._wanted = inner is None or self.tab not in self._told
        if inner is not None:
            inner.focus()
        else:
            self._tabs.focus_names()

    def turn(self, by: int) -> None:
        """Look at the tab beside; the keys go with it if they are here."""
        tabs = list(Tab)
        here = self.has_focus_within
        if here and self._tabs is not None:
            # What is about to be hidden must not have the keys: the next one would be lost.
            self._tabs.focus_names()
        self.choose(tabs[(tabs.index(self.tab) + by) % len(tabs)])
        if here:
            self.call_after_refresh(self.focus_tab)

    def on_tabbed_content_tab_activated(self, event: TabbedContent.TabActivated) -> None:
        """Read a tab that is looked at for the first time."""
        event.stop()
        self._read()

    async def on_detail_pane_tab_read(self, message: TabRead) -> None:
        """Show what was read, if it is still wanted."""
        self._asked = None
        if self._row is None or message.name != self._row.name or self._tabs is None:
            return
        if message.told is None:
            self.query_one("#detail-heading", Static).update(safe(message.error, "$text-error"))
            return
        try:
            await self._tabs.fill(message.told)
        except (MountError, NoMatches):
            # Whoever has left the browser is shown nothing more.
            if self.is_attached:
                raise
            return
        if self._row is None or message.name != self._row.name:
            return
        self._told[message.tab] = message.told
        if self._wanted and message.tab is self.tab:
            self.call_after_refresh(self.focus_tab)

    async def _begin(self) -> None:
        """Make the tabs. They and what they load would hold up the first list."""
        if self._tabs is not None:
            return
        from voyager.tui.detail_tabs import DetailTabs

        tabs = DetailTabs(self.tab, self._clock)
        if not self.is_attached:
            return
        await self.mount(tabs)
        self._tabs = tabs
        if self._first is not None:
            self.choose(self._first)

    def _read(self) -> None:
        if self._tabs is None:
            self.call_later(self._begin)
        if self._row is None or self.tab in self._told:
            return
        asked = self._row.name, self.tab
        if asked != self._asked:
            self._asked = asked
            self._read_tab(*asked)

    @work(thread=True, exclusive=True, group="tab", exit_on_error=False)
    def _read_tab(self, name: str, tab: Tab) -> None:
        from voyager.browsing.details import read_tab

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
