"""Which library skills a search gets to try."""

from __future__ import annotations

import random
from collections.abc import Sequence

from env.program import Closure, Program, kind_annotation
from env.starts import Handover
from env.task import Task
from voyager.writers.grammar import ForEach, Step, UseSkill
from voyager.writers.macros import MOST, macros


def skill(name: str, goal: str, **kinds: str) -> Handover:
    """A skill with a contract; its program is never run here."""
    task = Task.make(goal, kinds)
    types = ", ".join(sorted({kind_annotation(kind) for kind in kinds.values()}))
    signature = ", ".join(f"{p}: {kind_annotation(kind)}" for p, kind in kinds.items())
    source = (
        f"from robot import {types}, open_gripper\n\n\n"
        f'def {name}({signature}) -> None:\n    """Do it."""\n    open_gripper()\n'
    )
    return Handover(Closure.of(Program.parse(source)).with_contract(task), task)


LIFT = skill("lift", "lifted(block)", block="block")
PUT_ON = skill("put_on", "on(top, bottom) and clear()", top="block", bottom="block")
PUT_IN = skill("put_in", "inside(ball, bowl)", ball="ball", bowl="bowl")
TOWER = Task.make("on(a, b) and on(c, a) and clear()", {"a": "block", "b": "block", "c": "block"})


def offered(task: Task, skills: Sequence[Handover]) -> tuple[Step, ...]:
    found = macros(task, skills)
    return (*found.reaching, *found.related)


def lines(task: Task, *skills: Handover) -> list[str]:
    return [step.lines()[-1].strip() for step in offered(task, skills)]


def test_calls_that_guarantee_goal_atoms_come_first() -> None:
    found = lines(TOWER, LIFT, PUT_ON)
    assert set(found[:2]) == {"put_on(a, b)", "put_on(c, a)"}
    assert "lift(c)" in found
    assert len(found) == 6 + 3
    reaching = macros(TOWER, [LIFT, PUT_ON]).reaching
    assert {step.lines()[0] for step in reaching} >= {"put_on(a, b)", "put_on(c, a)"}
    assert not any("lift" in step.lines()[0] for step in reaching)


def test_kinds_decide_what_can_be_bound() -> None:
    assert lines(TOWER, PUT_IN) == []
    task = Task.make("inside(ball, bowl) and clear()", {"ball": "ball", "bowl": "bowl"})
    assert lines(task, PUT_IN, LIFT) == ["put_in(ball, bowl)"]


def test_the_number_of_calls_does_not_grow_with_the_library() -> None:
    many = [
        skill(f"lift_{i}", f"lifted(block, {0.05 + i / 1000})", block="block") for i in range(80)
    ]
    found = offered(TOWER, [*many, PUT_ON])
    assert len(found) == MOST
    assert {"put_on(a, b)", "put_on(c, a)"} <= {step.lines()[0] for step in found}


def test_the_order_of_the_library_does_not_matter() -> None:
    skills = [LIFT, PUT_ON, PUT_IN, skill("get_clear", "clear() and still(block)", block="block")]
    expected = macros(TOWER, skills)
    for seed in range(5):
        shuffled = random.Random(seed).sample(skills, len(skills))
        assert macros(TOWER, shuffled) == expected


def test_a_harder_contract_guarantees_an_easier_atom_but_not_the_other_way() -> None:
    high, low = skill("high", "lifted(block, 0.2)", block="block"), LIFT
    easy = Task.make("lifted(x, 0.1)", {"x": "block"})
    ranked = [s.name for s in offered(easy, [low, high]) if isinstance(s, UseSkill)]
    assert ranked == ["high", "lift"]


def test_quantified_goals_get_loops() -> None:
    task = Task.make('every("ball", inside(it, home))', {"home": "bowl"})
    found = offered(task, [PUT_IN])
    assert [type(step) for step in found] == [ForEach]
    assert found[0].lines() == [
        'for thing in objects("ball"):',
        "    if thing not in (home,):",
        "        put_in(thing, home)",
    ]
