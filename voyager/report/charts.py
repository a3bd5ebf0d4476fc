"""Charts as inline SVG: axes, labels, a title for screen readers, and a note on each mark."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from voyager.report.markup import brief, count, esc

_WIDTH: Final = 720
_HEIGHT: Final = 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 30, 44
_TICKS: Final = 6
_THINNEST, _WIDEST = 0.6, 28.0
"""Of a bar, pixels."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One point of a series.

    Attributes:
        x: Where, in units of the x axis.
        note: What it is, shown when pointed at.
    """

    x: float
    note: str


@dataclass(frozen=True, slots=True)
class Series:
    """Something that is counted up: each mark raises the line by one.

    Attributes:
        name: In the legend.
        style: Class of its colour: "one" or "two".
        marks: In order of x.
    """

    name: str
    style: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes:
        height: In units of the y axis.
        style: Class of its colour: "good", "bad" or "odd".
        note: What it is, shown when pointed at.
    """

    height: float
    style: str
    note: str


@dataclass(frozen=True, slots=True)
class _Frame:
    """The room between the axes, and how units become pixels."""

    x_most: float
    y_most: float

    def x(self, value: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * value / self.x_most

    def y(self, value: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / self.y_most


def counted(title: str, series: Sequence[Series], *, until: float, x_label: str) -> str:
    """A chart of step lines: how many of each series there were at each x.

    Args:
        title: What it shows, for those who cannot see it.
        series: One line each.
        until: Where the x axis ends, at least.
        x_label: What stands along the x axis.

    Returns:
        An `svg` element.
    """
    until = max([until, 1.0, *(mark.x for one in series for mark in one.marks)])
    frame = _Frame(until, max([1.0, *(len(one.marks) for one in series)]) * 1.05)
    parts = [_axes(frame, x_label, "how many")]
    for one in series:
        path = [f"M{frame.x(0):.1f} {frame.y(0):.1f}"]
        for height, mark in enumerate(one.marks, start=1):
            path.append(f"H{frame.x(mark.x):.1f}V{frame.y(height):.1f}")
        path.append(f"H{frame.x(until):.1f}")
        parts.append(f'<path class="line {one.style}" d="{"".join(path)}"/>')
        parts += [
            f'<circle class="dot {one.style}" cx="{frame.x(mark.x):.1f}" '
            f'cy="{frame.y(height):.1f}" r="3"><title>{esc(mark.note)}</title></circle>'
            for height, mark in enumerate(one.marks, start=1)
        ]
    parts.append(_legend([(one.name, one.style) for one in series]))
    return _svg(title, parts)


def bars(
    title: str,
    given: Sequence[Bar],
    *,
    x_label: str,
    y_label: str,
    legend: Sequence[tuple[str, str]],
) -> str:
    """A bar chart, one bar after another.

    Args:
        title: What it shows, for those who cannot see it.
        given: The bars from left to right.
        x_label: What stands along the x axis.
        y_label: What stands along the y axis.
        legend: (words, style) pairs.

    Returns:
        An `svg` element.
    """
    frame = _Frame(len(given) + 1, max([1.0, *(bar.height for bar in given)]) * 1.05)
    parts = [_axes(frame, x_label, y_label, whole_x=True)]
    wide = max(_THINNEST, min(_WIDEST, (frame.x(1) - frame.x(0)) * 0.8))
    for number, bar in enumerate(given, start=1):
        top, ground = frame.y(bar.height), frame.y(0)
        parts.append(
            f'<rect class="bar {bar.style}" x="{frame.x(number) - wide / 2:.1f}" y="{top:.1f}" '
            f'width="{wide:.1f}" height="{max(1.0, ground - top):.1f}">'
            f"<title>{esc(bar.note)}</title></rect>"
        )
    parts.append(_legend(legend))
    return _svg(title, parts)


def ticks(most: float, *, whole: bool = False) -> tuple[float, ...]:
    """Round numbers from 0 up to `most`, about five of them.

    Args:
        most: The greatest value of the axis, above 0.
        whole: Leave out what is between whole numbers.
    """
    rough = most / (_TICKS - 1)
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * 0.999)
    if whole:
        step = max(1.0, step)
    return tuple(itertools.takewhile(lambda v: v <= most, (i * step for i in itertools.count())))


def _axes(frame: _Frame, x_label: str, y_label: str, *, whole_x: bool = False) -> str:
    ground, right = frame.y(0), _WIDTH - _RIGHT
    parts = []
    for value in ticks(frame.y_most, whole=True):
        y = frame.y(value)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{right}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" class="end">{brief(value)}</text>')
    for value in ticks(frame.x_most, whole=whole_x):
        x = frame.x(value)
        parts.append(f'<path class="grid" d="M{x:.1f} {ground:.1f}v4"/>')
        parts.append(f'<text x="{x:.1f}" y="{ground + 17:.1f}" class="mid">{brief(value)}</text>')
    parts.append(f'<path class="axis" d="M{_LEFT} {_TOP}V{ground:.1f}H{right}"/>')
    middle = (_LEFT + right) / 2
    parts.append(f'<text x="{middle:.0f}" y="{_HEIGHT - 6}" class="mid">{esc(x_label)}</text>')
    half = (_TOP + ground) / 2
    parts.append(
        f'<text x="12" y="{half:.0f}" class="mid" transform="rotate(-90 12 {half:.0f})">'
        f"{esc(y_label)}</text>"
    )
    return "".join(parts)


def _legend(entries: Sequence[tuple[str, str]]) -> str:
    parts, x = [], _LEFT + 12
    for words, style in entries:
        parts.append(f'<rect class="bar {style}" x="{x}" y="6" width="12" height="10"/>')
        parts.append(f'<text x="{x + 17}" y="15">{esc(words)}</text>')
        x += 34 + 7 * len(words)
    return "".join(parts)


def _svg(title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg class="chart" role="img" viewBox="0 0 {_WIDTH} {_HEIGHT}">'
        f"<title>{esc(title)}</title>{''.join(parts)}</svg>"
    )


def share(k: int, n: int, bound: float | None) -> str:
    """A small bar: the part of the scenes that was solved, and a tick at the lower bound.

    Args:
        k: Solved.
        n: Of so many.
        bound: Published lower bound in [0, 1], or None.

    Returns:
        An `svg` element.
    """
    words = f"{count(k)} of {count(n)} solved"
    tick = ""
    if bound is not None:
        words += f", lower bound {bound:.1%}"
        tick = f'<path class="tick" d="M{bound * 80:.1f} 0v10"/>'
    part = 80 * k / n if n else 0.0
    return (
        f'<svg class="share" role="img" viewBox="0 0 80 10"><title>{words}</title>'
        f'<rect class="rest" width="80" height="10"/>'
        f'<rect class="bar good" width="{part:.1f}" height="10"/>{tick}</svg>'
    )
