"""Every step does in a scene exactly what its Python does."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest

from voyager.writers.grammar import LOOP, ForEach, Length, Step, UseSkill, primitives

KINDS = {"top": "block", "bottom": "block", "home": "bowl"}
BINDING = {"top": "kolar", "bottom": "mesit", "home": "zubin"}


class FakeHands:
    """Answers looks from fixed numbers and notes everything else."""

    def __init__(self) -> None:
        self.done: list[Any] = []

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        number = sum(map(ord, str(args))) % 97 / 100
        looks = {
            "position": (number, number / 2, number / 3),
            "size": (number / 5, number / 7, number / 9),
            "yaw": number,
            "objects": ["kolar", "mesit", "pavun"],
        }
        if name in looks:
            return looks[name]
        kwargs = {
            k: v for k, v in kwargs.items() if (k, v) not in (("yaw", None), ("via", "straight"))
        }
        self.done.append((name, _rounded(args), _rounded(kwargs)))
        return None

    def skill(self, program_hash: str, arguments: Mapping[str, str]) -> None:
        self.done.append((program_hash, tuple(arguments.values())))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 9)
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    return tuple(map(_rounded, value)) if isinstance(value, list | tuple) else value


def run_text(step: Step) -> list[Any]:
    """Execute what a step writes against the same hands."""
    hands = FakeHands()
    names: dict[str, Any] = dict(BINDING)
    for name in ("position", "size", "yaw", "objects", "move_to", "move_by", "open_gripper",
                 "close_gripper", "wait"):  # fmt: skip
        names[name] = lambda *a, _name=name, **k: hands.call(_name, *a, **k)
    names["put_on"] = lambda *a: hands.skill("f00d", dict(enumerate(a)))  # type: ignore[arg-type]
    exec("\n".join(step.lines()), names)  # noqa: S102 - our own text
    return hands.done


def steps() -> list[Step]:
    call = UseSkill("put_on", "f00d", (("upper", "top"), ("lower", "bottom")))
    loop = UseSkill("put_on", "f00d", (("upper", LOOP), ("lower", "bottom")))
    own = primitives(KINDS, [0.2, 0.01], movable=lambda kind: kind == "block")
    return [*own, call, ForEach("block", loop)]


@pytest.mark.parametrize("step", steps(), ids=lambda step: "; ".join(step.lines()))
def test_what_is_written_is_what_was_done(step: Step) -> None:
    hands = FakeHands()
    step.perform(hands, BINDING)
    assert hands.done
    assert run_text(step) == hands.done
    text = "\n".join(step.lines())
    assert all(f"{name}(" in text for name in step.calls)


def test_a_length_is_linear_in_sizes() -> None:
    length = Length(-0.02, ((0.5, "top", 2), (-1.0, "bottom", 0)))
    hands = FakeHands()
    size = {p: hands.call("size", BINDING[p]) for p in ("top", "bottom")}
    value = length.value(hands, BINDING)
    assert math.isclose(value, -0.02 + size["top"][2] / 2 - size["bottom"][0])
    assert length.code("z") == "z + size(top)[2] / 2 - size(bottom)[0] - 0.02"


def test_the_grammar_knows_no_predicate_and_reaches_past_the_goals_numbers() -> None:
    rises = [
        step.lines()[0]
        for step in primitives({"x": "block"}, [0.2], movable=lambda kind: True)
        if step.lines()[0].startswith("move_by((0.0, 0.0, 0.")
    ]
    assert "move_by((0.0, 0.0, 0.28))" in rises


def test_a_loop_leaves_out_what_is_bound() -> None:
    hands = FakeHands()
    ForEach("block", UseSkill("put_on", "f00d", (("upper", LOOP), ("lower", "bottom")))).perform(
        hands, BINDING
    )
    assert hands.done == [("f00d", ("kolar", "mesit")), ("f00d", ("pavun", "mesit"))]
