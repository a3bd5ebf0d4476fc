"""Reading goals: what is accepted, and what every refusal says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from env.errors import GoalError, KindError, VoyagerError
from env.goal_forms import Atom
from env.goals import Goal
from tests.env.states import PARAMETERS, goals

KINDS = {"top": "block", "bottom": "block", "dish": "bowl", "mark": "place"}


@pytest.mark.parametrize("text", ["lifted(top, 0.1)", "lifted(top, h=0.1)", " lifted(top,h=1e-1) "])
def test_thresholds_by_place_and_by_name(text: str) -> None:
    assert Goal.parse(text, KINDS).atoms == (Atom("lifted", ("top",), (0.1,)),)


def test_the_second_threshold_can_be_set_alone() -> None:
    assert Goal.parse("still(top, turning=1)", KINDS).atoms[0].thresholds == (0.01, 1.0)
    assert Goal.parse("still(top, 0.2, 0.5)", KINDS).atoms[0].thresholds == (0.2, 0.5)


def test_a_goal_may_span_lines() -> None:
    goal = Goal.parse("on(top,\n   bottom)\n and clear()", {"top": "block", "bottom": "block"})
    assert goal.text == "on(top, bottom) and clear()"


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 1, "empty"),
        ("   ", 1, "empty"),
        ("on(top, bottom", 3, "never closed"),
        ("  on(top,, bottom)", 10, "not an expression"),
        ("lifted(top) and lifte(top)", 17, "did you mean 'lifted'"),
        ("on(tip, bottom)", 4, "did you mean 'top'"),
        ("on(top)", 1, r"on\(a: graspable, b: object\)"),
        ("held(top, 0.1)", 1, "it is written held"),
        ("on(top, dish, by=1)", 15, "has no number 'by'; it has none"),
        ("lifted(top, hh=0.1)", 13, "did you mean 'h'"),
        ("lifted(top, 0.1, h=0.1)", 18, "given twice"),
        ("still(top, 0.1, speed=0.1)", 17, "given twice"),
        ("lifted(top, 0)", 13, "above 0"),
        ("lifted(top, -0.1)", 13, "above 0"),
        ("lifted(top, 1e999)", 13, "finite"),
        ("lifted(top, 'high')", 13, "expected a number"),
        ("lifted(top, True)", 13, "expected a number"),
        ("lifted(top, 0.1 + 0.1)", 13, "expected a number"),
        ("upright(top, 4)", 14, "at most 3.14"),
        ("held(dish)", 6, "must be a graspable, not dish"),
        ("held(gripper)", 6, "must be a graspable, not gripper"),
        ("inside(top, bottom)", 13, "must be a container"),
        ("at(mark, top)", 4, "gripper or object"),
        ("on(top, top)", 1, "different things"),
        ("held('top')", 6, "must be a parameter"),
        ("held(it)", 6, "only inside count"),
        ("held", 1, "must be called"),
        ("top", 1, "alone is no condition"),
        ("True", 1, "expected a predicate"),
        ("1 < 2", 1, r"only count\(...\) can be compared"),
        ("held(top) == True", 1, "only count"),
        ('count("block", held(it))', 1, "compare count"),
        ('count("blok", held(it)) > 1', 7, "did you mean 'block'"),
        ("count(block, held(it)) > 1", 7, "as a string"),
        ('count("block", held(top)) > 1', 16, "must mention 'it'"),
        ('count("bowl", held(it)) > 1', 20, "must be a graspable"),
        ('count("block", held(it)) > 1.5', 28, "whole number"),
        ('count("block", held(it)) >= -1', 29, "whole number"),
        ('count("block", held(it)) >= 0', 1, "always True"),
        ('count("block", held(it)) < 0', 1, "always False"),
        ('1 <= count("block", held(it)) <= 2', 1, "join two comparisons"),
        ('every("block", some("block", on(it, top)))', 16, "unclear"),
        ('every("block", eventually(held(it)))', 16, "cannot stand inside"),
        ("eventually(always(held(top)))", 12, "cannot stand inside"),
        ("then(eventually(held(top)), held(top))", 6, "cannot stand inside"),
        ("eventually(held(top), 1)", 1, "takes one condition"),
        ("held_for(held(top))", 1, "a condition and seconds"),
        ("held_for(held(top), 0)", 21, "above 0"),
        ("held_for(held(top), 1e6)", 21, "at most 600"),
        ("held_for(held(top), time=1)", 21, "takes no 'time'"),
        ("__import__('os').system('ls')", 1, "only predicates"),
        ("(lambda: held(top))()", 1, "only predicates"),
        ("held(*top)", 6, "no place"),
        ("held(top, **top)", 11, "has no number"),
        ("[held(top)]", 1, "expected a predicate"),
        ("held(top) if held(top) else held(top)", 1, "expected a predicate"),
        ("held(top) # really", 11, "cannot contain '#'"),
        ("held(tóp)", 7, "cannot contain"),
        ("held(top)\x00", 10, "cannot contain"),
        ("held(top) & held(bottom)", 1, "expected a predicate"),
    ],
)
def test_refusals_name_the_column(text: str, column: int, words: str) -> None:
    with pytest.raises(GoalError, match=words) as caught:
        Goal.parse(text, KINDS)
    assert caught.value.column == column


@pytest.mark.parametrize(
    "text",
    [
        "not " * 400 + "held(top)",
        "(" * 150 + "held(top)" + ")" * 150 + " and " + "not " * 100 + "held(top)",
        "(" * 900 + "held(top)" + ")" * 900,
        " and ".join(["held(top)"] * 65),
        "held(top) and " * 300 + "held(top)",
    ],
)
def test_size_and_depth_are_limited(text: str) -> None:
    with pytest.raises(GoalError):
        Goal.parse(text, KINDS)


@pytest.mark.parametrize(
    "name", ["gripper", "it", "count", "then", "not", "a b", "", "é", "x" * 41]
)
def test_parameter_names_are_checked(name: str) -> None:
    with pytest.raises(GoalError, match="cannot name a parameter"):
        Goal.parse("clear()", {name: "block"})


def test_parameter_kinds_and_number_are_checked() -> None:
    with pytest.raises(KindError, match="did you mean 'block'"):
        Goal.parse("held(x)", {"x": "blok"})
    with pytest.raises(GoalError, match="at most 8"):
        Goal.parse("held(x0)", {f"x{i}": "block" for i in range(9)})


@given(st.text(max_size=60))
@settings(max_examples=120)
def test_no_text_gets_past_the_error_types(text: str) -> None:
    try:
        Goal.parse(text, KINDS)
    except VoyagerError as error:
        assert str(error)


@given(goals)
@settings(max_examples=80)
def test_texts_of_parts_parse_back(text: str) -> None:
    goal = Goal.parse(text, PARAMETERS)
    for part in goal.conjuncts:
        again = Goal.parse(part.text, PARAMETERS)
        assert again.form == part
