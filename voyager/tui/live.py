"""A running explorer: its task, its attempt, its budget, what has happened; pause and resume."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from env.errors import VoyagerError
from skill_store.clock import moment, utc_now
from voyager.browsing.live import (
    BudgetLine,
    DraftNode,
    ExplorerState,
    LiveReader,
    LiveView,
    ask_pause,
)
from voyager.tui.text import bar, one_line, safe

_EVERY_S: Final = 1.0
_BAR: Final = 20
_VALUE_BAR: Final = 8
_INDENT: Final = " " * 8
_SIGNS: Final = {
    ExplorerState.RUNNING: ("●", "$text-success", "exploring"),
    ExplorerState.PAUSING: ("◐", "$text-warning", "pauses after the attempt under way"),
    ExplorerState.PAUSED: ("‖", "$text-warning", "paused"),
    ExplorerState.ENDED: ("○", "$text-muted", "not running; this was the last run"),
    ExplorerState.DIED: ("✕", "$text-error", "not running; the last run did not end by itself"),
    ExplorerState.BUSY: ("◌", "$text-accent", "another command learns here"),
    ExplorerState.NONE: ("○", "$text-muted", "nobody has explored here yet"),
}
_OUTCOMES: Final = {"solved": ("✓", "$text-success"), "open": ("▸", "$text-accent")}
_OTHER_OUTCOME: Final = ("✗", "$text-error")
_PHASES: Final = {
    "chosen": "$text-accent",
    "settled": "$text-success",
    "paused": "$text-warning",
    "resumed": "$text-warning",
}


class LivePane(Widget, can_focus=True):
    """Shows the explorer of one home, and looks again every second while it can be seen."""

    HELP = (
        "The explorer of this home, whoever started it. A pause begins after the attempt under "
        "way; what is waited counts for no limit."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "Pause, resume", id="live.pause"),
    ]

    class Steered(Message):
        """The explorer was asked for something, or could not be."""

        def __init__(self, sentence: str, *, failed: bool = False) -> None:
            """Say what, in one sentence."""
            super().__init__()
            self.sentence = sentence
            self.failed = failed

    def __init__(
        self, home: Path, *, clock: Callable[[], datetime] = utc_now, id: str | None = None
    ) -> None:
        """Look at nothing yet.

        Args:
            home: The home folder.
            clock: Source of the present moment.
            id: Of the widget.
        """
        super().__init__(id=id)
        self._home = home
        self._clock = clock
        self._view: LiveView | None = None
        # The library belongs to one thread, so that looking never holds up the screen.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="live")
        self._reader = LiveReader(home)

    def compose(self) -> ComposeResult:
        """What is under way above; the attempt's tree and what has happened below."""
        yield Static(id="live-head")
        with Horizontal(id="live-body"):
            with VerticalScroll(id="live-left"):
                yield Static(id="live-tree")
            with VerticalScroll(id="live-right"):
                yield Static(id="live-events")

    def on_mount(self) -> None:
        """Begin to look."""
        self.set_interval(_EVERY_S, self.look)
        self.look()

    def on_show(self) -> None:
        """Look at once."""
        self.look()

    async def on_unmount(self) -> None:
        """Close the library, where it was opened."""
        closed = self._thread.submit(self._reader.close)
        self._thread.shutdown(wait=False)
        await asyncio.wrap_future(closed)

    @property
    def view(self) -> LiveView | None:
        """What is shown; None before the first look."""
        return self._view

    def look(self) -> None:
        """Look at the home, unless nobody can see this or a look is under way."""
        if self.is_on_screen and not any(w.group == "live-look" for w in self.workers_of_mine()):
            self.run_worker(self._look(), group="live-look", exit_on_error=False)

    def workers_of_mine(self) -> Iterable[Any]:
        """Workers of this pane that are not through yet."""
        return [one for one in self.workers if one.node is self and not one.is_finished]

    def action_pause(self) -> None:
        """Ask for a pause, or for an end of it."""
        view = self._view
        if view is None or not view.state.alive:
            self.post_message(self.Steered("nobody explores here", failed=True))
            return
        self.run_worker(self._steer(paused=not view.pause_asked), group="live-steer")

    async def _look(self) -> None:
        try:
            view = await asyncio.wrap_future(self._thread.submit(self._reader.look))
        except VoyagerError as error:
            self.query_one("#live-head", Static).update(safe(error, "$text-error"))
            return
        self.show(view)

    async def _steer(self, *, paused: bool) -> None:
        def ask() -> bool:
            return ask_pause(self._home, paused=paused)

        try:
            await asyncio.wrap_future(self._thread.submit(ask))
        except VoyagerError as error:
            self.post_message(self.Steered(str(error), failed=True))
            return
        told = "it pauses after the attempt under way" if paused else "it goes on"
        self.post_message(self.Steered(told))
        await self._look()

    def show(self, view: LiveView) -> None:
        """Show how things stand."""
        self._view = view
        self.query_one("#live-head", Static).update(_lines(_head(view, self._clock())))
        self.query_one("#live-tree", Static).update(_lines(_tree(view)))
        events = self.query_one("#live-events", Static)
        events.update(_lines(_events(view)))
        scroll = self.query_one("#live-right", VerticalScroll)
        if scroll.max_scroll_y - scroll.scroll_y <= 1:
            scroll.scroll_end(animate=False)


def _lines(lines: Iterable[Content]) -> Content:
    return Content("\n").join(list(lines))


