"""What a policy sees: every number by name, one layout for all scenes of a task."""

from __future__ import annotations

import math

import numpy as np
import pytest

from env.errors import KindError
from env.scene import SceneSpec
from env.state import GripperState
from env.task import Task
from env.world import World
from tests.env.states import body, world
from voyager.serving.control import Moved
from voyager.serving.observation import OBJECT_SIZE, STATE_SIZE, Layout

STILL = Moved("", (0.0, 0.0, 0.0), 0.0)
PUT = Task.make("on(top, bottom)", {"top": "graspable", "bottom": "block"})


def test_every_number_has_a_name_a_unit_and_a_bound() -> None:
    layout = Layout(PUT)
    names = [field.name for field in layout.fields]

    assert len(names) == len(set(names)) == len(layout.bounds)
    assert names[:STATE_SIZE][0] == "gripper.x"
    assert names[STATE_SIZE] == "top.x"
    assert names[STATE_SIZE + OBJECT_SIZE] == "bottom.x"
    # A graspable may be one of two kinds, a block only itself.
    assert "top.is_block" in names
    assert "top.is_ball" in names
    assert "bottom.is_block" not in names
    assert "other2.is_tray" in names
    assert "other3.x" not in names
    assert np.isfinite(layout.bounds).all()


def test_numbers_stand_where_their_names_say() -> None:
    layout = Layout(PUT)
    gripper = GripperState((0.4, -0.1, 0.3), math.pi / 4, 0.05, False, "kuvo")
    state = world(
        body("kuvo", "ball", (0.4, -0.1, 0.3), velocity=(0.1, 0.2, 0.3)),
        body("bima", "block", (0.6, 0.2, 0.02), yaw=math.pi / 2, size=(0.04, 0.05, 0.06)),
        body("tolu", "tray", (0.5, 0.5, 0.0125)),
        gripper=gripper,
    )
    seen = layout.vector(
        state, {"top": "kuvo", "bottom": "bima"}, Moved("", (0.01, 0.0, -0.02), 0.1)
    )

    def number(name: str) -> float:
        return float(seen[layout.index(name)])

    assert [number(f"gripper.{n}") for n in ("x", "y", "z", "width", "opening")] == pytest.approx(
        [0.4, -0.1, 0.3, 0.05, 0.0]
    )
    assert number("gripper.sin_2yaw") == pytest.approx(1.0)
    assert number("top.held") == 1.0
    assert number("bottom.held") == 0.0
    assert number("top.vz") == pytest.approx(0.3)
    assert number("top.is_ball") == 1.0
    assert number("top.is_block") == 0.0
    # A quarter turn: the first axis points along y.
    assert [number(f"bottom.r{row}0") for row in range(3)] == pytest.approx([0, 1, 0], abs=1e-6)
    assert [number(f"bottom.size_{axis}") for axis in "xyz"] == pytest.approx([0.04, 0.05, 0.06])
    assert number("other0.is_tray") == 1.0
    assert number("other0.y") == pytest.approx(0.5)
    assert number("control.lead_z") == pytest.approx(-0.02)
    unused = [i for i, f in enumerate(layout.fields) if f.name.startswith(("other1", "other2"))]
    assert not seen[unused].any()
    with pytest.raises(KeyError, match=r"gripper\.x"):
        layout.index("gripper.roll")


def test_all_scenes_of_a_task_fit_its_layout() -> None:
    tasks = [
        PUT,
        Task.make('count("block", at_place(it, place)) >= 3', {"place": "place"}),
        Task.make("held(ball)", {"ball": "ball"}, scene=SceneSpec(distractors=(0, 0))),
    ]
    with World() as physics:
        for task in tasks:
            layout = Layout(task)
            for seed in range(6):
                scene = task.sample(seed)
                state = physics.reset(scene)
                seen = layout.vector(state, scene.binding, STILL)
                assert seen.shape == layout.bounds.shape
                assert seen.dtype == np.float32
                assert (np.abs(seen) <= layout.bounds).all()
                rest = len(scene.bodies) - len(scene.binding)
                used = [seen[layout.index(f"other{i}.size_x")] > 0 for i in range(layout.slots)]
                assert used == [True] * rest + [False] * (layout.slots - rest)


def test_what_lies_on_the_floor_far_away_stays_within_bounds() -> None:
    layout = Layout(Task.make("held(ball)", {"ball": "ball"}))
    state = world(body("bupo", "ball", (40.0, 0.0, -0.6), velocity=(-30.0, 0.0, 0.0)))
    seen = layout.vector(state, {"ball": "bupo"}, STILL)

    assert seen[layout.index("ball.x")] == 3.0
    assert seen[layout.index("ball.vx")] == -10.0


def test_a_kind_that_the_task_does_not_allow_is_said() -> None:
    layout = Layout(Task.make("held(ball)", {"ball": "ball"}, scene=SceneSpec(distractors=(0, 0))))
    spec = Task.make(
        "held(ball)",
        {"ball": "ball"},
        scene=SceneSpec(distractors=(1, 1), distractor_kinds=("bowl",)),
    )
    state = world(body("ball", "ball", (0.5, 0.0, 0.02)), body("tray", "tray", (0.5, 0.3, 0.01)))

    assert layout.slots == 0
    with pytest.raises(KindError, match="holds a tray"):
        Layout(spec).vector(state, {"ball": "ball"}, STILL)
