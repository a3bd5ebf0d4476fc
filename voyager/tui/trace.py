"""What a film shows beside its pictures: the calls as they are made, and the goal's margins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.text import Text
from textual.widget import Widget

from voyager.browsing.filmed import CallLine, FilmFrame
from voyager.cli import screen

_LEVELS: Final = "▁▂▃▄▅▆▇█"
_HOLDS, _MISSES = "✓", "✗"


class CallTrace(Widget):
    """The calls of an episode; the one under way is marked and stays in sight."""

    def __init__(self, *, id: str | None = None) -> None:
        """Show nothing yet."""
        super().__init__(id=id)
        self._calls: Sequence[CallLine] = ()
        self._now = -1

    def show(self, calls: Sequence[CallLine], now: int) -> None:
        """Show calls.

        Args:
            calls: In order.
            now: Index of the one that was made last; -1 before the first.
        """
        if calls is not self._calls or now != self._now:
            self._calls, self._now = calls, now
            self.refresh()

    def render(self) -> Text:
        """The lines around the call under way."""
        height = max(1, self.size.height)
        first = max(0, min(self._now - height // 2, len(self._calls) - height))
        shown = Text(no_wrap=True, overflow="ellipsis")
        for index in range(first, min(first + height, len(self._calls))):
            call = self._calls[index]
            style = "bold reverse" if index == self._now else "dim" if index > self._now else ""
            mark = "▸" if index == self._now else " "
            line = f"{mark}{call.time:5.1f} {'  ' * call.depth}{screen.clean(call.text)}"
            told = Text(line.replace("\n", " "), style=style, no_wrap=True, overflow="ellipsis")
            if call.failed and index <= self._now:
                told.append(f"  {screen.clean(call.result)}", "red")
            told.truncate(max(1, self.size.width), overflow="ellipsis")
            shown.append_text(told)
            shown.append("\n")
        return shown


def call_at(calls: Sequence[CallLine], seconds: float) -> int:
    """Index of the last call that was made by an instant; -1 before the first."""
    return sum(call.time <= seconds + 1e-9 for call in calls) - 1


class Margins(Widget):
    """How near the goal is: each of its atoms now, and its margin over the whole film."""

    def __init__(self, *, id: str | None = None) -> None:
        """Show nothing yet."""
        super().__init__(id=id)
        self._frames: Sequence[FilmFrame] = ()
        self._now = 0
        self._seen = (0, 0)
        self._duration = 0.0

    def show(self, frames: Sequence[FilmFrame], now: int, duration: float) -> None:
        """Show the margins of a film.

        Args:
            frames: Those that are there.
            now: Index of the one in sight.
            duration: Simulated seconds of the whole film, as far as it is known.
        """
        seen = (len(frames), now)
        if seen != self._seen or frames is not self._frames or duration != self._duration:
            before = self.get_content_height_now()
            self._frames, self._now, self._seen, self._duration = frames, now, seen, duration
            self.refresh(layout=self.get_content_height_now() != before)

    def get_content_height_now(self) -> int:
        """Lines that are shown: two an atom, and one for what is missing."""
        atoms = self._frames[self._now].atoms if self._frames else ()
        return 2 * len(atoms) + bool(atoms)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """See `Widget.get_content_height`."""
        return self.get_content_height_now()

    def render(self) -> Text:
        """Two lines an atom, then what is missing."""
        shown = Text(no_wrap=True, overflow="ellipsis")
        if not self._frames:
            return shown
        width = max(4, self.size.width)
        atoms = self._frames[self._now].atoms
        for index, atom in enumerate(atoms):
            colour = "green" if atom.holds else "red"
            margin = f"{atom.margin:+.2f}"
            name = Text(f"{_HOLDS if atom.holds else _MISSES} {screen.clean(atom.text)}", colour)
            name.truncate(max(1, width - len(margin) - 1), overflow="ellipsis", pad=True)
            shown.append_text(name)
            shown.append(f" {margin}\n")
            shown.append_text(self._curve(index, width))
            shown.append("\n")
        missing = next((atom.missing for atom in atoms if not atom.holds), "")
        last = Text(screen.clean(missing).replace("\n", " "), "italic")
        last.truncate(width, overflow="ellipsis")
        shown.append_text(last)
        return shown

    def _curve(self, atom: int, width: int) -> Text:
        """The margin of an atom over time, what was not played yet fainter."""
        whole = max(self._duration, self._frames[-1].time, 1e-9)
        curve, frame = Text(), 0
        for column in range(width):
            now = whole * column / max(1, width - 1)
            while frame + 1 < len(self._frames) and self._frames[frame + 1].time <= now + 1e-9:
                frame += 1
            if self._frames[frame].time + 2 * whole / width < now:
                break  # not filmed yet
            seen = self._frames[frame].atoms
            if atom >= len(seen):
                break
            style = "green" if seen[atom].holds else "red"
            curve.append(_level(seen[atom].margin), style if frame <= self._now else f"dim {style}")
        return curve


def _level(margin: float) -> str:
    """A bar from far below zero to far above; zero is in the middle."""
    share = 0.5 + 0.5 * margin / (1.0 + abs(margin))
    return _LEVELS[min(len(_LEVELS) - 1, int(share * len(_LEVELS)))]
