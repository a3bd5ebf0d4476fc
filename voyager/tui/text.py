"""How values look in a terminal: cleaned of whatever could steer it, short, and never markup."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from rich.table import Table
from rich.text import Text
from textual.content import Content

from voyager.cli.screen import clean

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
QUIET: Final = "$foreground 60%"
"""Style of what is beside the point."""
STATES: Final = {"active": "●", "probation": "◐", "stale": "◌", "retired": "✕"}
"""A sign for each state, so that it can be told without colours."""
STATE_STYLES: Final = {
    "active": "$text-success",
    "probation": "$text-warning",
    "stale": "$text-accent",
    "retired": QUIET,
}


def plain(value: object) -> str:
    """A text without escapes and control characters; most texts have none."""
    text = str(value)
    return text if text.isascii() and text.isprintable() else clean(text)


def one_line(value: object) -> str:
    """The same in one line."""
    return " ".join(plain(value).split())


def safe(value: object, style: str = "") -> Content:
    """A cleaned text for a widget, never read as markup.

    Args:
        value: Anything.
        style: For all of it.
    """
    return Content.styled(plain(value), style) if style else Content(plain(value))


def facts(pairs: Sequence[tuple[str, str]]) -> Table:
    """Names and sentences in two columns, wrapped to whatever width there is.

    Args:
        pairs: (name, sentence).
    """
    made = Table.grid(padding=(0, 2))
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, sentence in pairs:
        made.add_row(Text(plain(name)), Text(plain(sentence)))
    return made


def bar(share: float, width: int) -> tuple[str, str]:
    """A share from 0 to 1 as a bar: what is reached, and the rest.

    Args:
        share: The share.
        width: Columns for both together.
    """
    halves = round(max(0.0, min(1.0, share)) * width * 2)
    reached = "━" * (halves // 2) + "╸" * (halves % 2)
    return reached, "─" * (width - len(reached))


def ago(then: datetime, now: datetime) -> str:
    """How long ago something was, in at most four characters."""
    seconds = max(0, int((now - then).total_seconds()))
    for unit, size in (("d", _DAY), ("h", _HOUR), ("m", _MINUTE)):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return "now"


def since(then: datetime, now: datetime) -> str:
    """The same in a sentence."""
    told = ago(then, now)
    return "just now" if told == "now" else f"{told} ago"


def cut(text: str, width: int) -> str:
    """A text in exactly so many columns; what is too long ends in an ellipsis."""
    if len(text) > width:
        return text[: max(width - 1, 0)] + "…" if width > 0 else ""
    return text.ljust(width)


def goal_kind(kinds: Sequence[str]) -> str:
    """The words of a goal as one: an open hand that came clear is beside the point."""
    told = [kind for kind in kinds if kind != "clear"] or list(kinds)
    return "+".join(told) or "-"
