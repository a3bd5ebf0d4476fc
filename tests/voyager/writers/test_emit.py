"""What a plan looks like as a program."""

from __future__ import annotations

import re

import pytest

from env.goal_forms import Atom
from env.program import Program
from env.task import Task
from voyager.writers.emit import name_for, observed, write_program
from voyager.writers.grammar import Call, Length, MoveTo, Step, UseSkill

TASK = Task.make("on(top, bottom) and clear()", {"top": "block", "bottom": "block"})
REST = Length(0.005, ((0.5, "bottom", 2), (0.5, "top", 2)))
NOTHING = Length()


def plan() -> list[Step]:
    return [
        UseSkill("lift", "a" * 64, (("block", "top"),)),
        MoveTo("bottom", (NOTHING, NOTHING, REST), "bottom", "high"),
        Call("open_gripper"),
        Call("move_by", ((0.0, 0.0, 0.1),)),
    ]


def test_a_program_is_readable_typed_documented_and_locked() -> None:
    program = write_program("put_on", TASK, plan())
    assert program is not None
    assert program.source == (
        "from robot import Block, move_by, move_to, open_gripper, position, size, yaw\n"
        "from skills.lift import lift\n"
        "\n"
        "\n"
        "def put_on(top: Block, bottom: Block) -> None:\n"
        f'    """{TASK.instruction}\n'
        "\n"
        "    Args:\n"
        "        top: A block.\n"
        "        bottom: A block.\n"
        '    """\n'
        "    lift(top)\n"
        "    x, y, z = position(bottom)\n"
        "    move_to((x, y, z + size(bottom)[2] / 2 + size(top)[2] / 2 + 0.005), "
        'yaw=yaw(bottom), via="high")\n'
        "    open_gripper()\n"
        "    move_by((0.0, 0.0, 0.1))\n"
    )
    assert program.lock == {"lift": "a" * 64}
    assert TASK.goal.text in program.doc


def test_retry_checks_what_the_robot_can_see() -> None:
    program = write_program("put_on", TASK, plan(), retry=True)
    assert program is not None
    assert "for _ in range(3):" in program.source
    assert "except ActionError as error:" in program.source
    assert "import math" in program.source
    assert Program.parse(program.source, program.lock).hash == program.hash
    assert program.hash != write_program("put_on", TASK, plan()).hash  # type: ignore[union-attr]


def test_a_retry_leaves_alone_what_is_seen_to_be_done() -> None:
    task = Task.make("on(a, b) and on(c, a)", dict.fromkeys("abc", "block"))
    steps = [
        UseSkill("put_on", "a" * 64, (("top", "a"), ("bottom", "b"))),
        UseSkill("put_on", "a" * 64, (("top", "c"), ("bottom", "a"))),
    ]
    first, second = task.goal.atoms
    purposes = {steps[0]: [first], steps[1]: [second]}
    program = write_program("tower", task, steps, retry=True, purposes=purposes)
    assert program is not None
    once, whole = program.source.split("def tower(")
    seen = {atom: atom.observe({p: p for p in "abc"}) for atom in task.goal.atoms}
    assert f"    if not ({seen[first]}):\n        put_on(a, b)\n" in once
    assert f"    if not ({seen[second]}):\n        put_on(c, a)\n" in once
    assert f"if ({seen[first]}) and ({seen[second]}):" in whole
    # What is not known of each step, or of the only one, changes nothing.
    plain = write_program("tower", task, steps, retry=True)
    some = write_program("tower", task, steps, retry=True, purposes={steps[0]: [first]})
    assert plain is not None and some == plain != program
    untried = write_program("tower", task, steps, purposes=purposes)
    assert untried is not None and "if not" not in untried.source


def test_what_is_denied_or_counted_is_no_reason_to_leave_a_step_out() -> None:
    own = {"ball": "ball", "tray": "tray"}
    steps = [
        UseSkill("put_in", "a" * 64, (("thing", "block"), ("container", "tray"))),
        UseSkill("grasp", "b" * 64, (("thing", "ball"),)),
    ]
    for goal, kinds in (
        ("not inside(block, tray) and held(ball)", {"block": "block", **own}),
        ('every("block", inside(it, tray)) and held(ball)', own),
    ):
        task = Task.make(goal, kinds)
        atoms = [piece for piece in task.goal.form.walk() if isinstance(piece, Atom)]
        purposes = {step: [atom] for step, atom in zip(steps, atoms, strict=True)}
        program = write_program("tidy", task, steps, retry=True, purposes=purposes)
        assert "if not (" not in program.source.split("def tidy(")[0]


def test_a_goal_that_cannot_be_seen_is_tried_again_where_an_action_failed() -> None:
    task = Task.make("moved(block)", {"block": "block"})
    assert observed(task.goal) is None
    program = write_program("move", task, [Call("open_gripper")], retry=True)
    assert program.source == (
        "from robot import ActionError, Block, open_gripper, say\n"
        "\n"
        "\n"
        "def _once(block: Block) -> None:\n"
        "    open_gripper()\n"
        "\n"
        "\n"
        "def move(block: Block) -> None:\n"
        f'    """{task.instruction}\n'
        "\n"
        "    Tries up to 3 times, until no action has failed.\n"
        "\n"
        "    Args:\n"
        "        block: A block.\n"
        '    """\n'
        "    for _ in range(3):\n"
        "        try:\n"
        "            _once(block)\n"
        "            return\n"
        "        except ActionError as error:\n"
        "            say(error.message)\n"
    )


@pytest.mark.parametrize(
    ("goal", "name"),
    [
        ("lifted(a)", "lift"),
        ("on(a, b) and clear()", "put_on"),
        ("on(a, b) and on(c, a) and clear()", "put_on_in_turn"),
        ("on(a, b) and left_of(c, b)", "put_on_and_put_left_of"),
        ('every("block", left_of(it, a))', "put_left_of"),
        ("clear()", "get_clear"),
    ],
)
def test_names_come_from_verbs_without_counts(goal: str, name: str) -> None:
    kinds = {p: "block" for p in "abc" if re.search(rf"\b{p}\b", goal)}
    assert name_for(Task.make(goal, kinds).goal) == name
