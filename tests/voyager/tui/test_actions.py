"""Every action on a skill: what it asks, the command that it names, and what comes of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from textual.widgets import Static

from env.certificate import Certificate
from skill_store import Library, RequestState
from skill_store.export.formats import FORMATS
from tests.voyager.tui.browsers import (
    Pilots,
    driven,
    furnished,
    look_at,
    read,
    screen_text,
    toasts,
    until,
)
from voyager.browsing.tabs import Tab
from voyager.tui.app import BrowserApp
from voyager.tui.dialog import DeedDialog, ExportDialog, RunDialog, TaskDialog
from voyager.tui.help_screen import HelpScreen
from voyager.tui.jobs_screen import JobsScreen
from voyager.tui.playback_screen import PlaybackScreen
from voyager.tui.seed_grid import SeedGrid
from voyager.tui.skill_table import SkillTable
from voyager.tui.skills_view import SkillsView
from voyager.tui.versions_pane import VersionTable

FIRST = "put_left_of"
"""The newest skill, which the cursor begins on."""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return furnished(tmp_path_factory.mktemp("furnished") / "home")


@pytest.fixture
def home(original: Path, tmp_path: Path) -> Path:
    """A home that a test may change."""
    return Path(shutil.copytree(original, tmp_path / "home"))


async def dialog_told(pilot: Pilots, app: BrowserApp, kind: type) -> str:
    """The command that a dialog names."""
    await until(pilot, lambda: isinstance(app.screen, kind))
    await pilot.pause()
    return str(app.screen.query_one(".dialog-twin", Static).content)


async def done(pilot: Pilots, app: BrowserApp, number: int = 1) -> str:
    """Wait for the end of a job, and say what came of it."""
    await until(pilot, lambda: len(app.jobs.jobs) >= number and not app.jobs.open)
    result = app.jobs.jobs[number - 1].result
    assert result is not None
    await until(pilot, lambda: result.sentence in toasts(app))
    return result.sentence


def twin(home: Path, words: str) -> str:
    return f"$ voyager {words} --home {home}"


def test_pin_retire_and_restore(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        table = app.query_one(SkillTable)

        def now() -> tuple[str, bool]:
            assert table.row is not None
            return table.row.state, table.row.pinned

        await pilot.press("p")
        assert await done(pilot, app) == f"{FIRST} is active, version 1, pinned"
        assert app.jobs.jobs[0].twin.line == twin(home, f"skills pin {FIRST}")[2:]
        await until(pilot, lambda: now() == ("active", True))
        await pilot.press("r")
        assert await dialog_told(pilot, app, DeedDialog) == twin(home, f"skills retire {FIRST}")
        await pilot.press("enter")
        await done(pilot, app, 2)
        await until(pilot, lambda: now() == ("retired", True))
        await pilot.press("R")
        assert await dialog_told(pilot, app, DeedDialog) == twin(home, f"skills restore {FIRST}")
        await pilot.press("enter")
        await done(pilot, app, 3)
        await until(pilot, lambda: now()[0] in ("active", "stale"))

    driven(home, script)


def test_another_version_can_stand_for_a_skill(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await app.go_to("put_on")
        await until(pilot, lambda: app.query_one(SkillTable).row.name == "put_on")
        await look_at(pilot, Tab.VERSIONS)
        app.query_one(VersionTable).focus()
        await pilot.press("R")
        told = await dialog_told(pilot, app, DeedDialog)
        assert told == twin(home, "skills restore put_on --version 2")
        await pilot.press("escape")
        assert not app.jobs.jobs

    driven(home, script)


def test_verify_deepen_and_renew_ask_first(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        for key, words in (("v", "verify"), ("d", "deepen"), ("w", "renew")):
            await pilot.press(key)
            told = await dialog_told(pilot, app, DeedDialog)
            assert told == twin(home, f"skills {words} {FIRST}")
            await pilot.press("y")
            assert app.clipboard == told[2:]
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(app.screen, DeedDialog))
        assert not app.jobs.jobs

    driven(home, script)


@pytest.mark.slow
@pytest.mark.ci
def test_what_a_command_refuses_is_one_sentence(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, DeedDialog))
        await pilot.press("enter")
        assert "is learning in" in await done(pilot, app)

    with Library.open(home, learning=True):
        driven(home, script)


@pytest.mark.slow
@pytest.mark.ci
def test_export_writes_a_folder(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = [one.name for one in FORMATS]

    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, ExportDialog))
        shown = screen_text(app)
        assert all(name in shown for name in names)
        await pilot.press(*["j"] * names.index("jsonl"))
        target = tmp_path / f"{FIRST}-jsonl"
        words = f"export --format jsonl --skill {FIRST} --out {target}"
        assert await dialog_told(pilot, app, ExportDialog) == twin(home, words)
        await pilot.press("ctrl+a")
        told = await dialog_told(pilot, app, ExportDialog)
        assert "--all" in told and str(tmp_path / "skills-jsonl") in told
        await pilot.press("ctrl+a", "enter")
        assert "export" in await done(pilot, app)
        assert (target / "SHA256SUMS").is_file()

    driven(home, script)


@pytest.mark.slow
@pytest.mark.ci
def test_queue_a_task(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await pilot.press("a")
        assert await dialog_told(pilot, app, TaskDialog) == ""
        await pilot.press(*"upright(b) and near(b, c)", "tab", *"b=block,c=bowl")
        words = "tasks add 'upright(b) and near(b, c)' -p b=block -p c=bowl"
        assert await dialog_told(pilot, app, TaskDialog) == twin(home, words)
        await pilot.press("enter")
        assert await done(pilot, app) == "task 1 waits: upright(b) and near(b, c)"

    driven(home, script)
    with Library.open(home) as library:
        (request,) = library.queue.list(RequestState.WAITING)
        assert request.parameters == (("b", "block"), ("c", "bowl"))


def test_copy(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await pilot.press("Y")
        assert app.clipboard == FIRST
        await pilot.press("y")
        await until(pilot, lambda: f"def {FIRST}(" in app.clipboard)

    driven(home, script)


def test_edit_says_what_it_lacks(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)

    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await pilot.press("e")
        await until(pilot, lambda: toasts(app))
        assert toasts(app)[-1].startswith("no editor is set")
        monkeypatch.setenv("EDITOR", "true")
        await pilot.press("e")
        await until(pilot, lambda: len(toasts(app)) == 2)
        assert toasts(app)[-1].startswith("this terminal cannot be lent")
        assert not list((home / "artifacts" / "edits").iterdir())

    driven(home, script)


@pytest.mark.slow
@pytest.mark.ci
def test_a_red_cell_opens_its_film(home: Path) -> None:
    with Library.open(home) as library:
        certificate: Certificate = library.get("put_in").certificate
    failed = next(scene for scene in certificate.scenes if scene.outcome.value != "solved")

    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await app.go_to("put_in")
        await until(pilot, lambda: app.query_one(SkillTable).row.name == "put_in")
        await look_at(pilot, Tab.CERTIFICATE)
        grid = app.query(SeedGrid).first()
        at = [cell.solved for cell in grid.grid.cells].index(False)
        across = grid._across(grid.size.width)
        await pilot.click(grid, offset=(at % across * 3, 1 + at // across))
        await until(pilot, lambda: isinstance(app.screen, PlaybackScreen))
        screen = app.screen
        assert isinstance(screen, PlaybackScreen)
        assert screen.order.start == failed.start and screen.order.expected == failed.episode
        assert screen.order.certificate == certificate.hash
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, PlaybackScreen))

    driven(home, script)


@pytest.mark.slow
@pytest.mark.ci
def test_run_on_the_scene_in_view(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await look_at(pilot, Tab.RUNS)
        await pilot.press("u")
        await until(pilot, lambda: isinstance(app.screen, RunDialog))
        assert await dialog_told(pilot, app, RunDialog) == twin(
            home, f"skills run {FIRST} --seed 5749104062876025012"
        )
        await pilot.press("ctrl+u", *"4")
        assert await dialog_told(pilot, app, RunDialog) == twin(
            home, f"skills run {FIRST} --seed 4"
        )
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PlaybackScreen))
        screen = app.screen
        assert isinstance(screen, PlaybackScreen)
        assert screen.order.start.seed == 4 and screen.order.expected is None
        await pilot.press("escape")

    driven(home, script)


@pytest.mark.slow
@pytest.mark.ci
def test_jobs_are_listed_and_can_be_stopped(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, DeedDialog))
        await pilot.press("enter")
        await until(pilot, lambda: app.jobs.open)
        assert f"verifying {FIRST}" in screen_text(app)
        await pilot.press("J")
        await until(pilot, lambda: isinstance(app.screen, JobsScreen))
        await until(pilot, lambda: "under way" in screen_text(app))
        assert f"voyager skills verify {FIRST}" in screen_text(app)
        await until(pilot, lambda: app.jobs.running(app.jobs.jobs[0]))
        await pilot.press("X")
        await until(pilot, lambda: not app.jobs.open)
        await pilot.press("escape")
        assert not app.jobs.jobs[0].result.good  # type: ignore[union-attr]

    driven(home, script)


@pytest.mark.slow
@pytest.mark.ci
def test_help_knows_the_command_of_every_action(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        assert "All skills of this home." in screen_text(app)
        await pilot.press("G")
        await until(pilot, lambda: f"voyager skills diff {FIRST}" in screen_text(app))
        await pilot.press("q")
        await until(pilot, lambda: not isinstance(app.screen, HelpScreen))

    driven(home, script)


@pytest.mark.slow
@pytest.mark.ci
def test_the_palette_knows_actions_and_skills(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await pilot.press("ctrl+p", *"put_in")
        await until(pilot, lambda: "inside(graspable, container)" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.query_one(SkillTable).row.name == "put_in")
        await read(pilot)
        await pilot.press("ctrl+p", *"Retire")
        await until(pilot, lambda: "Retire" in screen_text(app))
        await pilot.pause(0.3)
        await pilot.press("enter")
        assert "retire put_in" in await dialog_told(pilot, app, DeedDialog)

    driven(home, script)


def test_views_and_keys_of_ones_own(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await pilot.press("2")
        await until(pilot, lambda: "nobody has explored here yet" in screen_text(app))
        await pilot.press("1")
        assert app.query_one(SkillTable).has_focus
        await pilot.press("V")
        await dialog_told(pilot, app, DeedDialog)
        await pilot.press("escape", "v")
        assert not isinstance(app.screen, DeedDialog)
        assert app.query_one(SkillsView).display

    driven(home, script, keys={"skill.verify": "V"})


# -- the real thing, which takes a while ----------------------------------------------------------


@pytest.mark.slow
@pytest.mark.ci
def test_verify_runs_every_episode_again(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await app.go_to("grasp")
        await until(pilot, lambda: app.query_one(SkillTable).row.name == "grasp")
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, DeedDialog))
        await pilot.press("enter")
        for _ in range(10):
            if not app.jobs.open:
                break
            await pilot.pause(6)
        assert "20 of 20 solved" in await done(pilot, app)

    driven(home, script)
