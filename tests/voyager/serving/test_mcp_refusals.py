"""What clients are told about arguments that do not fit: what pydantic finds, in our words."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from skill_store.export.schemas import NAME_PATTERN
from voyager.serving.mcp_refusals import refusal, unknown_tool

Name = Annotated[str, Field(pattern=NAME_PATTERN)]


class Asked(BaseModel):
    """Arguments of the kinds that the tools have."""

    model_config = ConfigDict(extra="forbid")
    skill: Name
    seed: Annotated[int, Field(strict=True, ge=0, le=99)] = 0
    picture: Annotated[bool, Field(strict=True)] = True
    text: Annotated[str, Field(max_length=5)] = ""
    scene: Name | None = None
    objects: Annotated[dict[Name, Name], Field(max_length=2)] = {}
    counts: dict[Name, Annotated[int, Field(strict=True, ge=1, le=12)]] = {}
    share: Annotated[float, Field(multiple_of=0.5)] = 0.5


NAMES = "names have 1 to 64 letters (a to z, A to Z), digits, _ and -"


def told(arguments: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        Asked.model_validate(arguments)
    return refusal(caught.value.errors(), tuple(Asked.model_fields))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"seed": -1}, "seed: -1 is below 0"),
        ({"seed": 100}, "seed: 100 is above 99"),
        ({"seed": True}, "seed: true is no whole number"),
        ({"seed": None}, "seed: null is no whole number"),
        ({"seed": 1.5}, "seed: 1.5 is no whole number"),
        ({"seed": float("nan")}, "seed: NaN is no whole number"),
        ({"seed": "3"}, "seed: '3' is no whole number"),
        ({"seed": [1]}, "seed: a list is no whole number"),
        ({"seed": 10**100}, f"seed: 1{'0' * 56}... is above 99"),
        ({"seed": 10**5000}, "seed: a value of type int is above 99"),
        ({"picture": 1}, "picture: 1 is neither true nor false"),
        ({"text": "x" * 6}, "text: the text is longer than 5 letters"),
        ({"text": {"a": 1}}, "text: an object is no text"),
        ({"scene": "../x"}, f"scene: '../x' cannot be a name; {NAMES}"),
        ({"objects": {"block": "a b"}}, f"objects['block']: 'a b' cannot be a name; {NAMES}"),
        ({"objects": {"a b": "x"}}, f"objects: 'a b' cannot be a name; {NAMES}"),
        ({"objects": {"b": "x" * 65}}, f"objects['b']: '{'x' * 57}...' cannot be a name; {NAMES}"),
        ({"objects": {"b": 3}}, "objects['b']: 3 is no text"),
        ({"objects": [1]}, "objects: a list is no JSON object"),
        (
            {"objects": {"a": "x", "b": "x", "c": "x"}},
            "objects: too many entries, at most 2 are allowed",
        ),
        ({"counts": {"block": 13}}, "counts['block']: 13 is above 12"),
        ({"sedd": 1}, "unknown argument 'sedd'; did you mean 'seed'?"),
        ({"share": 0.7}, "share: 0.7 does not fit; the tool's schema says what does"),
    ],
)
def test_a_finding_is_one_sentence(arguments: dict[str, Any], sentence: str) -> None:
    assert told({"skill": "lift", **arguments}) == sentence


def test_what_is_missing_or_unlike_anything_is_told() -> None:
    assert told({}) == "skill is missing"
    everything = ", ".join(Asked.model_fields)
    assert told({"skill": "lift", "zzz": 1}) == f"unknown argument 'zzz'; there are: {everything}"
    assert told({"skill": "lift", "a\n\x1b[2J": 1}).startswith(r"unknown argument 'a\n\x1b[2J'; ")


def test_several_findings_are_told_and_no_more_than_a_few() -> None:
    assert told({"seed": -1, "sedd": 1}) == (
        "skill is missing; seed: -1 is below 0; unknown argument 'sedd'; did you mean 'seed'?"
    )
    many = {f"other{number}": 1 for number in range(40)}
    said = told({"skill": "lift", **many})
    assert said.endswith("; and 37 more")
    assert said.count("unknown argument") == 3


def test_a_tool_that_there_is_not() -> None:
    tools = ("new_scene", "run_skill")
    assert unknown_tool("run_skil", tools) == (
        "there is no tool 'run_skil'; did you mean 'run_skill'?"
    )
    assert unknown_tool("x" * 900, tools) == (
        f"there is no tool '{'x' * 57}...'; there are: new_scene, run_skill"
    )
