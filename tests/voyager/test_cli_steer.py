"""`voyager explorer`, `voyager progress`, `voyager skills film`: the twins of what is on screen."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from env.controls import ControlRate, Controls
from env.outcome import Outcome
from env.task import Task
from skill_store import Library
from skill_store.home_lock import HomeLock
from skill_store.steering import Steering
from tests.env.skills import REACH, REACHING
from tests.skill_store.samples import certificate
from tests.voyager.browsing.reels import FRAMES, write_film
from tests.voyager.homes import admit
from voyager.broadcast import Broadcast
from voyager.browsing.films import Studio, order_for
from voyager.cli import run
from voyager.config import Config
from voyager.events import Event, Stage
from voyager.lesson import keep_controls
from voyager.news import News, Phase

WORKING = News(
    Phase.WORKING,
    "searching",
    task=REACH,
    event=Event(Stage.SEARCH, "searching", 50, 100, 7, 3, 4),
    simulated_steps=1500,
)


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    """What a command says in JSON."""
    assert run([*arguments, "--json"]) == code
    record: dict[str, Any] = json.loads(capsys.readouterr().out)
    return record


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with one skill, and a task that waits."""
    monkeypatch.setenv("VOYAGER_HOME", str(tmp_path))
    with Library.open(tmp_path, learning=True) as library:
        admit(library, REACH, REACHING, certificate(REACH, REACHING))
        library.queue.add(Task.make("lifted(block)", {"block": "block"}))
    return tmp_path


# -- the explorer -----------------------------------------------------------------------------


def test_nobody_explores(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "explorer", "status")["state"] == "none"
    for command in ("pause", "resume"):
        error = told(capsys, "explorer", command, code=1)
        assert "nobody explores in" in error["message"]
    with Library.open(home) as library:
        assert not Steering(library.database).paused


def test_pause_and_resume_of_one_that_lives(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with HomeLock(home), Broadcast(home, Config(), lambda _: None) as tell:
        tell(WORKING)
        assert told(capsys, "explorer", "pause")["state"] == "pausing"
        assert run(["explorer", "pause"]) == 0
        assert "was asked to pause before" in capsys.readouterr().out
        assert run(["explorer", "status"]) == 0
        shown = capsys.readouterr().out
        for words in (
            "pauses after the attempt under way",
            "at(gripper, block)",
            "search: searching, 7 nodes, 3/4 solved, 50 of 100 steps",
            "1,500, no limit",
            "1 tasks of users",
            "1 of 30",
        ):
            assert words in shown, words
        record = told(capsys, "explorer", "resume")
        assert (record["state"], record["pause_asked"]) == ("running", False)
        assert run(["explorer", "resume"]) == 0
        assert "was not asked to pause" in capsys.readouterr().out


def _start(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "voyager", "explore", "--no-pictures", "--workers", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "VOYAGER_HOME": str(home)},
    )


def _await(capsys: pytest.CaptureFixture[str], *states: str) -> dict[str, Any]:
    for _ in range(1000):
        record = told(capsys, "explorer", "status")
        if record["state"] in states:
            return record
        time.sleep(0.2)
    raise AssertionError(record)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
@pytest.mark.ci
def test_a_real_explorer_is_paused_and_resumed_from_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VOYAGER_HOME", str(tmp_path))
    # Attempts that give up soon, so that it looks often whether it is to pause.
    (tmp_path / "voyager.toml").write_text("[search]\nsteps = 1000\n")
    with Library.open(tmp_path) as library:
        for height in range(40, 80):
            task = Task.make(f"lifted(block, 0.0{height})", {"block": "block"})
            rates = (ControlRate("do_nothing", 0, 20),)
            keep_controls(library, task, Controls(task.hash, rates, 20, 0, 100))
            library.queue.add(task)
    process = _start(tmp_path)
    try:
        _await(capsys, "running")
        told(capsys, "explorer", "pause")
        paused = _await(capsys, "paused")
        assert paused["pid"] == process.pid
        before, attempts = _cpu_seconds(process.pid), paused["live"]["attempts"]
        time.sleep(3.0)
        assert _cpu_seconds(process.pid) - before < 0.3
        assert _await(capsys, "paused")["live"]["attempts"] == attempts

        told(capsys, "explorer", "resume")
        assert _await(capsys, "running")["live"]["phase"] != "paused"
        told(capsys, "explorer", "pause")
        _await(capsys, "paused")
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, err
    assert [line.split()[2] for line in out.splitlines() if " paused " in line] == ["paused"] * 2
    assert "asked" in out
    after = told(capsys, "explorer", "status")
    assert (after["state"], after["pid"]) == ("ended", None)


# -- progress ---------------------------------------------------------------------------------


def test_progress_in_json_and_for_people(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Library.open(home) as library:
        lift = Task.make("lifted(block)", {"block": "block"})
        for task, outcome in ((REACH, Outcome.SOLVED), (lift, Outcome.LIMIT)):
            attempt = library.journal.begin_attempt(task)
            library.journal.end_attempt(attempt, outcome, "it \x1b[1mslipped", simulated_steps=5)
        library.journal.end_attempt(
            library.journal.begin_attempt(lift), Outcome.SANDBOX_LOST, "gone"
        )
    record = told(capsys, "progress", "--most", "3")
    assert [one["skill"] for one in record["solved"]] == ["reach"]
    assert [(one["goal"], one["times"], one["waits"]) for one in record["failed"]] == [
        ("lifted(block)", 1, True)
    ]
    assert record["interrupted"] == 1
    assert record["waiting"] == ["lifted(block)"]
    assert len(record["frontier"]) == 3
    assert len(record["milestones"]) == 30
    assert all(one["why"] and one["goal"] for one in record["frontier"])
    assert run(["progress", "--most", "2"]) == 0
    shown = capsys.readouterr().out
    assert "milestones   1 of 30" in shown
    assert "it [1mslipped" in shown
    assert "\x1b" not in shown


# -- films ------------------------------------------------------------------------------------


def test_a_kept_film_as_a_table_a_file_and_json(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Library.open(home) as library:
        skill = library.get("reach")
    order = order_for(skill, skill.certificate.scenes[2].start)
    write_film(Studio(home).folder / f"{order.key}.film")
    film = ["skills", "film", "reach", "--scene", "3"]
    record = told(capsys, *film, "--out", str(tmp_path / "one.gif"))
    assert (tmp_path / "one.gif").read_bytes().startswith(b"GIF89a")
    assert (len(record["frames"]), len(record["trace"])) == (FRAMES, 3)
    assert record["frames"][0]["atoms"][0]["margin"] == -1.0
    assert (record["same"], record["as_recorded"]) == (True, False)
    assert run(film) == 0
    shown = capsys.readouterr().out
    assert "say('block_1')" in shown
    assert "NOT as it was recorded" in shown


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["--scene", "999"], "reach has 20 scenes"),
        (["--scene", "1", "--seed", "2"], "leave one away"),
    ],
)
def test_a_film_that_makes_no_sense(
    more: list[str], why: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert why in told(capsys, "skills", "film", "reach", *more, code=2)["message"]


def test_a_file_that_cannot_be_written_is_told_first(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = told(capsys, "skills", "film", "reach", "--out", "one.avi", code=1)
    assert "end it in .gif" in error["message"]
