"""Scenes: what is drawn, and that it is always the same."""

from __future__ import annotations

import itertools
import math

import pytest

from env.errors import SceneError
from env.kinds import is_a
from env.robots import make_robot
from env.scene import COLOURS, Scene, SceneSpec, sample

PARAMETERS = {"top": "block", "bottom": "block", "home": "bowl"}
SEEDS = range(60)


def scenes() -> list[Scene]:
    return [sample(SceneSpec(), PARAMETERS, seed) for seed in SEEDS]


def test_the_same_seed_draws_the_same_scene() -> None:
    assert scenes() == scenes()
    assert len({scene.bodies for scene in scenes()}) == len(SEEDS)


def test_parameters_are_bound_to_distinct_objects_of_their_kind() -> None:
    for scene in scenes():
        bodies = {body.name: body for body in scene.bodies}
        assert len(set(scene.binding.values())) == len(PARAMETERS)
        for parameter, name in scene.binding.items():
            assert is_a(bodies[name].spec.kind, PARAMETERS[parameter])


def test_names_are_opaque_and_redrawn() -> None:
    names = [body.name for scene in scenes() for body in scene.bodies]
    assert not {"block", "bowl", "ball", "tray", *PARAMETERS} & set(names)
    assert len(set(names)) > 0.95 * len(names)
    # A name must not give the parameter away by its place in the list either.
    first = [min(scene.binding, key=lambda p: scene.binding[p]) for scene in scenes()]
    assert set(first) == set(PARAMETERS)


def test_nothing_overlaps_and_everything_is_reachable() -> None:
    robot = make_robot("panda")
    for scene in scenes():
        for one, other in itertools.combinations(scene.bodies, 2):
            radii = [math.hypot(*body.spec.size[:2]) / 2 for body in (one, other)]
            assert math.dist(one.position[:2], other.position[:2]) > sum(radii) + 0.05
        for body in scene.bodies:
            above = (*body.position[:2], body.position[2] + 0.15)
            assert robot.reachable(body.position, body.yaw) == 0.0
            assert robot.reachable(above, body.yaw) == 0.0
        assert robot.reachable(scene.start.position, scene.start.yaw) == 0.0


def test_what_may_vary_does_vary_within_its_range() -> None:
    spec = SceneSpec()
    bodies = [body.spec for scene in scenes() for body in scene.bodies]
    blocks = [body for body in bodies if body.kind == "block"]
    frictions = [body.friction for body in bodies]
    assert min(frictions) >= spec.friction[0] and max(frictions) <= spec.friction[1]
    assert max(frictions) - min(frictions) > 0.9 * (spec.friction[1] - spec.friction[0])
    densities = [b.mass / math.prod(b.size) for b in blocks]
    assert max(densities) / min(densities) > 2.0
    assert min(b.size[2] for b in blocks) < 0.032 and max(b.size[2] for b in blocks) > 0.06
    assert all(min(b.size[:2]) <= 0.0601 for b in blocks)
    extra = {len(scene.bodies) - len(PARAMETERS) for scene in scenes()}
    assert extra == {0, 1, 2, 3}
    assert {body.colour for body in bodies} == set(COLOURS)
    starts = [scene.start for scene in scenes()]
    assert {start.opening for start in starts} == {True, False}


def test_extras_are_added() -> None:
    spec = SceneSpec(extras=(("ball", 2, 3),), distractors=(0, 0))
    counts = {
        sum(body.spec.kind == "ball" for body in sample(spec, {"home": "tray"}, seed).bodies)
        for seed in range(30)
    }
    assert counts == {2, 3}


def test_a_spec_survives_json() -> None:
    spec = SceneSpec(extras=(("block", 1, 2),), friction=(0.6, 0.7), distractors=(1, 1))
    assert SceneSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"distractors": (3, 1)}, "distractors"),
        ({"mass_spread": 1.5}, "mass_spread"),
        ({"friction": (0.0, 1.0)}, "friction"),
        ({"reach": (0.7, 0.5)}, "reach"),
    ],
)
def test_a_spec_that_cannot_be_drawn_is_refused(change: dict[str, object], word: str) -> None:
    with pytest.raises(SceneError, match=word):
        SceneSpec(**change)  # type: ignore[arg-type]


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(SceneError, match="gravity"):
        SceneSpec.from_json({"gravity": 1.6})


def test_a_full_table_is_an_error_with_advice() -> None:
    spec = SceneSpec(extras=(("tray", 12, 12),))
    with pytest.raises(SceneError, match="fewer or smaller"):
        sample(spec, {}, 0)
