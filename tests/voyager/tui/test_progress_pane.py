"""How far a home has come, as a tree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Static, Tree

from env.outcome import Outcome
from env.task import Task
from skill_store import Library
from tests.env.skills import REACH, REACHING
from tests.skill_store.samples import certificate
from tests.voyager.homes import admit
from tests.voyager.tui.pilots import piloted
from voyager.browsing.past import read_past
from voyager.browsing.progress import gather
from voyager.tui import progress as progress_module
from voyager.tui.progress import ProgressPane

NASTY = "evil \x1b[31m[bold]\nname"


def record() -> dict[str, Any]:
    """What `voyager progress --json` tells, with text of the sort that models write."""
    tried = {
        "hash": "t",
        "goal": NASTY,
        "instruction": NASTY,
        "times": 2,
        "steps": 1234,
        "outcome": "failed",
        "reason": NASTY,
        "last": 3,
        "waits": True,
    }
    mile = {"theme": "hand", "parameters": [["block", "block"]]}
    return {
        "schema": "voyager.progress/1",
        "solved": [{**tried, "goal": "lifted(block)", "skill": "lift", "outcome": "solved"}],
        "failed": [{**tried, "skill": None}],
        "refused": [{"goal": "still(block)", "why": "doing nothing solves it"}],
        "frontier": [
            {
                "goal": "held(block)",
                "parameters": [["block", "block"]],
                "hash": "h",
                "proposer": "frontier",
                "why": NASTY,
                "effort": 1.0,
                "tested": False,
            }
        ],
        "waiting": ["moved(block)"],
        "milestones": [
            {**mile, "name": "lift", "level": 1, "goal": "a", "skill": "lift", "at_steps": 9},
            {**mile, "name": "put", "level": 1, "goal": "b", "skill": None, "at_steps": None},
            {**mile, "name": "stack", "level": 2, "goal": "c", "skill": None, "at_steps": None},
        ],
        "interrupted": 0,
    }


class Journal(App[None]):
    """Shows how far one home has come."""

    CSS_PATH = Path(progress_module.__file__).with_suffix(".tcss")

    def __init__(self, home: Path, shown: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.home = home
        self.shown = shown
        self.chosen: list[object] = []

    def compose(self) -> ComposeResult:
        yield ProgressPane(self.home)

    def on_mount(self) -> None:
        if self.shown is not None:
            self.query_one(ProgressPane).show(self.shown)
        self.query_one(Tree).focus()

    def on_progress_pane_skill_chosen(self, event: ProgressPane.SkillChosen) -> None:
        self.chosen.append(event.name)

    def on_progress_pane_task_chosen(self, event: ProgressPane.TaskChosen) -> None:
        self.chosen.append((event.goal, event.parameters))

    def labels(self) -> list[str]:
        """All lines of the tree, indented."""
        found: list[str] = []

        def add(node: Any, depth: int) -> None:
            for child in node.children:
                found.append("  " * depth + str(child.label))
                add(child, depth + 1)

        add(self.query_one(Tree).root, 0)
        return found

    def text(self, name: str) -> str:
        """What a line shows."""
        return str(self.query_one(f"#progress-{name}", Static).render())


async def until(pilot: Pilot[Any], app: Journal, told: str) -> None:
    """Wait for the first line."""
    for _ in range(600):
        if told in app.text("head"):
            await pilot.pause()
            return
        await pilot.pause(0.05)
    raise AssertionError(app.text("head"))


@piloted
async def test_the_tree_of_a_record(tmp_path: Path) -> None:
    app = Journal(tmp_path, record())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.text("head") == "1 tasks solved, 1 failed, 1 refused; milestones 1 of 3"
        labels = app.labels()
        assert [line for line in labels if not line.startswith(" ")] == [
            "Milestones, 1 of 3 reached",
            "Frontier: what comes next (1)",
            "Asked for by users (1)",
            "Solved (1)",
            "Failed (1)",
            "Refused: not worth learning (1)",
        ]
        assert "  level 1, 1 of 2" in labels
        assert "  ✓ lifted(block)  lift" in labels
        assert "  ✗ evil [31m[bold] name  2 times" in labels
        levels = app.query_one(Tree).root.children[0].children
        assert [level.is_expanded for level in levels] == [True, False]


@piloted
async def test_choosing_a_line_tells_what_it_is_about(tmp_path: Path) -> None:
    app = Journal(tmp_path, record())
    async with app.run_test(size=(80, 30)) as pilot:
        await pilot.press("down", "down", "down", "enter")  # the milestone that is reached
        await pilot.pause()
        assert app.chosen == ["lift"]
        assert "reached after 9 simulated steps" in app.text("foot")
        await pilot.press("down", "enter")  # the one that is not
        await pilot.press("down", "down", "down", "enter")  # the frontier's goal
        await pilot.pause()
        pairs = (("block", "block"),)
        assert app.chosen[1:] == [("b", pairs), ("held(block)", pairs)]
        assert "evil [31m[bold] name" in app.text("foot")
        assert "\x1b" not in app.text("foot")


@piloted
async def test_what_is_known_is_shown_before_the_rest_is_worked_out(tmp_path: Path) -> None:
    whole = record()
    known = {key: value for key, value in whole.items() if key not in ("frontier", "refused")}
    app = Journal(tmp_path, known)
    async with app.run_test(size=(80, 30)) as pilot:
        await pilot.pause()
        assert app.text("head") == "1 tasks solved, 1 failed; milestones 1 of 3"
        labels = app.labels()
        assert "Frontier: what comes next to be worked out…" in labels
        assert "  ✓ lifted(block)  lift" in labels
        tree = app.query_one(Tree)
        solved, refused = tree.root.children[3], tree.root.children[5]
        solved.expand()
        await pilot.pause()
        tree.move_cursor(solved.children[0])
        await pilot.pause()
        assert "2 attempts" in app.text("foot")
        whole["solved"][0]["reason"] = "at last"
        app.query_one(ProgressPane).show(whole)
        await pilot.pause()
        assert app.text("head") == "1 tasks solved, 1 failed, 1 refused; milestones 1 of 3"
        assert "  held(block)" in app.labels() and "  still(block)" in app.labels()
        # Nobody's place is lost: the lines that were there are the same ones.
        assert tree.root.children[3] is solved and solved.is_expanded
        assert not refused.is_expanded
        assert tree.cursor_node is solved.children[0]
        assert "at last" in app.text("foot")


@piloted
async def test_a_line_that_is_gone_is_gone(tmp_path: Path) -> None:
    app = Journal(tmp_path, record())
    async with app.run_test(size=(80, 30)) as pilot:
        later = record()
        later["failed"], later["milestones"] = [], later["milestones"][:2]
        later["milestones"][1]["skill"] = "put"
        app.query_one(ProgressPane).show(later)
        await pilot.pause()
        labels = app.labels()
        assert "Failed (0)" in labels and "✗" not in "".join(labels)
        assert "  level 1, 2 of 2" in labels and "    ✓ put                   put" in labels
        assert not [label for label in labels if "level 2" in label]


@piloted
async def test_the_past_is_read_while_the_command_works(tmp_path: Path) -> None:
    with Library.open(tmp_path, learning=True) as library:
        admit(library, REACH, REACHING, certificate(REACH, REACHING))
    app = Journal(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, app, "milestones 1 of 30")
        assert "Frontier: what comes next to be worked out…" in app.labels()


def test_the_past_is_a_part_of_what_the_command_tells(tmp_path: Path) -> None:
    lift = Task.make("lifted(block)", {"block": "block"})
    with Library.open(tmp_path, learning=True) as library:
        admit(library, REACH, REACHING, certificate(REACH, REACHING))
        for task, outcome in ((REACH, Outcome.SOLVED), (lift, Outcome.LIMIT)):
            attempt = library.journal.begin_attempt(task)
            library.journal.end_attempt(attempt, outcome, "so", simulated_steps=5)
        library.journal.end_attempt(
            library.journal.begin_attempt(lift), Outcome.SANDBOX_LOST, "gone"
        )
        library.queue.add(lift)
        whole = gather(library, 0, most=0).to_json()
    known = read_past(tmp_path)
    assert [one["waits"] for one in whole["failed"]] == [True]
    whole["failed"][0]["waits"] = known["failed"][0]["waits"]
    assert {key: whole[key] for key in known} == known
    assert set(whole) - set(known) == {"schema", "refused", "frontier"}


@piloted
async def test_it_is_read_by_the_command_in_a_process_of_its_own(tmp_path: Path) -> None:
    with Library.open(tmp_path, learning=True) as library:
        admit(library, REACH, REACHING, certificate(REACH, REACHING))
    app = Journal(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, app, "refused; milestones 1 of 30")
        labels = app.labels()
        assert any("reach_block" in line and "✓" in line for line in labels)
        assert "Frontier: what comes next (20)" in labels


@piloted
async def test_a_home_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "voyager.toml").write_text("nonsense = 1\n")
    app = Journal(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, app, "nonsense")
