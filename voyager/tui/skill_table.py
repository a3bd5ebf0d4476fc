"""The list of skills: as long as it may be, only the lines in view are drawn and asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from skill_store.browsing import Order, Page, Row
from voyager.tui.text import STATES, ago, bar, cut, goal_kind, one_line

_BAR: Final = 8
_GAP: Final = 1


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list.

    Attributes:
        order: What a click on its heading sorts by.
        heading: Its heading.
        width: Columns of the terminal; 0 for a share of what is left.
        least: Width of the list from which on it is shown.
    """

    order: Order
    heading: str
    width: int
    least: int


COLUMNS: Final = (
    Column(Order.STATE, "", 1, 0),
    Column(Order.NAME, "name", 0, 0),
    Column(Order.KIND, "goal", 0, 40),
    Column(Order.BOUND, "success ≥", _BAR + 5, 0),
    Column(Order.USES, "uses", 5, 52),
    Column(Order.DEPTH, "depth", 6, 73),
    Column(Order.AGE, "age", 4, 34),
)
_NUMBERS: Final = frozenset({Order.USES, Order.DEPTH, Order.AGE})
"""Columns that stand at their right edge."""


class SkillTable(ScrollView, can_focus=True):
    """Draws pages of skills that others read; asks for those that it lacks."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "skill-table--heading",
        "skill-table--sorted",
        "skill-table--cursor",
        "skill-table--blurred",
        "skill-table--quiet",
        "skill-table--active",
        "skill-table--probation",
        "skill-table--stale",
        "skill-table--retired",
        "skill-table--kind",
        "skill-table--track",
    }
    HELP = "All skills of this home. Click a heading, or press `s`, to sort."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "down", "Next", show=False, id="list.down"),
        Binding("k,up", "up", "Previous", show=False, id="list.up"),
        Binding("g,home", "first", "First", show=False, id="list.first"),
        Binding("G,end", "last", "Last", show=False, id="list.last"),
        Binding("ctrl+d,pagedown", "page_down", "Page down", show=False, id="list.page_down"),
        Binding("ctrl+u,pageup", "page_up", "Page up", show=False, id="list.page_up"),
        Binding("enter,l,right", "open", "Open", key_display="⏎", id="list.open"),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)
    """Place of the skill under the cursor, from 0."""

    class Wanted(Message):
        """Skills that are in view are not here yet."""

        def __init__(self, offset: int) -> None:
            """Take the offset of the page that is wanted."""
            super().__init__()
            self.offset = offset

    class Highlighted(Message):
        """The cursor stands on a skill; None on an empty list."""

        def __init__(self, row: Row | None) -> None:
            """Take the skill."""
            super().__init__()
            self.row = row

    class Opened(Message):
        """A skill is to be looked at."""

        def __init__(self, row: Row) -> None:
            """Take the skill."""
            super().__init__()
            self.row = row

    class SortAsked(Message):
        """A heading was clicked."""

        def __init__(self, order: Order) -> None:
            """Take what it sorts by."""
            super().__init__()
            self.order = order

    def __init__(self, clock: Callable[[], datetime], stretch: int, id: str | None = None) -> None:
        """Make an empty list.

        Args:
            clock: Source of the present moment.
            stretch: Skills of a page.
            id: Of the widget.
        """
        super().__init__(id=id)
        self._clock = clock
        self._stretch = stretch
        self._pages: dict[int, tuple[Row, ...]] = {}
        self._asked: set[int] = set()
        self._total: int | None = None
        self._order: Order = Order.AGE
        self._backwards = False
        self._told: Row | None = None

    @property
    def total(self) -> int:
        """How many skills the list holds."""
        return self._total or 0

    @property
    def loaded(self) -> bool:
        """Whether a first page has come."""
        return self._total is not None

    @property
    def row(self) -> Row | None:
        """The skill under the cursor, if it is here."""
        return self._at(self.cursor)

    def show(self, page: Page, order: Order, backwards: bool, *, keep: str | None = None) -> None:
        """Begin a list anew with one of its pages.

        Args:
            page: The page that holds the cursor.
            order: What it is sorted by.
            backwards: Whether it begins with what would be last.
            keep: Name of the skill that the cursor stays on, if the page holds it.
        """
        self._pages = {page.offset // self._stretch: page.rows}
        self._asked.clear()
        self._order, self._backwards = order, backwards
        self._total = page.total
        self.virtual_size = Size(0, page.total + 1)
        names = [row.name for row in page.rows]
        if keep is not None and keep in names:
            cursor = page.offset + names.index(keep)
        else:
            cursor = max(0, min(self.cursor if keep is not None else 0, page.total - 1))
        self.set_reactive(SkillTable.cursor, cursor)
        self._follow(always=True)
        self.refresh()

    def add(self, page: Page) -> None:
        """Take another page of the same list."""
        if page.total != self._total:
            return  # the list has changed meanwhile; it is read again as a whole
        number = page.offset // self._stretch
        self._pages[number] = page.rows
        self._asked.discard(number)
        self._tell()
        self.refresh()

    # Drawing

    def render_line(self, y: int) -> Strip:
        """Draw one line of the view."""
        width = self.size.width
        columns = self._columns(width)
        base = self.rich_style
        if y == 0:
            return self._heading(columns, width)
        index = round(self.scroll_y) + y - 1
        if index >= self.total:
            return Strip.blank(width, base)
        row = self._at(index)
        on = index == self.cursor
        if on:
            focused = "cursor" if self.has_focus else "blurred"
            over = self.get_component_rich_style(f"skill-table--{focused}")
        else:
            over = base
        if row is None:
            self._want(index)
            return Strip([Segment(cut(" …", width), over)], width)
        segments = [Segment(" ", over)]
        for column, size in columns:
            for text, name in self._cell(column.order, row, size):
                style = over
                if name and not on:
                    # Whole, so that a colour that is half transparent is mixed with what is below.
                    style = over + self.get_component_rich_style(f"skill-table--{name}")
                segments.append(Segment(text, style))
            segments.append(Segment(" " * _GAP, over))
        return Strip(segments).adjust_cell_length(width, over)

    def _heading(self, columns: list[tuple[Column, int]], width: int) -> Strip:
        plain = self.get_component_rich_style("skill-table--heading")
        chosen = self.get_component_rich_style("skill-table--sorted")
        segments = [Segment(" ", plain)]
        for column, size in columns:
            on = column.order is self._order
            mark = ("▴" if self._backwards else "▾") if on else ""
            told = column.heading + mark
            text = told.rjust(size) if column.order in _NUMBERS else cut(told, size)
            segments += [Segment(text, chosen if on else plain), Segment(" " * _GAP, plain)]
        return Strip(segments).adjust_cell_length(width, plain)

    def _cell(self, order: Order, row: Row, size: int) -> list[tuple[str, str]]:
        """The texts of a cell, each with the name of its style."""
        match order:
            case Order.STATE:
                return [(STATES.get(row.state, "?"), row.state)]
            case Order.NAME:
                told = f"{one_line(row.name)}{' *' if row.pinned else ''}"
                return [(cut(f"≈ {told}" if row.score is not None else told, size), "")]
            case Order.KIND:
                return [(cut(goal_kind(row.kinds), size), "kind")]
            case Order.BOUND:
                if row.bound is None:
                    return [(cut(f"{row.k}/{row.n} not yet", size), "quiet")]
                name = row.state if row.state in STATES else "quiet"
                reached, rest = bar(row.bound, _BAR)
                return [(reached, name), (rest, "track"), (f" {row.bound:4.0%}", name)]
            case Order.USES:
                return [((str(row.calls) if row.calls else "-").rjust(size), "quiet")]
            case Order.DEPTH:
                return [(str(row.depth).rjust(size), "quiet")]
            case _:
                return [(ago(row.added_at, self._clock()).rjust(size), "quiet")]

    def _columns(self, width: int) -> list[tuple[Column, int]]:
        shown = [column for column in COLUMNS if width >= column.least]
        fixed = 1 + sum(column.width + _GAP for column in shown)
        free = [column for column in shown if column.width == 0]
        left = max(width - fixed, 8 * len(free))
        # The name gets more than its share: it is what people look for.
        sizes = {Order.NAME: left if len(free) == 1 else left * 7 // 10}
        sizes[Order.KIND] = left - sizes[Order.NAME]
        return [(column, column.width or sizes[column.order]) for column in shown]

    # Moving

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor in the list."""
        return max(0, min(cursor, self.total - 1))

    def watch_cursor(self, before: int, after: int) -> None:
        """Draw the two lines, and bring the cursor into view."""
        self._follow()

    def action_down(self) -> None:
        """One skill down."""
        self.cursor += 1

    def action_up(self) -> None:
        """One skill up."""
        self.cursor -= 1

    def action_first(self) -> None:
        """The first skill."""
        self.cursor = 0

    def action_last(self) -> None:
        """The last skill."""
        self.cursor = self.total - 1

    def action_page_down(self) -> None:
        """A view down."""
        self.cursor += max(1, self.size.height - 2)

    def action_page_up(self) -> None:
        """A view up."""
        self.cursor -= max(1, self.size.height - 2)

    def action_open(self) -> None:
        """Look at the skill under the cursor."""
        if self.row is not None:
            self.post_message(self.Opened(self.row))

    def on_click(self, event: events.Click) -> None:
        """Choose a skill, open it with a second click, or sort by a heading."""
        if event.y == 0:
            at = 1
            for column, size in self._columns(self.size.width):
                if at <= event.x < at + size + _GAP:
                    self.post_message(self.SortAsked(column.order))
                at += size + _GAP
            return
        index = round(self.scroll_y) + event.y - 1
        if index < self.total:
            self.cursor = index
            if event.chain == 2:
                self.action_open()

    def on_focus(self) -> None:
        """The cursor is drawn in another colour."""
        self.refresh()

    def on_blur(self) -> None:
        """Likewise."""
        self.refresh()

    # Inside

    def _at(self, index: int) -> Row | None:
        page = self._pages.get(index // self._stretch, ())
        within = index % self._stretch
        return page[within] if 0 <= within < len(page) else None

    def _want(self, index: int) -> None:
        number = index // self._stretch
        if number not in self._asked:
            self._asked.add(number)
            self.post_message(self.Wanted(number * self._stretch))

    def _follow(self, *, always: bool = False) -> None:
        room = max(1, self.size.height - 1)
        top = round(self.scroll_y)
        if not top <= self.cursor < top + room:
            wanted = self.cursor if self.cursor < top else self.cursor - room + 1
            self.scroll_to(y=wanted, animate=False)
        self.refresh(Region(0, 0, self.size.width, self.size.height))
        if self.row is None and self.total:
            self._want(self.cursor)
        self._tell(always=always)

    def _tell(self, *, always: bool = False) -> None:
        row = self.row
        if always or row != self._told:
            self._told = row
            if row is not None or not self.total:
                self.post_message(self.Highlighted(row))
