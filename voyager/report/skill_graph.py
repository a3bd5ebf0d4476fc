"""The graph of skills: who calls whom, in layers by depth, as inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from voyager.report.markup import esc

_BOX_HEIGHT: Final = 24
_GAP_Y: Final = 10
_GAP_X: Final = 70
_MARGIN: Final = 12
_HEAD: Final = 22
_LETTER: Final = 6.7
"""Width of a letter of the label, pixels: labels are set in a fixed-width face of 11 px."""
_LONGEST: Final = 28
_TALLEST: Final = 40
"""Boxes above each other; a longer layer goes on in a column beside it."""
_SWEEPS: Final = 6


@dataclass(frozen=True, slots=True)
class Box:
    """Where a skill stands.

    Attributes:
        name: Its name.
        depth: 1 for a skill that calls none, else one more than the deepest that it calls.
        x: Left edge, pixels.
        y: Upper edge, pixels.
        width: Pixels.
    """

    name: str
    depth: int
    x: float
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class Layout:
    """A drawn-out graph.

    Attributes:
        boxes: By name.
        calls: (caller, callee) pairs.
        heads: (depth, x) of the first column of each layer.
        width: Of the picture, pixels.
        height: Of the picture, pixels.
    """

    boxes: Mapping[str, Box]
    calls: tuple[tuple[str, str], ...]
    heads: tuple[tuple[int, float], ...]
    width: float
    height: float


def depths(calls: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """How deep each skill rests on others: 1 when it calls none that are listed.

    Args:
        calls: Names that each skill calls; locks leave no cycles, and one that is there all the
            same (two skills whose earlier versions called each other) is cut where it closes.

    Returns:
        Depth by name.
    """
    found: dict[str, int] = {}
    for root in calls:
        under_way: list[tuple[str, list[str]]] = [(root, list(calls[root]))]
        while under_way:
            name, waiting = under_way[-1]
            if name in found:
                under_way.pop()
            elif waiting:
                callee = waiting.pop()
                open_names = {one for one, _ in under_way}
                if callee in calls and callee not in found and callee not in open_names:
                    under_way.append((callee, list(calls[callee])))
            else:
                known = [found[callee] for callee in calls[name] if callee in found]
                found[name] = 1 + max(known, default=0)
                under_way.pop()
    return found


def lay_out(calls: Mapping[str, Sequence[str]]) -> Layout:
    """Place each skill: layers from left to right by depth, few crossings inside them.

    Args:
        calls: Names that each skill calls; names that are no key are left out.

    Returns:
        The layout.
    """
    pairs = tuple((a, b) for a in calls for b in calls[a] if b in calls and a != b)
    depth = depths(calls)
    layers: list[list[str]] = [[] for _ in range(max(depth.values(), default=0))]
    for name in calls:
        layers[depth[name] - 1].append(name)
    _uncross(layers, pairs)
    boxes: dict[str, Box] = {}
    heads: list[tuple[int, float]] = []
    x = float(_MARGIN)
    tallest = min(max(map(len, layers), default=0), _TALLEST)
    line = _BOX_HEIGHT + _GAP_Y
    for number, layer in enumerate(layers, start=1):
        heads.append((number, x))
        for first in range(0, len(layer), _TALLEST):
            column = layer[first : first + _TALLEST]
            width = max(len(_label(name)) for name in column) * _LETTER + 16
            # In the middle, so that long lines lie apart from the boxes between their ends.
            top = _MARGIN + _HEAD + (tallest - len(column)) * line / 2
            for row, name in enumerate(column):
                boxes[name] = Box(name, number, x, top + row * line, width)
            x += width + (_GAP_X if first + _TALLEST >= len(layer) else _GAP_X / 4)
    height = 2 * _MARGIN + _HEAD + tallest * line
    return Layout(boxes, pairs, tuple(heads), max(x - _GAP_X + _MARGIN, 1.0), float(height))


def draw(layout: Layout, notes: Mapping[str, str], styles: Mapping[str, str]) -> str:
    """The graph as SVG; each box leads to the section of its skill.

    Args:
        layout: From `lay_out`.
        notes: A sentence by name, shown when a box is pointed at.
        styles: Class by name.

    Returns:
        An `svg` element in its natural size.
    """
    parts = [
        f'<text class="head" x="{x:.0f}" y="{_MARGIN + 6}">'
        f"{'calls no skill' if depth == 1 else f'depth {depth}'}</text>"
        for depth, x in layout.heads
    ]
    for caller, callee in layout.calls:
        a, b = layout.boxes[callee], layout.boxes[caller]
        x1, y1 = a.x + a.width, a.y + _BOX_HEIGHT / 2
        x2, y2 = b.x, b.y + _BOX_HEIGHT / 2
        bend = max(24.0, (x2 - x1) / 2)
        parts.append(
            f'<path class="call" d="M{x1:.0f} {y1:.0f}C{x1 + bend:.0f} {y1:.0f} '
            f'{x2 - bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}">'
            f"<title>{esc(caller)} calls {esc(callee)}</title></path>"
        )
    for name, box in layout.boxes.items():
        parts.append(
            f'<a href="#skill-{esc(name)}"><g class="box {styles.get(name, "")}">'
            f"<title>{esc(notes.get(name, name))}</title>"
            f'<rect x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" '
            f'height="{_BOX_HEIGHT}" rx="5"/>'
            f'<text x="{box.x + 8:.0f}" y="{box.y + 16:.0f}">{esc(_label(name))}</text></g></a>'
        )
    told = f"{len(layout.boxes)} skills and {len(layout.calls)} calls between them"
    return (
        f'<svg class="graph" role="img" width="{layout.width:.0f}" height="{layout.height:.0f}" '
        f'viewBox="0 0 {layout.width:.0f} {layout.height:.0f}"><title>{told}</title>'
        f"{''.join(parts)}</svg>"
    )


def _label(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 3] + "..."


def _uncross(layers: list[list[str]], pairs: Sequence[tuple[str, str]]) -> None:
    """Order each layer by where its neighbours stand, back and forth a few times."""
    near: dict[str, list[str]] = {}
    for a, b in pairs:
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)
    place = {name: float(row) for layer in layers for row, name in enumerate(layer)}
    for sweep in range(_SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted = {
                name: sum(place[other] for other in near[name]) / len(near[name])
                if name in near
                else place[name]
                for name in layer
            }
            layer.sort(key=lambda name: (wanted[name], place[name], name))
            place.update({name: float(row) for row, name in enumerate(layer)})
