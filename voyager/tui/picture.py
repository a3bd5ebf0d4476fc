"""A picture in a terminal: two pixels a character, or dots where no colours are wanted."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Final

import numpy as np
from PIL import Image
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

_UPPER: Final = "▀"
_DOTS: Final = 0x2800
"""The first of the braille patterns."""
_DOT: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Its bit by row and column."""
_OUTLINE: Final = 38
"""Difference from the pixels left and above, 0 to 510, that makes an outline."""
_COLOURFUL: Final = 75
_DARK: Final = 110
_SHADES: Final = 0xF8
"""Bits of a colour that are kept: neighbours become alike, so that fewer styles are sent."""
_KEPT: Final = 24
"""Drawn pictures that are kept, for whoever goes back and forth."""

Rows = tuple[Strip, ...]


class PictureView(Widget):
    """Shows one picture as large as fits, in the middle."""

    DEFAULT_CLASSES = "picture-view"

    def __init__(self, *, id: str | None = None) -> None:
        """Show nothing yet."""
        super().__init__(id=id)
        self._picture = b""
        self._drawn: dict[tuple[int, int, int, bool], Rows] = {}

    def show(self, picture: bytes) -> None:
        """Show a picture.

        Args:
            picture: PNG; nothing shows nothing.
        """
        if picture is not self._picture:
            self._picture = picture
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of characters; see `Widget.render_line`."""
        width, height = self.size
        if not self._picture or width < 1 or height < 1:
            return Strip.blank(width, self.rich_style)
        rows = self._rows(width, height)
        top = (height - len(rows)) // 2
        if not 0 <= y - top < len(rows):
            return Strip.blank(width, self.rich_style)
        row = rows[y - top]
        left = (width - row.cell_length) // 2
        blank = Strip.blank(left, self.rich_style)
        return Strip.join([blank, row]).adjust_cell_length(width, self.rich_style)

    def _rows(self, width: int, height: int) -> Rows:
        mono = self.app.no_color
        key = (hash(self._picture), width, height, mono)
        found = self._drawn.get(key)
        if found is None:
            while len(self._drawn) >= _KEPT:
                del self._drawn[next(iter(self._drawn))]
            try:
                found = (dots if mono else half_blocks)(self._picture, width, height)
            except OSError:
                found = ()  # a damaged picture is an empty one, and the film goes on
            self._drawn[key] = found
        return found


def half_blocks(picture: bytes, width: int, height: int) -> Rows:
    """A picture in coloured half blocks: two pixels a character, one above the other.

    Args:
        picture: PNG.
        width: Characters at most.
        height: Lines at most.

    Returns:
        Its lines.
    """
    pixels = np.asarray(_fitted(picture, width, 2 * height, 1, 2)) & _SHADES
    rows = []
    for y in range(0, len(pixels), 2):
        # The same pair of colours side by side is one piece.
        pairs = np.concatenate((pixels[y], pixels[y + 1]), axis=1)
        begins = [0, *(np.flatnonzero((pairs[1:] != pairs[:-1]).any(axis=1)) + 1).tolist()]
        ends = [*begins[1:], len(pairs)]
        segments = [
            Segment(_UPPER * (end - begin), _style(*pairs[begin].tolist()))
            for begin, end in zip(begins, ends, strict=True)
        ]
        rows.append(Strip(segments, len(pairs)))
    return tuple(rows)


def dots(picture: bytes, width: int, height: int) -> Rows:
    """A picture as a drawing in dots, for terminals without colours: eight dots a character.

    Outlines are drawn; what is colourful is hatched, what is dark is dotted.

    Args:
        picture: PNG.
        width: Characters at most.
        height: Lines at most.

    Returns:
        Its lines.
    """
    pixels = np.asarray(_fitted(picture, 2 * width, 4 * height, 2, 4)).astype(np.int16)
    across = np.abs(np.diff(pixels, axis=1, prepend=pixels[:, :1]))
    down = np.abs(np.diff(pixels, axis=0, prepend=pixels[:1]))
    brightest = pixels.max(axis=2)
    y, x = np.indices(brightest.shape)
    lit = (across + down).max(axis=2) > _OUTLINE
    lit |= (brightest - pixels.min(axis=2) > _COLOURFUL) & ((x + y) % 2 == 0)
    lit |= (brightest < _DARK) & (x % 2 == 0) & (y % 2 == 0)
    cells = lit.reshape(lit.shape[0] // 4, 4, lit.shape[1] // 2, 2)
    codes = _DOTS + (cells * np.array(_DOT)[None, :, None, :]).sum(axis=(1, 3))
    texts = ("".join(map(chr, row)) for row in codes.tolist())
    # With a style, if an empty one: filters of the app look at it.
    return tuple(Strip([Segment(text, Style.null())], len(text)) for text in texts)


def _fitted(picture: bytes, width: int, height: int, across: int, down: int) -> Image.Image:
    """The picture, as large as fits, its edges multiples of what one character holds."""
    with Image.open(io.BytesIO(picture)) as found:
        image = found.convert("RGB")
    scale = min(width / image.width, height / image.height)
    size = (
        max(1, round(image.width * scale) // across) * across,
        max(1, round(image.height * scale) // down) * down,
    )
    return image.resize(size, Image.Resampling.BOX)


@lru_cache(maxsize=8192)
def _style(red: int, green: int, blue: int, *below: int) -> Style:
    return Style(color=Color.from_rgb(red, green, blue), bgcolor=Color.from_rgb(*below))
