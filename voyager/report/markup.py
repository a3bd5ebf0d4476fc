"""Texts as HTML: escaped, without anything that steers or hides, and Python with its colours."""

from __future__ import annotations

import html
import io
import keyword
import tokenize
import unicodedata
from datetime import datetime
from typing import Final

_KEPT: Final = frozenset("\n\t")


def esc(value: object) -> str:
    """A text that is safe in HTML, in an attribute too.

    Control characters, direction marks and unassigned code points are dropped: a name must not be
    able to change how the line around it reads.
    """
    kept = "".join(c for c in str(value) if c in _KEPT or unicodedata.category(c)[0] != "C")
    return html.escape(kept, quote=True)


def count(value: int) -> str:
    """A whole number with its thousands apart."""
    return f"{value:,}"


def brief(value: float) -> str:
    """A number as an axis shows it: 250, 40 k, 1.5 M."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.4g} {unit}"
    return f"{value:.4g}"


def lasted(seconds: float) -> str:
    """A duration for people."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def when(moment: datetime) -> str:
    """A moment for people, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def python(source: str) -> str:
    """Python source as HTML with `span` elements around comments, strings, keywords, numbers.

    Returns:
        The escaped text; without colours where the source cannot be read.
    """
    lines = source.splitlines(keepends=True)
    shown: list[str] = []
    row, column = 1, 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            style = _style(token)
            if not style:
                continue
            shown.append(esc(_between(lines, (row, column), token.start)))
            shown.append(f'<span class="{style}">{esc(token.string)}</span>')
            row, column = token.end
    except (tokenize.TokenError, SyntaxError, ValueError):
        return esc(source)
    shown.append(esc(_between(lines, (row, column), (len(lines) + 1, 0))))
    return "".join(shown)


def _style(token: tokenize.TokenInfo) -> str:
    if token.type == tokenize.COMMENT:
        return "c"
    if token.type == tokenize.STRING:
        return "s"
    if token.type == tokenize.NUMBER:
        return "n"
    return "k" if token.type == tokenize.NAME and keyword.iskeyword(token.string) else ""


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    """The text from one (row, column) up to another; rows count from 1."""
    (first, left), (last, right) = start, end
    if first == last:
        return lines[first - 1][left:right] if first <= len(lines) else ""
    whole = lines[first - 1 : last]
    if not whole:
        return ""
    whole[0] = whole[0][left:]
    if last <= len(lines):
        whole[-1] = whole[-1][:right]
    return "".join(whole)
