from __future__ import annotations

import re

import jsonschema
import pytest
from langchain_core.utils.function_calling import convert_to_openai_tool

from env.program import Closure, Program
from env.task import Task
from skill_store.clock import utc_now
from skill_store.export.claims import proof_sentence
from skill_store.export.schemas import (
    MOST_DESCRIPTION,
    NAME_PATTERN,
    description,
    fixed_values,
    function_tool,
    one_line,
    parameters_schema,
    tool_names,
)
from skill_store.skill import Skill, SkillState
from tests.env.skills import PUT_ON, STACKING
from tests.skill_store.samples import certificate

_TUNED = '''\
from robot import Block, move_to, position


def hover(
    block: Block,
    height: float = 0.25,
    times: int = -2,
    how: str = "high",
    slowly: bool = False,
    odd: float = 1e999,
    made: float = 0.1 + 0.1,
) -> None:
    """Go above it."""
    x, y, z = position(block)
    move_to((x, y, z + height))
'''


def skill(task: Task, closure: Closure) -> Skill:
    return Skill(
        name=closure.entry.name,
        state=SkillState.ACTIVE,
        closure=closure,
        task=task,
        certificate=certificate(task, closure),
        deepening=None,
        added_at=utc_now(),
        version=1,
        pinned=False,
    )


PUTTING = skill(PUT_ON, STACKING)
HOVERING = skill(
    Task.make("at(gripper, block)", {"block": "block"}), Closure.of(Program.parse(_TUNED))
)


def allowed(schema: object, arguments: object) -> bool:
    try:
        jsonschema.validate(arguments, schema)
    except jsonschema.ValidationError:
        return False
    return True


def test_a_schema_is_sound_strict_and_about_objects() -> None:
    schema = parameters_schema(PUTTING)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["required"] == ["top", "bottom"] == list(schema["properties"])
    assert "its kind: block." in schema["properties"]["top"]["description"]
    good = {"top": "mutip", "bottom": "fusaf"}
    assert allowed(schema, good)
    for bad in (
        {"top": "mutip"},
        {**good, "speed": 3},
        {**good, "top": 3},
        {**good, "top": ""},
        {**good, "top": "a b"},
        {**good, "top": "x" * 65},
        [],
    ):
        assert not allowed(schema, bad), bad


def test_an_abstract_kind_names_its_cases() -> None:
    task = Task.make("lifted(thing)", {"thing": "graspable"})
    source = _TUNED.replace("Block", "Graspable").replace("block:", "thing:")
    made = skill(task, Closure.of(Program.parse(source.replace("(block)", "(thing)"))))
    words = parameters_schema(made)["properties"]["thing"]["description"]
    assert words.endswith("its kind: graspable (block, ball).")


def test_numbers_have_the_values_that_were_certified_and_no_other() -> None:
    assert fixed_values(HOVERING.program) == {
        "height": ("float", 0.25),
        "times": ("int", -2),
        "how": ("str", "high"),
        "slowly": ("bool", False),
    }
    schema = parameters_schema(HOVERING)
    good = {"block": "mutip", "height": 0.25, "times": -2, "how": "high", "slowly": False}
    assert allowed(schema, good)
    assert not allowed(schema, {**good, "height": 0.3})
    assert not allowed(schema, {**good, "odd": 1.0})
    assert list(parameters_schema(HOVERING, fixed=False)["properties"]) == ["block"]


@pytest.mark.parametrize("made", [PUTTING, HOVERING], ids=["objects", "values"])
def test_definitions_are_what_langchain_makes_of_the_same(made: Skill) -> None:
    told, schema = description(made), parameters_schema(made)
    given = {"title": made.name, "description": told, **schema}
    ours = function_tool(made.name, told, schema)
    assert ours == convert_to_openai_tool(given, strict=True)
    flat = function_tool(made.name, told, schema, flat=True)
    assert flat == {"type": "function", **ours["function"]}


def test_a_description_says_what_is_proved_however_long_the_rest_is() -> None:
    proof = proof_sentence(PUTTING)
    told = description(PUTTING)
    assert told.endswith(proof) and "on(top, bottom)" in told and len(told) <= MOST_DESCRIPTION
    long = Task.make(PUT_ON.goal.text, PUT_ON.kinds, instruction="Pile up. " * 200)
    cut = description(skill(long, STACKING))
    assert cut.endswith(proof) and len(cut) <= MOST_DESCRIPTION
    assert description(PUTTING, most=10).endswith(proof)


def test_texts_of_others_come_in_one_visible_line() -> None:
    assert one_line("a\n\tb\x1b[31m\u202ec\u200b d") == "a b [31m c d"
    loud = Task.make(PUT_ON.goal.text, PUT_ON.kinds, instruction="Put\x07 it\non\u202e.")
    assert description(skill(loud, STACKING)).startswith("Put it on .")


def test_tool_names_are_fit_for_every_protocol_and_differ() -> None:
    names = ["put_on", "new_scene", "a b", "a.b", "x" * 80, "x" * 70, "", "new_scene"]
    made = tool_names(names[:-1], taken=("new_scene",))
    assert made["put_on"] == "put_on" and made["new_scene"] == "new_scene_2"
    assert len(set(made.values())) == 7
    assert all(re.fullmatch(NAME_PATTERN, name) for name in made.values())
