from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from env.errors import KindError, SceneError, TaskError
from env.outcome import Outcome
from env.workers import Bench
from skill_store import Library
from tests.env.skills import LIFT, closure
from tests.skill_store.samples import plain
from tests.voyager.scripted import admit
from tests.voyager.serving.served import make_home
from voyager.serving.errors import NotServed, Stopped
from voyager.serving.offering import Offered, Offering
from voyager.serving.performing import MOST_SEED, Performer
from voyager.serving.simulator import Hand, Simulator
from voyager.serving.views import View

BLOCKS = {"block": 3}
_HANG = """\
from robot import Block, move_to, position


def hang(block: Block) -> None:
    \"\"\"Push it, and never come back.\"\"\"
    move_to(position(block))
    while True:
        pass
"""
_LINGER = """\
from robot import Block, wait


def linger(block: Block) -> None:
    \"\"\"Do nothing for nearly a minute.\"\"\"
    for _ in range(29):
        wait(2.0)
"""


@pytest.fixture(scope="module")
def skills(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Offered]:
    with Offering(make_home(tmp_path_factory.mktemp("served") / "home")) as offering:
        return {one.skill.name: one for one in offering.callable()[0]}


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    return Simulator()


@pytest.fixture(scope="module")
def performer(simulator: Simulator) -> Iterator[Performer]:
    with Performer(simulator) as opened:
        yield opened


def names(view: View, kind: str = "block") -> list[str]:
    return [seen.name for seen in view.sight.objects if seen.kind == kind]


def where(view: View) -> dict[str, tuple[float, float, float]]:
    return {seen.name: seen.position for seen in view.sight.objects}


def os_exit(_: Bench, code: int) -> None:
    os._exit(code)


def test_a_run_in_its_own_scene_is_the_episode_of_that_seed(
    performer: Performer, skills: dict[str, Offered]
) -> None:
    run = performer.run(skills["lift"], {}, seed=7).result(60)
    alone = skills["lift"].skill.run(7)
    assert run.episode.hash == alone.hash
    assert run.as_certified and not run.true_before
    assert run.binding == dict(alone.binding)
    told = run.to_json()
    assert told["solved"] and told["outcome"] == "solved" and told["margin"] == alone.margin
    assert told["missing"] == [] and "lower bound" in told["proof"]
    held = [one["name"] for one in told["objects"] if one["held"]]
    assert held == [run.binding["block"]]
    picture = Image.open(io.BytesIO(run.view.sight.picture))
    assert picture.format == "PNG" and picture.size == (400, 300)


def test_a_scene_stays_as_a_skill_left_it_even_without_its_process(
    performer: Performer, simulator: Simulator, skills: dict[str, Offered]
) -> None:
    scene = performer.new_scene(3, counts=BLOCKS).result(60)
    assert scene.sight.picture.startswith(b"\x89PNG") and scene.turns == 0
    a, b, c = names(scene)
    run = performer.run(skills["put_on"], {"top": a, "bottom": b}, scene=scene.scene).result(60)
    assert run.episode.solved and not run.as_certified
    assert [(c.skill, c.kept) for c in run.episode.contracts] == [("lift", True)]
    assert run.view.turns == 1
    assert where(run.view)[a][2] > where(scene)[a][2] + 0.02
    simulator.ask(_killed).result(60)
    again = performer.look(scene.scene, picture=False).result(60)
    assert where(again) == where(run.view) and again.sight.picture == b""
    # And the next skill begins there.
    done = performer.run(skills["put_on"], {"top": c, "bottom": a}, scene=scene.scene).result(60)
    assert done.view.turns == 2
    twice = performer.run(skills["put_on"], {"top": c, "bottom": a}, scene=scene.scene).result(60)
    assert twice.true_before == done.episode.solved


def _killed(hand: Hand) -> None:
    with pytest.raises(Exception, match="exit status 3"):
        hand(os_exit, 3)


def test_a_cancelled_run_has_not_happened(tmp_path: Path) -> None:
    lingering = closure(_LINGER)
    with Library.open(tmp_path / "home", learning=True) as library:
        admit(library, LIFT, lingering)
    with Offering(tmp_path / "home") as offering, Performer() as performer:
        scene = performer.new_scene(5, counts=BLOCKS, picture=False).result(60)
        (block, *_) = names(scene)
        ticket = performer.run(offering.named("linger"), {"block": block}, scene=scene.scene)
        while not ticket.under_way:
            time.sleep(0.005)
        ticket.cancel()
        with pytest.raises(Stopped, match="is undone"):
            ticket.result(60)
        after = performer.look(scene.scene, picture=False).result(60)
    assert after.turns == 0 and where(after) == where(scene)


def test_a_program_that_fails_says_what_is_missing(performer: Performer, tmp_path: Path) -> None:
    with Library.open(tmp_path / "home", learning=True) as library:
        admit(library, LIFT, plain("hover"))  # goes there and does nothing: no such skill is real
    with Offering(tmp_path / "home") as offering:
        hover = offering.named("hover")
    run = performer.run(hover, {}, seed=1).result(60)
    assert run.episode.outcome is Outcome.FAILED
    told = run.to_json()
    assert not told["solved"] and told["margin"] < 0
    assert any("block" in words for words in told["missing"])


