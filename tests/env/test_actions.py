"""The robot API: what it does, and what it says when it cannot."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest

from env.actions import ACTIONS, invoke
from env.errors import ActionError, BadArgument, Blocked, NothingHeld, UnknownObject, Unreachable
from env.scene import SceneSpec, sample
from env.world import World

PARAMETERS = {"top": "block", "bottom": "block", "home": "bowl"}


class Desk:
    """A world with one scene, and the API as methods."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.scene = sample(SceneSpec(distractors=(1, 1)), PARAMETERS, seed)
        world.reset(self.scene)
        self.top, self.bottom, self.home = (self.scene.binding[p] for p in PARAMETERS)

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: invoke(self.world, name, args, kwargs)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World() as world:
        yield world


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world, 2)


def test_looks_tell_what_is_there_and_take_no_time(desk: Desk) -> None:
    assert desk.objects() == sorted(body.name for body in desk.scene.bodies)
    assert {desk.top, desk.bottom} <= set(desk.objects("block")) <= set(desk.objects("graspable"))
    assert desk.home in desk.objects("container")
    assert desk.kind(desk.home) == "bowl"
    body = next(b for b in desk.scene.bodies if b.name == desk.top)
    assert desk.colour(desk.top) == body.spec.colour
    assert desk.size(desk.top) == body.spec.size
    assert math.dist(desk.position(desk.top), body.position) < 0.001
    assert math.isclose(desk.yaw(desk.top), body.yaw, abs_tol=0.01)
    assert math.dist(desk.gripper_position(), desk.scene.start.position) < 0.002
    assert 0.0 <= desk.gripper_width() <= 0.081
    assert desk.holding() is None
    assert desk.world.steps == 0


def test_a_move_ends_where_it_was_sent(desk: Desk) -> None:
    for target in ((0.5, 0.2, 0.25), (0.4, -0.2, 0.15), (0.55, 0.0, 0.4)):
        desk.move_to(target, yaw=0.3)
        assert math.dist(desk.gripper_position(), target) < 0.003
    desk.move_by((0.02, -0.03, 0.01))
    assert math.dist(desk.gripper_position(), (0.57, -0.03, 0.41)) < 0.003


def test_high_moves_go_over_what_stands_in_between(desk: Desk) -> None:
    x, y, z = desk.position(desk.top)
    desk.open_gripper()
    desk.move_to((x, y, z + 0.1), via="high")
    before = {name: desk.position(name) for name in desk.objects()}
    u, v, w = desk.position(desk.bottom)
    desk.move_to((u, v, w), yaw=desk.yaw(desk.bottom), via="high")
    for name, was in before.items():
        assert math.dist(desk.position(name), was) < 0.01, name


def test_a_grasp_holds_and_lets_go(desk: Desk) -> None:
    desk.open_gripper()
    assert desk.gripper_width() > 0.078
    desk.move_to(desk.position(desk.top), yaw=desk.yaw(desk.top), via="high")
    assert desk.close_gripper() == desk.top
    assert desk.holding() == desk.top
    height = desk.position(desk.top)[2]
    desk.move_by((0.0, 0.0, 0.12))
    desk.wait(1.0)
    assert desk.position(desk.top)[2] > height + 0.115
    desk.open_gripper()
    assert desk.holding() is None
    desk.wait(0.5)
    assert desk.position(desk.top)[2] < height + 0.03


def test_closing_on_nothing_tells_the_width(desk: Desk) -> None:
    desk.open_gripper()
    with pytest.raises(NothingHeld) as caught:
        desk.close_gripper()
    assert caught.value.numbers["width"] < 0.001  # type: ignore[operator]


def test_out_of_reach_tells_by_how_far_and_does_not_move(desk: Desk) -> None:
    steps = desk.world.steps
    with pytest.raises(Unreachable) as caught:
        desk.move_to((1.2, 0.0, 0.2))
    assert 0.3 < float(caught.value.numbers["short_by"]) < 0.6  # type: ignore[arg-type]
    assert desk.world.steps == steps


def test_a_blocked_motion_tells_by_what_and_stops_pushing(desk: Desk) -> None:
    x, y, _ = desk.position(desk.top)
    desk.move_to((x, y, 0.2), via="high")
    with pytest.raises(Blocked) as caught:
        desk.move_to((x, y, -0.08), speed=0.2)
    assert caught.value.numbers["by"]
    assert float(caught.value.numbers["short_by"]) > 0.012  # type: ignore[arg-type]
    state = desk.world.observe()
    desk.world.settle(0.5)
    assert math.dist(desk.gripper_position(), state.gripper.position) < 0.01


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("move_to", [[0.5, 0.0]], {}),
        ("move_to", ["there"], {}),
        ("move_to", [[0.5, 0.0, math.nan]], {}),
        ("move_to", [[0.5, 0.0, 1e9]], {}),
        ("move_to", [[0.5, 0.0, True]], {}),
        ("move_to", [[0.5, 0.0, 0.2]], {"speed": 0.0}),
        ("move_to", [[0.5, 0.0, 0.2]], {"via": "sideways"}),
        ("move_to", [[0.5, 0.0, 0.2]], {"yaw": "north"}),
        ("move_to", [[0.5, 0.0, 0.2]], {"colour": "red"}),
        ("move_to", [], {}),
        ("close_gripper", [], {"force": 1e6}),
        ("wait", [-1.0], {}),
        ("wait", [1e9], {}),
        ("objects", ["unicorn"], {}),
        ("objects", [["block"]], {}),
        ("say", [5], {}),
        ("say", ["x" * 201], {}),
        ("_over", [], {}),
        ("reset", [], {}),
        ("observe", [], {}),
    ],
)
def test_bad_arguments_are_refused_and_nothing_moves(
    desk: Desk, name: str, args: list[Any], kwargs: dict[str, Any]
) -> None:
    with pytest.raises(BadArgument):
        invoke(desk.world, name, args, kwargs)
    assert desk.world.steps == 0


@pytest.mark.parametrize("name", ["top", "", 5, None, ["x"]])
def test_unknown_objects_are_refused(desk: Desk, name: Any) -> None:
    for look in ("position", "yaw", "size", "kind", "colour"):
        with pytest.raises(UnknownObject):
            invoke(desk.world, look, [name], {})


def test_every_error_is_one_that_a_skill_can_catch_with_a_sentence(desk: Desk) -> None:
    with pytest.raises(ActionError) as caught:
        desk.position("nobody")
    assert caught.value.message and "objects()" in caught.value.message


def test_there_is_no_pick_and_no_place() -> None:
    assert set(ACTIONS) == {
        "objects", "kind", "colour", "position", "yaw", "size", "gripper_position",
        "gripper_width", "holding", "move_to", "move_by", "open_gripper", "close_gripper",
        "wait", "say",
    }  # fmt: skip
