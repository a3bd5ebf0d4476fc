"""All keys of the browser with their meanings, read off the components that have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from textual.binding import Binding
from textual.dom import DOMNode

_SHOWN: Final = {
    "slash": "/",
    "question_mark": "?",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "dollar_sign": "$",
    "minus": "-",
    "plus": "+",
    "equals_sign": "=",
    "escape": "Esc",
    "enter": "Enter",
    "space": "Space",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "home": "Home",
    "end": "End",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
}


@dataclass(frozen=True, slots=True)
class Key:
    """A binding for people.

    Attributes:
        id: Name under which it can be bound to other keys.
        keys: The keys, as they are written.
        what: What it does, a few words.
    """

    id: str
    keys: str
    what: str


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """The keys of one part of the browser.

    Attributes:
        title: Where they work.
        keys: They.
    """

    title: str
    keys: tuple[Key, ...]


def key_groups() -> tuple[KeyGroup, ...]:
    """All keys, in the order in which people meet them."""
    from voyager.tui import dialog, facets_pane, jobs_screen, seed_grid, skill_table
    from voyager.tui.app import BrowserApp
    from voyager.tui.live import LivePane
    from voyager.tui.playback import Playback
    from voyager.tui.playback_screen import PlaybackScreen
    from voyager.tui.progress import ProgressPane
    from voyager.tui.skill_actions import SkillActions
    from voyager.tui.skills_view import FilterInput, SkillsView
    from voyager.tui.vim import CHOOSING, SCROLLING

    return (
        KeyGroup("Everywhere", _of(BrowserApp)),
        KeyGroup("The skill in view", _of(SkillActions)),
        KeyGroup("Skills", _of(SkillsView)),
        KeyGroup("The list", _of(skill_table.SkillTable)),
        KeyGroup("The filter", _of(FilterInput)),
        KeyGroup("Facets", _of(facets_pane.FacetsPane)),
        KeyGroup("The grid of scenes", _of(seed_grid.SeedGrid)),
        KeyGroup("Texts that scroll", tuple(map(_key, SCROLLING))),
        KeyGroup("Tables, lists and trees", tuple(map(_key, CHOOSING))),
        KeyGroup("Live", _of(LivePane)),
        KeyGroup("Progress", _of(ProgressPane)),
        KeyGroup("A film", (*_of(Playback), *_of(PlaybackScreen))),
        KeyGroup("Jobs", _of(jobs_screen.JobsScreen)),
        KeyGroup("Dialogs", (*_of(dialog.DeedDialog), *_of(dialog.ExportDialog))),
    )


def _of(owner: type[DOMNode]) -> tuple[Key, ...]:
    """A component's own keys."""
    bindings = [one for one in owner.__dict__.get("BINDINGS", ()) if isinstance(one, Binding)]
    return tuple(map(_key, bindings))


def _key(binding: Binding) -> Key:
    keys = ", ".join(_written(key) for key in binding.key.split(","))
    return Key(binding.id or "", keys, binding.description)


def _written(key: str) -> str:
    *held, last = key.split("+") if len(key) > 1 else [key]
    shown = _SHOWN.get(last, last)
    return "+".join([*(word.capitalize() for word in held), shown])