def test_objects_have_to_be_named_and_to_fit(
    performer: Performer, skills: dict[str, Offered]
) -> None:
    scene = performer.new_scene(2, counts={"block": 2, "ball": 1}, picture=False).result(60)
    a, b = names(scene)
    (ball,) = names(scene, "ball")
    put_on = skills["put_on"]

    def run(objects: dict[str, str]) -> None:
        performer.run(put_on, objects, scene=scene.scene)

    with pytest.raises(NotServed, match=f"stands for 'bottom', a block: there are {a}, {b}"):
        run({"top": a})
    with pytest.raises(KindError, match="must be a block"):
        run({"top": a, "bottom": ball})
    with pytest.raises(KindError, match="two parameters"):
        run({"top": a, "bottom": a})
    with pytest.raises(KindError, match="no object 'nothing'"):
        run({"top": a, "bottom": "nothing"})
    with pytest.raises(TaskError, match="no parameter 'side'"):
        run({"top": a, "bottom": b, "side": b})
    with pytest.raises(NotServed, match="the name of nothing"):
        run({"top": "x" * 1000, "bottom": b})
    assert performer.look(scene.scene, picture=False).result(60).turns == 0


def test_scenes_have_bounds(performer: Performer, skills: dict[str, Offered]) -> None:
    for seed in (-1, MOST_SEED + 1, 10**4000, True):
        with pytest.raises(NotServed, match="the seed is"):
            performer.new_scene(seed)
    for counts in ({"block": 0}, {"block": 13}, {"block": 7, "ball": 6}, {"block": 10**4000}):
        with pytest.raises(NotServed, match=r"at most 12"):
            performer.new_scene(0, counts=counts)
    with pytest.raises(KindError, match="unknown kind 'blok'"):
        performer.new_scene(0, counts={"blok": 1})
    with pytest.raises(SceneError, match="no room"):
        performer.new_scene(0, counts={"tray": 12})
    with pytest.raises(NotServed, match="leave one of them out"):
        performer.new_scene(0, skill=skills["lift"], counts=BLOCKS)
    with pytest.raises(NotServed, match="there is no scene 'scene-999'"):
        performer.look("scene-999")


def test_one_of_its_own_scenes_leaves_objects_to_the_seed(
    performer: Performer, skills: dict[str, Offered]
) -> None:
    lift = skills["lift"]
    scene = performer.new_scene(11, skill=lift, picture=False).result(60)
    assert scene.drawn_for == "lift" and scene.binding.keys() == {"block"}
    run = performer.run(lift, {}, scene=scene.scene, picture=False).result(60)
    assert run.binding == dict(scene.binding) and run.as_certified
    assert run.episode.hash == lift.skill.run(11).hash
    # Once something was done there, it is no scene of the certificate any more.
    with pytest.raises(NotServed, match="stands for 'block'"):
        performer.run(lift, {}, scene=scene.scene)


def test_old_scenes_are_forgotten(performer: Performer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voyager.serving.performing.MOST_SCENES", 2)
    made = [performer.new_scene(s, counts={"block": 1}, picture=False).result(60) for s in range(3)]
    with pytest.raises(NotServed, match="make a new one"):
        performer.look(made[0].scene)
    assert performer.look(made[2].scene, picture=False).result(60).seed == 2


def test_a_scene_takes_so_many_runs(
    performer: Performer, skills: dict[str, Offered], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voyager.serving.performing.MOST_TURNS", 1)
    scene = performer.run(skills["lift"], {}, seed=1, picture=False).result(60).view
    (block, *_) = names(scene)
    with pytest.raises(NotServed, match="1 skills have been run in"):
        performer.run(skills["lift"], {"block": block}, scene=scene.scene).result(60)


@pytest.mark.slow
@pytest.mark.ci
def test_more_worlds_than_stand_at_once_are_kept(
    performer: Performer, skills: dict[str, Offered]
) -> None:
    first = performer.run(skills["lift"], {}, seed=1, picture=False).result(60)
    for seed in range(4):
        performer.new_scene(seed, counts={"block": 1}, picture=False).result(60)
    again = performer.look(first.view.scene, picture=False).result(60)
    assert where(again) == where(first.view) and again.sight.held == first.view.sight.held


@pytest.mark.slow
@pytest.mark.ci
def test_a_program_that_hangs_leaves_the_scene_as_it_was(tmp_path: Path) -> None:
    with Library.open(tmp_path / "home", learning=True) as library:
        admit(library, LIFT, closure(_HANG))
    with Offering(tmp_path / "home") as offering, Performer() as performer:
        scene = performer.new_scene(5, counts=BLOCKS, picture=False).result(60)
        (block, *_) = names(scene)
        asked = performer.run(offering.named("hang"), {"block": block}, scene=scene.scene)
        run = asked.result(120)
        assert run.episode.outcome is Outcome.HANG
        assert run.view.turns == 0 and where(run.view) == where(scene)
        assert not run.to_json()["solved"] and run.missing
