"""The command line with a library: looking, running, verifying, deepening, learning."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rich.console import Console

import voyager.learn
from env.errors import TaskError
from env.outcome import Outcome
from env.render import Camera
from env.task import Task
from skill_store import Library, Skill
from tests.env.skills import REACH
from tests.voyager.homes import REACH_AGAIN, make_home
from voyager import gallery, performance
from voyager.cli import run
from voyager.cli.perform import called
from voyager.cli.progress import told, watching
from voyager.events import Event, Stage
from voyager.learn import LearnReport
from voyager.lifecycle import standing


@pytest.fixture(scope="session")
def library_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("library") / "home")


@pytest.fixture
def home(library_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the library that a test may change, chosen by the environment."""
    shutil.copytree(library_home, tmp_path / "copy")
    monkeypatch.setenv("VOYAGER_HOME", str(tmp_path / "copy"))
    return tmp_path / "copy"


def _json(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    assert run([*arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures cost as much as they are large."""
    monkeypatch.setattr(performance, "FILM_CAMERA", Camera(80, 60))
    monkeypatch.setattr(gallery, "FILM_CAMERA", Camera(80, 60))
    monkeypatch.setattr(gallery, "TILE_CAMERA", Camera(80, 60))
    monkeypatch.setattr(gallery, "TILES", 3)


# -- looking ----------------------------------------------------------------------------------


def test_list(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = _json(capsys, "skills", "list")
    assert record["schema"] == "voyager.skills/1"
    assert [(s["name"], s["state"], s["calls"]) for s in record["skills"]] == [
        ("reach", "probation", []),
        ("lift", "probation", ["reach"]),
    ]
    assert run(["skills", "list"]) == 0
    shown = capsys.readouterr().out
    assert "at(gripper, block)" in shown
    assert "lifted(block)" in shown


def test_list_of_nothing_says_how_to_begin(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["skills", "list"]) == 0
    assert "voyager learn" in capsys.readouterr().out


def test_show(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = _json(capsys, "skills", "show", "lift")
    assert record["schema"] == "voyager.skill/1"
    assert record["certificate"]["solved"] == 20
    assert [p["source"] for p in record["closure"]["programs"]].count(record["source"]) == 1
    assert run(["skills", "show", "lift"]) == 0
    shown = capsys.readouterr().out
    assert "20 of 20 scenes" in shown
    assert "published after deepening" in shown
    assert "(another one here)" in shown  # its fingerprint is made up
    assert "at(gripper, block)" in shown  # what its callee promises
    for scene in record["certificate"]["scenes"]:
        assert str(scene["start"]["seed"]) in shown
    assert run(["skills", "show", "reach"]) == 0
    shown = capsys.readouterr().out
    assert "(another one here)" not in shown
    assert "called by    lift" in shown


def test_source_is_the_program_and_nothing_else(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["skills", "source", "lift"]) == 0
    assert capsys.readouterr().out == REACH_AGAIN.entry.source


# -- running ----------------------------------------------------------------------------------


def test_run_shows_calls_and_verdict(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["skills", "run", "reach", "--seed", "1"]) == 0
    shown = capsys.readouterr().out
    assert "open_gripper()" in shown
    assert "via='high'" in shown
    assert "reach:7" in shown
    assert shown.rstrip().splitlines()[-1].startswith("solved, margin +")


@pytest.mark.usefixtures("small_pictures")
def test_run_writes_a_film_and_json(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film = tmp_path / "film.gif"
    record = _json(capsys, "skills", "run", "reach", "--seed", "1", "--gif", str(film))
    assert record["schema"] == "voyager.run/1"
    assert record["solved"] is True
    assert record["film"] == str(film)
    with Image.open(film) as picture:
        assert picture.n_frames > 5
    # The film changes nothing of what happened.
    plain = _json(capsys, "skills", "run", "reach", "--seed", "1")
    assert plain["episode"] == record["episode"]


def test_run_that_fails_exits_1_and_says_what_is_missing(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["skills", "run", "lift", "--seed", "1"]) == 1
    shown = capsys.readouterr().out
    assert "reach(block='" in shown
    assert "kept its contract" in shown
    assert shown.rstrip().splitlines()[-1].startswith("failed, margin -")


def test_run_with_chosen_objects(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seed, blocks = _seed_with_two_blocks()
    for block in blocks:
        record = _json(
            capsys, "skills", "run", "reach", "--seed", str(seed), "--arg", f"block={block}"
        )
        assert record["episode"]["binding"] == {"block": block}


@pytest.mark.parametrize(
    ("arg", "told"),
    [
        ("block=nothing", "no object 'nothing' in this scene; there are: "),
        ("blok=x", "its parameters are: block: block"),
    ],
)
def test_run_with_wrong_objects(
    home: Path, capsys: pytest.CaptureFixture[str], arg: str, told: str
) -> None:
    assert run(["skills", "run", "reach", "--seed", "1", "--arg", arg]) == 1
    assert told in capsys.readouterr().err


def test_run_in_a_window_needs_a_display(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    assert run(["skills", "run", "reach", "--gui"]) == 1
    assert "there is no display" in capsys.readouterr().err


def test_calls_as_they_would_be_written() -> None:
    assert called("move_to", ([0.5, -0.1, 0.02],), {"via": "high"}) == (
        "move_to((0.500, -0.100, 0.020), via='high')"
    )
    assert called("wait", (1,), {"x": None, "y": True}) == "wait(1, x=None, y=True)"


def _seed_with_two_blocks() -> tuple[int, tuple[str, ...]]:
    for seed in range(200):
        scene = REACH.sample(seed)
        blocks = tuple(body.name for body in scene.bodies if body.spec.kind == "block")
        if len(blocks) == 2:
            return seed, blocks
    raise AssertionError("no scene has two blocks")


# -- verifying and deepening ------------------------------------------------------------------


def test_verify_replays_bit_for_bit(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = _json(capsys, "skills", "verify", "reach", "--workers", "1")
    assert record["schema"] == "voyager.verification/1"
    assert record["ok"] is True
    (report,) = record["skills"]
    assert (report["name"], report["verdict"]) == ("reach", "identical")
    with Library.open(home) as library:
        recorded = library.get("reach").certificate
    assert (report["identical"], report["k"], report["n"]) == (True, recorded.solved, recorded.n)
    assert all(scene["identical"] for scene in report["scenes"])


def test_verify_names_seeds_but_another_platform_refutes_nothing(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["skills", "verify", "lift", "--workers", "2"]) == 0
    shown = capsys.readouterr().out
    assert "lift: other platform, 0 of 20 episodes are the same" in shown
    assert "with another engine, " in shown
    assert shown.count("recorded solved, now failed") == 20


def test_one_skill_that_cannot_be_replayed_does_not_hide_the_others(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    get = Library.get

    def failing(library: Library, name: str) -> Skill:
        if name == "lift":
            raise TaskError("a kind is not loaded")
        return get(library, name)

    monkeypatch.setattr(Library, "get", failing)
    record = _json(capsys, "skills", "verify", "--all", "--workers", "1", code=1)
    assert record["ok"] is False
    assert {s["name"]: s["error"] for s in record["skills"]} == {
        "lift": "a kind is not loaded",
        "reach": None,
    }


def test_deepen_publishes_a_bound(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = _json(capsys, "skills", "deepen", "reach", "--workers", "1")
    assert record["schema"] == "voyager.deepen/1"
    assert record["deepening"]["look"] == 20
    assert record["bound"] == record["deepening"]["lower"] > 0
    with Library.open(home) as library:
        skill = library.get("reach")
        assert skill.bound == record["bound"]
        assert skill.deepening is not None
        assert skill.state is standing(skill.state, False, skill.deepening, None).state
        assert record["state"] == skill.state.value
    # One that has had its look is not run again.
    record = _json(capsys, "skills", "deepen", "--all", "--look", "20", "--workers", "1")
    assert record["schema"] == "voyager.deepen_all/1"
    assert {one["name"]: one["n"] for one in record["skills"]}["reach"] == 20


@pytest.mark.parametrize("words", [(), ("reach", "--all"), ("reach", "--look", "30")])
def test_deepen_wants_one_skill_or_all_and_a_look_that_there_is(
    home: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert run(["skills", "deepen", *words]) == 2


# -- learning ---------------------------------------------------------------------------------


def test_learn_of_what_is_known_shows_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["learn", REACH.goal.text, "-p", "block=block", "--no-pictures"]) == 0
    shown = capsys.readouterr().out
    assert "The library has a skill for this already: reach" in shown
    assert "def reach(block: Block)" in shown
    assert "voyager skills verify reach" in shown


@pytest.mark.usefixtures("small_pictures")
def test_learn_writes_pictures(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = _json(capsys, "learn", REACH.goal.text, "-p", "block=block", "--workers", "1")
    assert record["schema"] == "voyager.learn/1"
    assert record["known"] is True
    with Image.open(record["pictures"]["sheet"]) as sheet:
        assert sheet.width > 3 * 80
    film = Path(record["pictures"]["film"])
    assert film.parent == home / "artifacts"
    assert film.stat().st_size < 1_000_000


@pytest.mark.usefixtures("small_pictures")
def test_pictures_that_belie_a_certificate_are_told(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["learn", "lifted(block)", "-p", "block=block", "--workers", "1"]) == 0
    shown = capsys.readouterr()
    assert "did not go as the certificate records; run `voyager skills verify lift`" in shown.err
    assert str(home / "artifacts") in shown.out


def test_learn_tells_its_settings_and_its_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: dict[str, Any] = {}

    def fake(task: Task, library: Library, **settings: Any) -> LearnReport:
        asked.update(settings, task=task)
        settings["watch"](Event(Stage.SEARCH, "searching", 10, 100, 3))
        return LearnReport(Outcome.LIMIT, reason="no program was found", simulated_steps=10)

    monkeypatch.setattr(voyager.learn, "learn", fake)
    arguments = ["learn", "lifted(block)", "-p", "block=block", "--steps", "7", "--lanes", "2"]
    more = ["--seed", "4", "--workers", "1", "--name", "raise_it", "--no-library"]
    assert run([*arguments, *more, "--instruction", "Up with it"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "searching (10 of 100 simulated steps, 3 nodes)" in shown.err
    assert "not learned: no program was found" in shown.err
    wanted = {"steps": 7, "lanes": 2, "seed": 4, "name": "raise_it", "use_library": False}
    assert {key: asked[key] for key in wanted} == wanted
    assert asked["task"].instruction == "Up with it"
    record = _json(capsys, *arguments, code=1)
    assert record["outcome"] == "limit"
    assert record["source"] is None


def test_two_learners_in_one_home(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Library.open(home, learning=True):
        assert run(["learn", "lifted(block)", "-p", "block=block"]) == 1
    assert f"(pid {os.getpid()}) is learning in" in capsys.readouterr().err


@pytest.mark.slow
def test_learn_from_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    record = _json(capsys, "learn", "at(gripper, block)", "-p", "block=block")
    assert record["outcome"] == "solved"
    assert record["known"] is False
    assert _json(capsys, "skills", "verify", "--all")["ok"] is True


# -- progress ---------------------------------------------------------------------------------


@contextmanager
def _terminal() -> Iterator[Console]:
    with Path(os.devnull).open("w") as nowhere:
        yield Console(file=nowhere, force_terminal=True, width=100)


def test_progress_in_a_pipe_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    with watching() as watch:
        for step in range(0, 101):
            watch(Event(Stage.SEARCH, "searching", step, 100, step))
        watch(Event(Stage.CERTIFY, "certifying", 101, 100, 100, 1, 1))
        watch(Event(Stage.CERTIFY, "certifying", 102, 100, 100, 20, 20))
        watch(Event(Stage.ADMITTED, "it is in the library", 102, 100, 100, 20, 20))
    lines = capsys.readouterr().err.splitlines()
    assert 20 <= len(lines) <= 26
    assert lines[-2].endswith("20/20 solved)")
    assert lines[-1].startswith("it is in the library")


def test_progress_in_a_terminal_takes_any_event() -> None:
    with _terminal() as console, watching(console) as watch:
        for stage in Stage:
            watch(Event(stage, "[bold]not markup", 5, 10, 2, 1, 3))
    assert told(Event(Stage.SEARCH, "x")) == ""
