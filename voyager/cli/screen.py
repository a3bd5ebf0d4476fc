"""What goes to the terminal: plain text for pipes, tables and colours for people.

Texts that come from programs, tasks or models pass through `clean` and are never read as markup.
"""

from __future__ import annotations

import json
import math
import os
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from typing import IO, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

_PIPE_WIDTH = 200
"""Columns when nobody looks: wide enough that no cell of a table is cut."""
_KEPT = frozenset("\n\t")


def console(*, stderr: bool = False) -> Console:
    """A console on stdout or stderr, as they are now."""
    stream: IO[str] = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS") else _PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def clean(text: object) -> str:
    """A text without anything that could steer a terminal or hide in it.

    Control characters, escapes, direction marks and unassigned code points are dropped; line ends
    and tabs stay.
    """
    return "".join(c for c in str(text) if c in _KEPT or unicodedata.category(c)[0] != "C")


def text(value: object, style: str = "") -> Text:
    """A cleaned text for rich, never read as markup."""
    return Text(clean(value), style=style)


def table(*headings: str, title: str = "") -> Table:
    """An empty table in the house style."""
    made = Table(
        box=box.SIMPLE_HEAD,
        header_style="bold",
        pad_edge=False,
        show_edge=False,
        title=Text(clean(title), style="bold") if title else None,
        title_justify="left",
    )
    for heading in headings:
        made.add_column(Text(heading), overflow="fold")
    return made


def add_row(made: Table, *cells: object, style: str = "") -> None:
    """Add a row of plain values or rich texts."""
    made.add_row(*(cell if isinstance(cell, Text) else text(cell) for cell in cells), style=style)


def show_facts(out: Console, pairs: Sequence[tuple[str, object]]) -> None:
    """Print names and values in two columns; for a pipe each in one line, however long."""
    if out.is_terminal:
        made = Table.grid(padding=(0, 2))
        made.add_column(style="bold", no_wrap=True)
        made.add_column(overflow="fold")
        for name, value in pairs:
            add_row(made, name, value)
        out.print(made)
        return
    width = max((len(name) for name, _ in pairs), default=0) + 2
    for name, value in pairs:
        shown = value.plain if isinstance(value, Text) else clean(value)
        out.file.write(f"{clean(name):<{width}}{shown}\n")


def show_source(source: str, out: Console) -> None:
    """Print Python: highlighted for a terminal, as it is for a pipe."""
    shown = clean(source).rstrip("\n")
    if not out.is_terminal:
        out.file.write(shown + "\n")
        return
    from rich.syntax import Syntax  # loads a lexer, which only this needs

    out.print(Syntax(shown, "python", background_color="default", word_wrap=True))


def show_json(record: Mapping[str, Any]) -> None:
    """Print one JSON object on stdout; numbers that JSON does not have become null."""
    sys.stdout.write(json.dumps(_finite(record), indent=2, allow_nan=False) + "\n")
    sys.stdout.flush()


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def signed(value: float | None) -> str:
    """A margin, with its sign."""
    return "-" if value is None else f"{value:+.3f}"
