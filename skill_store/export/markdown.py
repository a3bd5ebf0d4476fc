"""Texts of others in a page of Markdown with YAML before it: shown as they are, never obeyed."""

from __future__ import annotations

import json
import re
from typing import Final

from skill_store.export.schemas import one_line

_ACTIVE: Final = re.compile(r"[\\`*\[\]<>&|~]|(?<![^\W_])_|_(?![^\W_])")
"""What Markdown, or HTML in it, gives a meaning inside a line; _ has none between two letters."""
_LEADING: Final = re.compile(r"^(#{1,6}(?= |$)|[-+=](?=[ =-]|$)|\d{1,9}(?=[.)]))")
"""What it gives a meaning at the beginning of a line."""
_TICKS: Final = re.compile("`+")
_HYPHENS: Final = re.compile("-{3,}")


def plain(text: str) -> str:
    """A text in one line of a page, in which nothing is a heading, a link, a tag or a list.

    Args:
        text: Of anybody.

    Returns:
        It reads the same once it is shown; without line breaks and invisible letters.
    """
    escaped = _ACTIVE.sub(lambda found: f"\\{found[0]}", one_line(text))
    lead = _LEADING.match(escaped)
    if lead is None:
        return escaped
    end = lead.end()  # a number is no list any more once what follows it is escaped
    return f"{escaped[:end]}\\{escaped[end:]}" if lead[0].isdigit() else f"\\{escaped}"


def code(text: str) -> str:
    """A text as a piece of code within a line, whatever it holds.

    Args:
        text: Of anybody.

    Returns:
        The text between more backticks than stand together anywhere in it.
    """
    shown = one_line(text)
    most = max((len(run) for run in _TICKS.findall(shown)), default=0)
    fence = "`" * (most + 1)
    space = " " if not shown or most else ""
    return f"{fence}{space}{shown}{space}{fence}"


def yaml_text(text: str) -> str:
    """A text as a quoted scalar of YAML, in one line.

    Args:
        text: Of anybody.

    Returns:
        What YAML reads as that text, and never as a number, a list or the end of the front matter:
        readers cut it off at three hyphens wherever these stand, so two are left of such.
    """
    return json.dumps(_HYPHENS.sub("--", one_line(text)), ensure_ascii=False)
