"""The skills of a home: a list to filter and sort, and all about the one under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from env.errors import VoyagerError
from skill_store.browsing import Facet, Order, Question
from voyager.browsing.meaning import Meaning
from voyager.browsing.pages import STRETCH, Listing, read_counts, read_page, read_place
from voyager.tui.detail_pane import DetailPane
from voyager.tui.facets_pane import FacetsPane
from voyager.tui.skill_actions import SkillActions
from voyager.tui.skill_table import SkillTable
from voyager.tui.text import QUIET, one_line, safe

if TYPE_CHECKING:
    from voyager.tui.graph_pane import GraphPane

_TYPING: Final = 0.05  # seconds without a key until the list is read
_THINKING: Final = 0.25  # and until its meaning is asked for
_SHORTEST: Final = 3  # characters whose meaning is asked for
_ORDERS: Final = (
    (Order.AGE, "age, the newest first"),
    (Order.NAME, "name"),
    (Order.KIND, "kind of goal"),
    (Order.BOUND, "success bound, the highest first"),
    (Order.USES, "uses by other skills, the most first"),
    (Order.DEPTH, "depth, the deepest first"),
    (Order.STATE, "state, those in use first"),
    (Order.FIT, "how well they fit the filter"),
)


class FilterInput(Input):
    """The line in which a filter is typed."""

    HELP = "Words of a skill, or what it should do: `≈` marks what was found by its meaning."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave(True)", "Clear", id="filter.clear"),
        Binding("enter,down", "leave(False)", "To the list", key_display="⏎", id="filter.done"),
    ]

    class Left(Message):
        """The keys go back to the list."""

        def __init__(self, cleared: bool) -> None:
            """Take whether the filter was cleared."""
            super().__init__()
            self.cleared = cleared

    def action_leave(self, clear: bool) -> None:
        """Go back to the list."""
        if clear:
            self.value = ""
        self.post_message(self.Left(clear))


class SkillsView(SkillActions):
    """Shows the list and the details, side by side or in turn."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority it is done before the next key is looked at: nobody waits with typing.
        Binding("slash", "filter", "Filter", priority=True, id="skills.filter"),
        Binding("s", "sort", "Sort", id="skills.sort"),
        Binding("S", "turn", "Reverse", show=False, id="skills.turn"),
        Binding("f", "facets", "Facets", id="skills.facets"),
        Binding("left_square_bracket", "tab(-1)", "Tab before", show=False, id="detail.before"),
        Binding("right_square_bracket", "tab(1)", "Next tab", show=False, id="detail.next"),
        Binding("escape", "back", "Back", show=False, id="skills.back"),
        Binding("ctrl+r", "read_again", "Read again", show=False, id="skills.read_again"),
    ]

    class PageRead(Message):
        """A stretch of the list was read."""

        def __init__(self, listing: Listing, keep: str | None, more: bool) -> None:
            """Take it.

            Args:
                listing: What was read.
                keep: Name of the skill that the cursor stays on.
                more: Whether it is a further page of the list that is shown.
            """
            super().__init__()
            self.listing = listing
            self.keep = keep
            self.more = more

    class CountsRead(Message):
        """The facets were counted."""

        def __init__(self, counts: Mapping[Facet, Mapping[str, int]]) -> None:
            """Take the numbers."""
            super().__init__()
            self.counts = counts

    class Failed(Message):
        """Something could not be read."""

        def __init__(self, sentence: str) -> None:
            """Take what to tell."""
            super().__init__()
            self.sentence = sentence

    class Listed(Message):
        """The list is another one now."""

        def __init__(self, listing: Listing) -> None:
            """Take it."""
            super().__init__()
            self.listing = listing

    def __init__(self, home: Path, clock: Callable[[], datetime], id: str | None = None) -> None:
        """Take the home and the source of the present moment."""
        super().__init__(home, id=id)
        self._clock = clock
        self._meaning = Meaning(home)
        self._typing: Timer | None = None
        self._thinking: Timer | None = None
        self._sorted = Order.AGE
        self._asking = False
        self._listing: Listing | None = None
        self.question = Question()
        """What the list answers."""

    def compose(self) -> ComposeResult:
        """Facets, the list with its filter, the details."""
        yield FacetsPane()
        with Vertical(id="list-side"):
            yield FilterInput(placeholder="/ filter by words or meaning", compact=True)
            yield Static(id="list-note")
            yield SkillTable(self._clock, STRETCH)
        yield DetailPane(self._home, self._clock)

    def on_mount(self) -> None:
        """Read the first page."""
        self.query_one(FacetsPane).display = False
        self.query_one("#list-note").display = False
        self._read_page(self.question, 0, None, False)

    async def on_unmount(self) -> None:
        """End the searching process."""
        await self._meaning.close()

    # What others call

    def read_again(self) -> None:
        """Read list and details anew, the cursor stays where it is."""
        table = self.query_one(SkillTable)
        keep = None if table.row is None else table.row.name
        self._read_page(self.question, table.cursor // STRETCH * STRETCH, keep, False)
        if self.query_one(FacetsPane).display:
            self._count(self.question)

    def ask(self, text: str) -> None:
        """Filter by words and meaning, as if they had been typed."""
        self.query_one(FilterInput).value = text

    def go_to(self, name: str) -> None:
        """Put the cursor on a skill, whatever the filter is; every filter is let go for it."""
        self.query_one(FacetsPane).chosen = {}
        with self.prevent(Input.Changed):
            self.query_one(FilterInput).value = ""
        self.question = Question(order=self._sorted, backwards=self.question.backwards)
        self._find(self.question, name)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where text is typed, a slash is a letter."""
        return not (action == "filter" and isinstance(self.screen.focused, Input))

    def action_filter(self) -> None:
        """Type a filter."""
        self.remove_class("-detail")
        # At once, and not after what is waiting: somebody may be typing already.
        self.screen.set_focus(self.query_one(FilterInput))

    @work
    async def action_sort(self) -> None:
        """Choose what the list is sorted by."""
        from voyager.tui.dialog import ChoiceDialog

        choices = [(order.value, words) for order, words in _ORDERS]
        dialog = ChoiceDialog("sort by", choices, self.question.order.value)
        chosen = await self.app.push_screen_wait(dialog)
        if chosen is not None:
            self._sort(Order(chosen), False)

    def action_turn(self) -> None:
        """Sort the other way round."""
        self._sort(self.question.order, not self.question.backwards)

    def action_facets(self) -> None:
        """Show what splits the list, or hide it."""
        pane = self.query_one(FacetsPane)
        pane.display = not pane.display
        if pane.display:
            self.remove_class("-detail")
            self._count(self.question)
            self.screen.set_focus(pane)
        else:
            self.screen.set_focus(self.query_one(SkillTable))

    def action_tab(self, by: int) -> None:
        """Look at the tab beside, from the list too."""
        self.query_one(DetailPane).turn(by)

    def action_back(self) -> None:
        """From the details to the list; from the list to all skills."""
        table, facets = self.query_one(SkillTable), self.query_one(FacetsPane)
        if facets.has_focus:
            facets.display = False
        elif table.has_focus and self.question.narrowed:
            facets.chosen = {}
            self.query_one(FilterInput).value = ""
            self._ask(replace(self.question, text="", near={}, chosen={}, order=self._sorted))
        self.remove_class("-detail")
        self.screen.set_focus(table)

    def action_read_again(self) -> None:
        """Read everything anew."""
        self.read_again()

    # What comes

    @on(Input.Changed)
    def filter_changed(self, event: Input.Changed) -> None:
        """Read the list a moment after the last key."""
        event.stop()
        for timer in (self._typing, self._thinking):
            if timer is not None:
                timer.stop()
        self._typing = self.set_timer(_TYPING, self._filter)
        self._asking = len(event.value.strip()) >= _SHORTEST
        if self._asking:
            self._thinking = self.set_timer(_THINKING, self._think)

    @on(FilterInput.Left)
    def filter_left(self, event: FilterInput.Left) -> None:
        """The keys go to the list."""
        event.stop()
        self.screen.set_focus(self.query_one(SkillTable))

    @on(FacetsPane.Changed)
    def facets_changed(self, event: FacetsPane.Changed) -> None:
        """Narrow the list."""
        event.stop()
        self._ask(replace(self.question, chosen=event.chosen))

    @on(SkillTable.SortAsked)
    def sort_asked(self, event: SkillTable.SortAsked) -> None:
        """Sort by a heading; once more turns it round."""
        event.stop()
        again = event.order is self.question.order
        self._sort(event.order, again and not self.question.backwards)

    @on(SkillTable.Wanted)
    def page_wanted(self, event: SkillTable.Wanted) -> None:
        """Read another page of the same list."""
        event.stop()
        self._read_more(self.question, event.offset)

    @on(SkillTable.Highlighted)
    def skill_highlighted(self, event: SkillTable.Highlighted) -> None:
        """Show the skill under the cursor."""
        event.stop()
        self.query_one(DetailPane).show(event.row)

    @on(SkillTable.Opened)
    def skill_opened(self, event: SkillTable.Opened) -> None:
        """Give the keys to the details."""
        event.stop()
        self.add_class("-detail")
        self.query_one(DetailPane).focus_tab()

    def on_graph_pane_skill_asked(self, event: GraphPane.SkillAsked) -> None:
        """Go to another skill."""
        event.stop()
        self.go_to(event.name)

    @on(PageRead)
    def page_read(self, event: PageRead) -> None:
        """Show what was read, if it answers what is asked now."""
        event.stop()
        listing, table = event.listing, self.query_one(SkillTable)
        if listing.question != self.question:
            return
        if event.more:
            table.add(listing.page)
            return
        question = listing.question
        table.show(listing.page, question.order, question.backwards, keep=event.keep)
        if event.keep is not None:
            self.query_one(DetailPane).show(table.row, again=True)
        self._listing = listing
        self._note(listing)
        self.post_message(self.Listed(listing))

    @on(CountsRead)
    def counts_read(self, event: CountsRead) -> None:
        """Show the numbers."""
        event.stop()
        self.query_one(FacetsPane).show(event.counts)

    # Inside

    def _filter(self) -> None:
        text = self.query_one(FilterInput).value
        order = Order.FIT if text.strip() else self._sorted
        if text != self.question.text:
            self._ask(replace(self.question, text=text, near={}, order=order))

    def _think(self) -> None:
        self._ask_meaning(self.query_one(FilterInput).value)

    def _sort(self, order: Order, backwards: bool) -> None:
        self._sorted = order
        self._ask(replace(self.question, order=order, backwards=backwards))

    def _ask(self, question: Question) -> None:
        if question == self.question:
            return
        self.question = question
        self._read_page(question, 0, None, False)
        if self.query_one(FacetsPane).display:
            self._count(question)

    def _note(self, listing: Listing) -> None:
        note = self.query_one("#list-note", Static)
        note.display = listing.question.narrowed or not listing.home_total
        if not listing.home_total:
            note.update(
                safe(
                    "This library is empty. Teach it something in another window:\n"
                    "voyager learn 'lifted(block)' --param block=block"
                )
            )
        elif listing.question.narrowed:
            asking = ", asking for its meaning" if self._asking else ""
            note.update(safe(_narrowed(listing) + asking, QUIET))

    @work(exclusive=True, group="meaning", exit_on_error=False)
    async def _ask_meaning(self, text: str) -> None:
        near = await self._meaning.near(text)
        if text == self.question.text:
            self._asking = False
            if self._listing is not None:
                self._note(self._listing)
        if near and text == self.question.text:
            question = replace(self.question, near=near)
            row = self.query_one(SkillTable).row
            at_top = self.query_one(SkillTable).cursor == 0
            self.question = question
            self._read_page(question, 0, None if at_top or row is None else row.name, False)

    @work(thread=True, exclusive=True, group="page", exit_on_error=False)
    def _read_page(self, question: Question, offset: int, keep: str | None, more: bool) -> None:
        self._fetch(question, offset, keep, more)

    @work(thread=True, group="more", exit_on_error=False)
    def _read_more(self, question: Question, offset: int) -> None:
        self._fetch(question, offset, None, True)

    @work(thread=True, exclusive=True, group="page", exit_on_error=False)
    def _find(self, question: Question, name: str) -> None:
        try:
            place = read_place(self._home, question, name)
        except VoyagerError as error:
            self.post_message(self.Failed(str(error)))
            return
        if place is None:
            self.post_message(self.Failed(f"no skill is called {name!r} any more"))
        self._fetch(question, (place or 0) // STRETCH * STRETCH, name, False)

    @work(thread=True, exclusive=True, group="counts", exit_on_error=False)
    def _count(self, question: Question) -> None:
        try:
            counts = read_counts(self._home, question)
        except VoyagerError as error:
            self.post_message(self.Failed(str(error)))
            return
        if not get_current_worker().is_cancelled:
            self.post_message(self.CountsRead(counts))

    def _fetch(self, question: Question, offset: int, keep: str | None, more: bool) -> None:
        try:
            listing = read_page(self._home, question, offset)
        except VoyagerError as error:
            self.post_message(self.Failed(str(error)))
            return
        if not get_current_worker().is_cancelled:
            self.post_message(self.PageRead(listing, keep, more))


def _narrowed(listing: Listing) -> str:
    parts = [f"{listing.page.total:,} of {listing.home_total:,}"]
    parts += [
        f"{facet.value}: {' or '.join(one_line(value) for value in sorted(values))}"
        for facet, values in listing.question.chosen.items()
        if values
    ]
    return ", ".join(parts)