def _head(view: LiveView, now: datetime) -> Iterable[Content]:
    sign, style, words = _SIGNS[view.state]
    record = view.record
    told = f" {sign} {words}"
    if view.state is ExplorerState.BUSY:
        told += f": {one_line(view.command)}"
    if view.pid is not None:
        told += f" (pid {view.pid})"
    yield safe(told, f"bold {style}")
    if not record or view.state is ExplorerState.BUSY:
        hint = "start one with: voyager explore --minutes 30" if not record else ""
        yield safe(f"   {hint}", "$text-muted")
        return
    task, event = record["task"], record["event"]
    if task is not None:
        yield _fact("task", one_line(task["goal"]), "bold")
    else:
        yield _fact("doing" if view.state.alive else "last", one_line(record["text"]))
    if record.get("why"):
        yield _fact("why", f"{one_line(record['proposer'])}: {one_line(record['why'])}")
    if event is not None:
        yield _fact("doing", _doing(event))
        if event["budget"]:
            yield _fact("attempt", _used(event["simulated_steps"], event["budget"], "steps"))
    for line in view.budget:
        yield _fact(line.name, _budget(line))
    yield _fact("so far", _so_far(view, now))


def _fact(name: str, told: str, style: str = "") -> Content:
    return Content.assemble(safe(f"   {name:<9} ", "$text-muted"), safe(told, style))


def _doing(event: Mapping[str, Any]) -> str:
    told = one_line(event["text"])
    if event["nodes"]:
        told += f"  {event['nodes']:,} nodes"
    if event["of"]:
        told += f"  {event['solved']} of {event['of']} solved"
    return told


def _used(used: float, cap: float, unit: str) -> str:
    return f"{bar(used / cap, _BAR)}  {used:,.0f} of {cap:,.0f} {unit}"


def _budget(line: BudgetLine) -> str:
    number = "{:,.2f}" if line.name in ("usd", "hours", "minutes") else "{:,.0f}"
    if line.cap is None:
        return f"{number.format(line.used)}, no limit"
    share = line.used / line.cap if line.cap else 1.0
    return f"{bar(share, _BAR)}  {number.format(line.used)} of {number.format(line.cap)}"


def _so_far(view: LiveView, now: datetime) -> str:
    record = view.record
    told = f"{record['certified']} certified in {record['attempts']} attempts"
    told += f"; {view.skills} skills here"
    if view.milestones is not None:
        told += f", milestones {view.milestones[0]} of {view.milestones[1]}"
    if view.waiting:
        told += f", {view.waiting} tasks wait"
    if view.state.alive:
        seconds = max(0, int((now - moment(record["started_at"])).total_seconds()))
        told += f"; since {seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return told


def _tree(view: LiveView) -> Iterable[Content]:
    if view.attempts:
        yield safe("Attempts", "bold $text-accent")
    for attempt in view.attempts:
        sign, style = _OUTCOMES.get(attempt.outcome, _OTHER_OUTCOME)
        steps = f"{attempt.steps:,}" if attempt.steps else ""
        yield Content.assemble(
            safe(f" {sign} ", style),
            safe(f"{attempt.id:>4} {steps:>9}  ", "$text-muted"),
            safe(one_line(attempt.goal)),
        )
        if attempt.id == view.attempt:
            yield from _under_way(view)
        elif attempt.outcome not in _OUTCOMES and attempt.reason:
            yield safe(f"{_INDENT}{one_line(attempt.reason)}", "$text-muted")


def _under_way(view: LiveView) -> Iterable[Content]:
    """What the open attempt has tried: its programs as a tree, or the nodes of its search."""
    event = view.record.get("event")
    if event is not None and event["nodes"]:
        yield safe(f"{_INDENT}{event['nodes']:,} plans kept by the search", "$text-muted")
    children: dict[int | None, list[DraftNode]] = {}
    known = {draft.id for draft in view.drafts}
    for draft in view.drafts:
        above = draft.parent if draft.parent in known else None
        children.setdefault(above, []).append(draft)
    yield from _branches(children, None, _INDENT)


def _branches(
    children: Mapping[int | None, list[DraftNode]], above: int | None, indent: str
) -> Iterable[Content]:
    here = children.get(above, [])
    for index, draft in enumerate(here):
        last = index == len(here) - 1
        value = "      -" if draft.value is None else f"{draft.value:7.2f}"
        drawn = " " * _VALUE_BAR if draft.value is None else bar(draft.value, _VALUE_BAR)
        held = draft.outcome == "held"
        yield Content.assemble(
            safe(f"{indent}{'└' if last else '├'} {draft.id:>4} ", "$text-muted"),
            safe(f"{drawn}{value} ", "$text-success" if held else "$text-warning"),
            safe(one_line(draft.outcome)),
        )
        yield from _branches(children, draft.id, f"{indent}{' ' if last else '│'} ")


def _events(view: LiveView) -> Iterable[Content]:
    lines = view.record.get("lines", ())
    if lines:
        yield safe("News", "bold $text-accent")
    for line in lines:
        style = _PHASES.get(line["phase"], "$text-muted")
        if line["phase"] == "settled" and not line["skill"]:
            style = "$text-error"
        told = one_line(line["text"])
        if line["phase"] == "chosen":
            told = f"{one_line(line['goal'])}  ({told})"
        at = moment(line["at"])
        yield Content.assemble(safe(f"{at:%H:%M:%S} ", "$text-muted"), safe(told, style))
