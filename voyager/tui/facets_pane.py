"""What splits the list into parts: each value with its number, to be chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from skill_store.browsing import Facet
from voyager.tui.text import one_line, safe
from voyager.tui.vim import CHOOSING

_TITLES = {
    Facet.STATE: "state",
    Facet.KIND: "kind of goal",
    Facet.ORIGIN: "how it came about",
    Facet.EVIDENCE: "evidence from",
}


class FacetsPane(OptionList):
    """Shows the values of all facets."""

    HELP = "Space chooses a value; several of one facet mean any of them. `c` lets all go."
    BINDINGS: ClassVar[list[BindingType]] = [
        *CHOOSING,
        Binding("space", "select", "Choose", id="facets.choose"),
        Binding("c", "clear_choice", "Let all go", id="facets.clear"),
    ]

    class Changed(Message):
        """Other values are chosen."""

        def __init__(self, chosen: Mapping[Facet, frozenset[str]]) -> None:
            """Take the chosen values by facet."""
            super().__init__()
            self.chosen = chosen

    def __init__(self) -> None:
        """Show nothing yet."""
        super().__init__()
        self.chosen: dict[Facet, frozenset[str]] = {}
        self._rows: list[tuple[Facet, str]] = []

    def show(self, counts: Mapping[Facet, Mapping[str, int]]) -> None:
        """Show values and numbers; the cursor stays where it is."""
        at = self.highlighted
        self.clear_options()
        self._rows = []
        made: list[Option] = []
        for facet, values in counts.items():
            chosen = self.chosen.get(facet, frozenset())
            # What is chosen stays in sight, even when nothing is left of it.
            shown = {**values, **{value: 0 for value in sorted(chosen - values.keys())}}
            made.append(Option(safe(_TITLES[facet], "bold $text-secondary"), disabled=True))
            self._rows.append((facet, ""))
            for value, number in shown.items():
                sign = "✓" if value in chosen else " "
                style = "bold" if value in chosen else ""
                text = Content.styled(f"{sign} {one_line(value):<16.16}{number:>6,}", style)
                made.append(Option(text))
                self._rows.append((facet, value))
        self.add_options(made)
        self.highlighted = min(at, len(made) - 1) if at is not None and made else 1

    def clear(self) -> None:
        """Let all values go, and tell."""
        self.chosen = {}
        self.post_message(self.Changed({}))

    def action_clear_choice(self) -> None:
        """Let all values go."""
        self.clear()

    @on(OptionList.OptionSelected)
    def _select(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        facet, value = self._rows[event.option_index]
        before = self.chosen.get(facet, frozenset())
        after = before ^ {value}
        self.chosen = {**self.chosen, facet: after}
        if not after:
            del self.chosen[facet]
        self.post_message(self.Changed(dict(self.chosen)))
