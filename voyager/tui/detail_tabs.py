"""The tabs about one skill, and what is in them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeVar

from textual.widget import Widget
from textual.widgets import TabbedContent, TabPane, Tabs

from voyager.browsing.tabs import Tab
from voyager.browsing.told import (
    Attempts,
    Code,
    Contract,
    Graph,
    Lessons,
    Proof,
    Runs,
    Told,
    Versions,
)

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


class DetailTabs(TabbedContent):
    """Shows what is told about one skill; loads a pane when something is told that it shows."""

    def __init__(self, first: Tab, clock: Callable[[], datetime]) -> None:
        """Make blank tabs.

        Args:
            first: The one that is looked at.
            clock: Source of the present moment.
        """
        # Not as `initial`: that fails where the program ends while the names are being made.
        super().__init__()
        self._first = first
        self._named = False
        self._clock = clock
        for tab, title in _TITLES.items():
            self.compose_add_child(Leaf(title, id=tab.value))

    @property
    def tab(self) -> Tab:
        """The tab that is looked at."""
        return Tab(self.active) if self._named else self._first

    @property
    def inner(self) -> Widget | None:
        """What takes the keys in the tab that is looked at, if anything does."""
        pane = self.active_pane
        found = () if pane is None else pane.query("*")
        return next((one for one in found if one.focusable), None)

    def choose(self, tab: Tab) -> None:
        """Look at a tab, at once or when their names are there."""
        if self._named:
            self.active = tab.value
        else:
            self._first = tab

    def on_tabbed_content_tab_activated(self, event: TabbedContent.TabActivated) -> None:
        """Look at the one that was asked for, now that their names are there."""
        if self._named:
            return
        self._named = True
        if self.active != self._first.value:
            event.stop()
            self.active = self._first.value

    def focus_names(self) -> None:
        """Give the keys to the names of the tabs."""
        self.screen.set_focus(self.query_one(Tabs))

    async def fill(self, told: Told) -> None:
        """Show what a tab tells."""
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
