from __future__ import annotations

from dataclasses import replace

import pytest

from env.certificate import SceneRecord
from env.errors import KindError, TaskError
from env.outcome import Outcome
from env.starts import rebind
from env.task import Task
from env.transcript import HandoverRecord, Start
from tests.env.skills import PUT_ON
from voyager.gallery import TILES, chosen, star

SCENE = SceneRecord(Start(1), Outcome.SOLVED, 0.1, 100, "0" * 64, 0, 0)
FAILED = replace(SCENE, outcome=Outcome.FAILED)
HANDED = replace(SCENE, start=Start(1, HandoverRecord("a", "b", 2)))


def test_every_failure_is_shown() -> None:
    scenes = [SCENE] * 20
    assert chosen(scenes) == tuple(range(10))
    scenes[17] = FAILED
    assert chosen(scenes) == (*range(9), 17)
    scenes[9] = FAILED
    assert chosen(scenes) == (*range(8), 9, 17)
    assert len(chosen([FAILED] * 30)) == TILES
    assert chosen([SCENE] * 3) == (0, 1, 2)


def test_the_film_shows_a_success_from_the_start() -> None:
    assert star([FAILED, HANDED, SCENE]) == 2
    assert star([FAILED, HANDED]) == 1
    assert star([FAILED]) == 0


def _with_blocks(task: Task, count: int) -> int:
    for seed in range(500):
        kinds = [body.spec.kind for body in task.sample(seed).bodies]
        if kinds.count("block") == count and len(kinds) > count:
            return seed
    raise AssertionError("no such scene")


def test_chosen_objects_and_the_rest() -> None:
    scene = PUT_ON.sample(_with_blocks(PUT_ON, 3))
    top, bottom = scene.binding["top"], scene.binding["bottom"]
    assert rebind(PUT_ON, scene, {}) == {"top": top, "bottom": bottom}
    # What was taken away from `bottom` is replaced by a block that is left.
    moved = rebind(PUT_ON, scene, {"top": bottom})
    assert moved["top"] == bottom
    assert moved["bottom"] not in (bottom, None)
    assert rebind(PUT_ON, scene, {"top": bottom, "bottom": top}) == {"top": bottom, "bottom": top}


def test_objects_that_cannot_be_chosen() -> None:
    scene = PUT_ON.sample(_with_blocks(PUT_ON, 2))
    top = scene.binding["top"]
    other = next(body.name for body in scene.bodies if body.spec.kind != "block")
    with pytest.raises(TaskError, match="its parameters are: top: block, bottom: block"):
        rebind(PUT_ON, scene, {"middle": top})
    with pytest.raises(KindError, match="no object 'nobody' in this scene; there are: "):
        rebind(PUT_ON, scene, {"top": "nobody"})
    with pytest.raises(KindError, match="must be a block"):
        rebind(PUT_ON, scene, {"top": other})
    with pytest.raises(KindError, match="distinct"):
        rebind(PUT_ON, scene, {"top": top, "bottom": top})
