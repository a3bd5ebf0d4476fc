"""The palette: every action by its name, and every skill."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from env.errors import VoyagerError
from skill_store.browsing import Order, Question
from voyager.browsing.pages import read_page
from voyager.tui.skills_view import SkillsView
from voyager.tui.text import one_line

if TYPE_CHECKING:
    from voyager.tui.app import BrowserApp

_MOST: Final = 12
"""Skills that the palette offers at a time."""


class Actions(Provider):
    """Offers what can be done."""

    async def discover(self) -> Hits:
        """Everything, before anything is typed."""
        for name, run in self._known():
            yield DiscoveryHit(name, run)

    async def search(self, query: str) -> Hits:
        """What fits the words."""
        matcher = self.matcher(query)
        for name, run in self._known():
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, matcher.highlight(name), run)

    def _known(self) -> list[tuple[str, Callable[[], object]]]:
        app = cast("BrowserApp", self.app)
        view = app.query_one(SkillsView)
        found: list[tuple[str, Callable[[], object]]] = []
        for node in (view, app):
            # Those of the base classes too: what can be done with a skill is one of them.
            bindings = {one.action: one for _, one in node._bindings}
            found += [
                (one.description, partial(app.run_action, one.action, node))
                for one in bindings.values()
                if one.id and one.description
            ]
        return found


class Skills(Provider):
    """Offers skills to go to."""

    async def search(self, query: str) -> Hits:
        """Those with the words."""
        app = cast("BrowserApp", self.app)
        question = Question(text=query, order=Order.FIT)
        try:
            listing = await asyncio.to_thread(read_page, app.home, question, 0, _MOST)
        except VoyagerError:
            return
        matcher = self.matcher(query)
        for row in listing.page.rows:
            name = one_line(row.name)
            score = matcher.match(name) or 0.1
            yield Hit(
                score,
                matcher.highlight(name),
                partial(app.go_to, row.name),
                help=one_line(row.goal).replace("[", "\\["),
            )
