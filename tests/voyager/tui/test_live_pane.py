"""The explorer of a home on the screen, and its pause."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Static

from env.outcome import Outcome
from skill_store import Library
from skill_store.home_lock import HomeLock
from skill_store.steering import Steering
from tests.env.skills import LIFT, REACH
from tests.voyager.tui.pilots import piloted
from voyager.broadcast import Broadcast
from voyager.browsing.live import ExplorerState
from voyager.config import Config, ExploreConfig
from voyager.events import Event, Stage
from voyager.news import News, Phase
from voyager.tui import live as live_module
from voyager.tui.live import LivePane

NASTY = "evil \x1b[31m[bold]\nname"


class Watcher(App[None]):
    """Shows one explorer."""

    CSS_PATH = Path(live_module.__file__).with_suffix(".tcss")

    def __init__(self, home: Path) -> None:
        super().__init__()
        self.home = home
        self.told: list[tuple[str, bool]] = []

    def compose(self) -> ComposeResult:
        yield LivePane(self.home, clock=lambda: datetime.now(UTC))

    def on_mount(self) -> None:
        self.query_one(LivePane).focus()

    def on_live_pane_steered(self, event: LivePane.Steered) -> None:
        self.told.append((event.sentence, event.failed))

    def text(self, name: str) -> str:
        """What one part shows."""
        return str(self.query_one(f"#live-{name}", Static).render())


async def until(pilot: Pilot[Any], app: Watcher, state: ExplorerState) -> None:
    """Wait until the pane shows a state."""
    pane = app.query_one(LivePane)
    for _ in range(200):
        if pane.view is not None and pane.view.state is state:
            await pilot.pause()
            return
        await pilot.pause(0.05)
    raise AssertionError(pane.view)


@piloted
async def test_a_home_where_nobody_explores(tmp_path: Path) -> None:
    app = Watcher(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, app, ExplorerState.NONE)
        assert "nobody has explored here yet" in app.text("head")
        assert "voyager explore" in app.text("head")
        await pilot.press("space")
        await pilot.pause()
        assert app.told == [("nobody explores here", True)]


@piloted
async def test_a_running_explorer_and_its_pause(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        run = library.journal.begin_run("explore", 0, {})
        first = library.journal.begin_attempt(LIFT, run)
        library.journal.end_attempt(first, Outcome.LIMIT, NASTY, simulated_steps=1234)
        second = library.journal.begin_attempt(REACH, run)
        root = library.drafts.add(second, None, "p", "a\n", 0.25, "failed", NASTY)
        library.drafts.add(second, root, "q", "b\n", 0.5, "held", "")
        library.drafts.add(second, None, "r", "c\n", None, "rejected", "")
    config = Config(explore=ExploreConfig(steps=1000))
    with (
        HomeLock(tmp_path, command="voyager explore"),
        Broadcast(tmp_path, config, lambda _: None) as tell,
    ):
        tell(News(Phase.CHOSEN, f"why {NASTY}", task=REACH, proposer="frontier"))
        event = Event(Stage.WRITE, "asking the model", 50, 100, 0, 3, 4)
        tell(News(Phase.WORKING, NASTY, task=REACH, event=event, simulated_steps=250))
        app = Watcher(tmp_path)
        async with app.run_test(size=(100, 30)) as pilot:
            await until(pilot, app, ExplorerState.RUNNING)
            head, tree, events = app.text("head"), app.text("tree"), app.text("events")
            assert "● exploring (pid" in head
            assert "at(gripper, block)" in head
            assert "frontier: why evil [31m[bold] name" in head
            assert "asking the model  3 of 4 solved" in head
            assert "250 of 1,000" in head
            assert "50 of 100 steps" in head
            lines = tree.splitlines()
            assert lines[1].split()[:3] == ["▸", "2", "at(gripper,"]
            drafts = [line for line in lines if line.endswith(("failed", "held", "rejected"))]
            assert [line.index(mark) for line, mark in zip(drafts, "├└└", strict=True)] == [
                8,
                10,
                8,
            ]
            assert "0.25 failed" in drafts[0]
            assert "0.50 held" in drafts[1]
            assert "evil [31m[bold] name" in tree
            assert "at(gripper, block)  (why evil" in events
            assert "\x1b" not in head + tree + events

            await pilot.press("space")
            await until(pilot, app, ExplorerState.PAUSING)
            assert app.told == [("it pauses after the attempt under way", False)]
            with Library.open(tmp_path) as library:
                assert Steering(library.database).paused
            tell(News(Phase.PAUSED, "a user asked for it"))
            await until(pilot, app, ExplorerState.PAUSED)
            assert "‖ paused" in app.text("head")
            await pilot.press("space")
            tell(News(Phase.RESUMED, "the pause is over"))
            await until(pilot, app, ExplorerState.RUNNING)
            assert app.told[-1] == ("it goes on", False)


@piloted
async def test_a_dead_explorer_is_told_from_a_live_one(tmp_path: Path) -> None:
    with Broadcast(tmp_path, Config(), lambda _: None) as tell:
        tell(News(Phase.WORKING, "searching"))
    app = Watcher(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, app, ExplorerState.DIED)
        assert "did not end by itself" in app.text("head")
        with HomeLock(tmp_path, command="voyager learn lifted"):
            await until(pilot, app, ExplorerState.BUSY)
            assert "another command learns here: voyager learn lifted" in app.text("head")
