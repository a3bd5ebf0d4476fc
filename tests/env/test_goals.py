"""Truth, margin, reports, binding and the language as a whole."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings

from env.errors import GoalError, KindError
from env.goal_canonical import normalise
from env.goal_syntax import parse
from env.goals import Goal, ground
from env.predicates import all_predicates
from env.state import GRIPPER, Contact, GripperState, State
from tests.env.states import (
    AWAY,
    BINDING,
    PARAMETERS,
    body,
    instant_goals,
    stacked,
    states,
    world,
)

STACK = {"top": "block", "bottom": "block"}
BOUND = {"top": "upper", "bottom": "lower"}


def test_the_example_of_the_readme() -> None:
    goal = Goal.parse("on(top, bottom) and clear()", STACK)
    state = stacked()
    assert goal.holds(state, BOUND)
    assert goal.margin(state, BOUND) > 0.0
    assert goal.needs == {"distances"}
    assert not goal.temporal
    assert [part.text for part in goal.conjuncts] == ["on(top, bottom)", "clear()"]


@given(states(), instant_goals)
@settings(max_examples=150)
def test_truth_and_margin_agree_in_sign(state: State, text: str) -> None:
    goal = Goal.parse(text, PARAMETERS)
    margin = goal.margin(state, BINDING)
    assert margin >= 0.0 if goal.holds(state, BINDING) else margin <= 0.0


@given(states(), instant_goals)
@settings(max_examples=80)
def test_the_normal_form_changes_neither_truth_nor_margin(state: State, text: str) -> None:
    form = parse(text, PARAMETERS)
    normal = normalise(form)
    assert form.holds(state, BINDING) == normal.holds(state, BINDING)
    assert form.margin(state, BINDING) == normal.margin(state, BINDING)


@given(states())
@settings(max_examples=40)
def test_every_ground_atom_agrees_in_sign_and_explains_itself(state: State) -> None:
    for atom in ground(PARAMETERS):
        margin = atom.margin(state, BINDING)
        holds = atom.holds(state, BINDING)
        assert margin > 0.0 if holds else margin <= 0.0
        goal = Goal.parse(atom.text, PARAMETERS)
        (line,) = goal.explain(state, BINDING)
        assert line.holds == holds
        assert bool(line.missing) != holds
        assert "{" not in line.missing
        assert (goal.approach(state, BINDING) >= 0.0) and (
            not holds or goal.approach(state, BINDING) == 0.0
        )


@given(states(), instant_goals)
@settings(max_examples=40)
def test_reports_are_complete(state: State, text: str) -> None:
    goal = Goal.parse(text, PARAMETERS)
    lines = goal.explain(state, BINDING)
    assert lines
    for line in lines:
        assert bool(line.missing) != line.holds
        assert "{" not in line.missing
    if not goal.holds(state, BINDING):
        assert any(line.missing for line in lines)


def test_sentences_name_parameters_and_numbers() -> None:
    goal = Goal.parse("on(top, bottom) and clear() and not near(top, bottom)", STACK)
    near_gripper = GripperState((0.5, 0.031, 0.18), 0.0, 0.08, True)
    state = stacked(dy=0.031, gripper=near_gripper)
    on, clear, near = goal.explain(state, BOUND)
    assert on.missing == "top is 31 mm left of the centre of bottom"
    assert (on.unit, round(on.value, 3)) == ("m", -0.011)
    assert clear.holds
    assert near.missing == "near(bottom, top) is true and must not be"
    closer = GripperState((0.5, 0.031, 0.10), 0.0, 0.08, True)
    clear = goal.explain(stacked(gripper=closer), BOUND)[1]
    assert clear.missing == "the gripper is 0.6 mm from top, closer than 50 mm"


def test_count_takes_the_kth_largest_margin() -> None:
    heights = (0.10, 0.20, 0.30)
    state = world(
        *[body(f"n{i}", "block", (0.4, 0.1 * i, h)) for i, h in enumerate(heights)],
        body("mark", "place", (0.4, 0.0, 0.0)),
    )
    one = Goal.parse("at(gripper, x, 0.5)", {"x": "block"})
    margins = sorted((one.margin(state, {"x": f"n{i}"}) for i in range(3)), reverse=True)
    for k, margin in enumerate(margins, start=1):
        goal = Goal.parse(f'count("block", at(gripper, it, 0.5)) >= {k}', {})
        assert goal.margin(state, {}) == margin
    assert Goal.parse('count("block", at(gripper, it, 0.5)) >= 5', {}).margin(state, {}) == -2.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('count("block", on(it, bottom)) >= 1', True),
        ('count("block", on(it, bottom)) > 1', False),
        ('count("block", on(it, bottom)) < 2', True),
        ('count("block", on(it, bottom)) <= 0', False),
        ('count("block", on(it, bottom)) == 1', True),
        ('count("block", on(it, bottom)) != 1', False),
        ('1 <= count("block", on(it, bottom))', True),
        ('2 == count("block", on(it, bottom))', False),
        ('some("block", on(it, bottom))', True),
        ('every("block", on(it, bottom))', True),  # `it` is none that the body names: injective.
        ('every("graspable", upright(it))', True),
        ('every("block", held(it))', False),
        ('some("block", held(it))', False),
        ('not every("ball", held(it))', True),  # There is no ball: `every` is false.
        ('every("ball", still(it))', False),
        ('count("ball", still(it)) == 0', True),
    ],
)
def test_quantifiers(text: str, expected: bool) -> None:
    goal = Goal.parse(text, STACK)
    state = stacked()
    assert goal.holds(state, BOUND) is expected
    assert (goal.margin(state, BOUND) > 0.0) is expected


def test_quantifiers_say_what_is_missing() -> None:
    state = stacked()
    lines = Goal.parse('every("block", lifted(it)) and some("ball", still(it))', STACK).explain(
        state, BOUND
    )
    assert lines[0].unit == "objects"
    assert lines[0].value == -2.0
    assert lines[0].missing.startswith("0 of 2 objects of kind block are so, 2 must be; nearest")
    assert lines[1].missing == "there are 0 objects of kind ball, 1 are needed"
    line = Goal.parse('count("block", held(it)) >= 1', {}).explain(state, {})[0]
    assert "upper: the gripper does not hold upper" in line.missing


def test_an_unbound_parameter_and_a_missing_object_are_named() -> None:
    goal = Goal.parse("on(top, bottom)", STACK)
    with pytest.raises(GoalError, match="has no 'top'"):
        goal.holds(stacked(), {"bottom": "lower"})
    with pytest.raises(GoalError, match="has no 'gone'"):
        goal.margin(stacked(), {"top": "gone", "bottom": "lower"})
    bare = State(0.0, stacked().bodies, AWAY, {})
    with pytest.raises(GoalError, match="distances"):
        Goal.parse("clear()", {}).holds(bare, {})


def test_bindings_are_checked() -> None:
    goal, state = Goal.parse("on(top, bottom)", STACK), stacked()
    goal.check_binding(state, BOUND)
    for wrong, words in [
        ({"top": "upper"}, "'bottom' is bound to None"),
        ({"top": "upper", "bottom": "upper"}, "two parameters"),
        ({"top": "upper", "bottom": "else"}, "not there"),
    ]:
        with pytest.raises(KindError, match=words):
            goal.check_binding(state, wrong)
    with pytest.raises(KindError, match="must be a ball"):
        Goal.parse("held(x)", {"x": "ball"}).check_binding(state, {"x": "upper"})


def test_goals_and_atoms_are_values() -> None:
    text = (
        'on(top, bottom) and count("block", held(it)) < 2 and every("block", still(it)) and '
        "eventually(held(top) or not clear()) and held_for(lifted(top), 1) and "
        "always(upright(bottom)) and then(held(top), then(lifted(top), on(top, bottom)))"
    )
    goal = Goal.parse(text, STACK)
    again = pickle.loads(pickle.dumps(goal))
    assert again == goal
    assert hash(again) == hash(goal)
    assert again.canonical == goal.canonical
    assert pickle.loads(pickle.dumps(goal.atoms)) == goal.atoms
    assert goal.temporal
    with pytest.raises(GoalError, match="needs a whole trace"):
        goal.holds(stacked(), BOUND)
    with pytest.raises(GoalError, match="needs a whole trace"):
        goal.margin(stacked(), BOUND)
    assert all(line.within for line in goal.explain(stacked(), BOUND)[3:])
    with pytest.raises(AttributeError):
        goal.text = "other"  # type: ignore[misc]


def test_approach_sums_the_distances_of_what_must_meet() -> None:
    gripper = GripperState((0.5, 0.0, 0.5), 0.0, 0.08, True)
    state = world(
        body("upper", "block", (0.5, 0.3, 0.02)),
        body("lower", "block", (0.5, 0.0, 0.02)),
        gripper=gripper,
        contacts=(Contact("upper", "table", 0.7, 0.7),),
    )
    goal = Goal.parse("on(top, bottom)", STACK)
    expected = (0.3**2 + 0.48**2) ** 0.5 + 0.3
    assert goal.approach(state, BOUND) == pytest.approx(expected)
    assert Goal.parse("on(top, bottom) and clear()", STACK).approach(state, BOUND) == pytest.approx(
        expected
    )
    assert Goal.parse("held(bottom) or on(top, bottom)", STACK).approach(
        state, BOUND
    ) == pytest.approx(0.48)
    assert Goal.parse('count("block", held(it)) >= 2', {}).approach(state, {}) > 0.9


def test_ground_respects_kinds_and_names_each_atom_once() -> None:
    atoms = ground({"x": "block", "y": "bowl", "p": "place"})
    texts = [atom.text for atom in atoms]
    assert len(set(texts)) == len(texts)
    assert {"inside(x, y)", "at_place(x, p)", "at(gripper, x)", "at(x, p)", "clear()"} <= set(texts)
    assert not {"held(y)", "inside(y, x)", "on(y, x)", "held(p)", "on(x, x)"} & set(texts)
    assert ("near(x, y)" in texts) and ("near(y, x)" not in texts)
    assert [a.text for a in ground({"x": "block"}, ["held", "lifted"])] == ["held(x)", "lifted(x)"]
    with pytest.raises(GoalError, match="did you mean 'held'"):
        ground({"x": "block"}, ["helt"])


def test_observations_are_expressions_over_the_robot_api() -> None:
    """They run against an API made from a state and agree with the judge on clear cases."""
    state = stacked()

    import math

    def position(name: str) -> tuple[float, float, float]:
        return state.bodies[name].position

    api = {
        "math": math,
        "position": position,
        "size": lambda name: state.bodies[name].size,
        "holding": lambda: state.gripper.holding,
        "gripper_position": lambda: state.gripper.position,
        "objects": lambda: sorted(state.bodies),
        "top": "upper",
        "bottom": "lower",
        "gripper": GRIPPER,
    }
    observable = 0
    for atom in ground(STACK):
        text = atom.observe({"top": "top", "bottom": "bottom"})
        if text is not None:
            observable += 1
            assert eval(text, dict(api)) == atom.holds(state, BOUND), text  # noqa: S307
    assert observable > 15
    assert {p.name for p in all_predicates() if p.observe is None} >= {"moved", "touching"}
