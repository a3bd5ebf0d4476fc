"""Known programs, written for other kinds of objects."""

from __future__ import annotations

from dataclasses import replace

import pytest

from curriculum.situation import Unfinished
from env.executors import SerialExecutor
from env.program import Closure, Program
from env.starts import Handover
from env.task import Task
from tests.env.skills import LIFTING, closure
from voyager.play import play, where_it_went_well
from voyager.writers.adapt import MOST, adaptations, finishing, retrying, retyped
from voyager.writers.base import Brief, Budget, Ledger
from voyager.writers.emit import observed
from voyager.writers.search import SearchWriter
from voyager.writers.trial import TRIAL, try_out

GRASP_TASK = Task.make("held(thing)", {"thing": "graspable"})
GRASP = closure(
    '''\
from robot import Graspable, close_gripper, move_by, move_to, open_gripper, position, yaw


def grasp(thing: Graspable) -> None:
    """Hold a thing."""
    open_gripper()
    move_to(position(thing), yaw=yaw(thing), via="high")
    close_gripper()
    move_by((0.0, 0.0, 0.1))
'''
)
PUT_TASK = Task.make("on(ball, block)", {"ball": "ball", "block": "block"})
PUT = closure(
    '''\
from robot import Ball, Block, move_to, open_gripper, position, size, yaw
from skills.grasp import grasp


def put_on(ball: Ball, block: Block) -> None:
    """Put a ball on a block.

    Over two paragraphs.
    """
    grasp(ball)
    x, y, z = position(block)
    move_to((x, y, z + size(block)[2] / 2 + size(ball)[2] / 2 + 0.005), yaw=yaw(block), via="high")
    open_gripper()
''',
    GRASP.with_contract(GRASP_TASK),
)
SKILLS = (
    Handover(GRASP.with_contract(GRASP_TASK), GRASP_TASK),
    Handover(PUT.with_contract(PUT_TASK), PUT_TASK),
)
BLOCKS = Task.make("on(top, bottom)", {"top": "block", "bottom": "block"})


def test_a_program_is_written_for_other_kinds_and_reads_well() -> None:
    (program,) = adaptations("stack", BLOCKS, SKILLS)
    assert program.source == (
        "from robot import Block, move_to, open_gripper, position, size, yaw\n"
        "from skills.grasp import grasp\n"
        "\n"
        "\n"
        "def stack(top: Block, bottom: Block) -> None:\n"
        f'    """{BLOCKS.instruction}\n'
        "\n"
        "    Args:\n"
        "        top: A block.\n"
        "        bottom: A block.\n"
        '    """\n'
        "    grasp(top)\n"
        "    x, y, z = position(bottom)\n"
        "    move_to((x, y, z + size(bottom)[2] / 2 + size(top)[2] / 2 + 0.005), "
        'yaw=yaw(bottom), via="high")\n'
        "    open_gripper()\n"
    )
    assert program.lock == PUT.entry.lock


def test_objects_that_change_places_keep_their_parts() -> None:
    swapped = Task.make("on(block, ball)", {"block": "block", "ball": "block"})
    (program,) = adaptations("put", swapped, SKILLS)
    assert "def put(block: Block, ball: Block)" in program.source
    assert "grasp(block)\n    x, y, z = position(ball)" in program.source


@pytest.mark.parametrize(
    ("goal", "kinds"),
    [
        ("on(ball, block)", {"ball": "ball", "block": "block"}),  # covered: to be run
        ("on(a, b) and clear()", {"a": "block", "b": "block"}),  # promises less
        ("inside(a, b)", {"a": "ball", "b": "bowl"}),
        ("held(a)", {"a": "block"}),
    ],
)
def test_nothing_is_adapted_that_is_covered_or_promises_less(
    goal: str, kinds: dict[str, str]
) -> None:
    assert adaptations("it", Task.make(goal, kinds), SKILLS) == ()


def test_a_name_that_would_mean_two_things_is_left_alone() -> None:
    tricky = Task.make("on(x, block)", {"x": "block", "block": "block"})
    assert adaptations("put", tricky, SKILLS) == ()
    assert retyped(PUT.entry, "grasp", BLOCKS, {"ball": "top", "block": "bottom"}) is None


def test_few_programs_are_tried_and_those_that_promise_least_besides_first() -> None:
    more = Task.make("on(ball, block) and clear()", {"ball": "ball", "block": "block"})
    found = []
    for number in range(MOST + 2):
        text = PUT.entry.source.replace("0.005", f"0.00{number + 1}")
        made = Closure.of(Program.parse(text, PUT.entry.lock), (GRASP.with_contract(GRASP_TASK),))
        found.append(Handover(made.with_contract(more), more))
    programs = adaptations("stack", BLOCKS, [*found, *SKILLS])
    assert len(programs) == MOST
    assert "0.005" in programs[0].source


def test_a_known_program_that_holds_in_practice_needs_no_search() -> None:
    ledger = Ledger(Budget(150_000))
    with SerialExecutor() as executor:
        brief = Brief(BLOCKS, "stack", SKILLS, (), 0, 4, ledger, executor)
        draft = SearchWriter().write(brief)
    assert draft is not None and draft.solved >= 19
    assert draft.closure.entry.source == adaptations("stack", BLOCKS, SKILLS)[0].source
    assert set(ledger.budget.spent) == {"practice"} and ledger.counts.generated == 0


def test_playing_tells_on_which_other_kinds_a_program_works() -> None:
    with SerialExecutor() as executor:
        found = play(PUT_TASK, PUT, SKILLS, executor, {})
        more = play(PUT_TASK, PUT, SKILLS, executor, {**found.rates, "on(block, bowl)": (1, 3)})
        nothing = play(Task.make("held(a) and clear()", {"a": "block"}), LIFTING, (), executor, {})
    assert found.rates["on(block, block)"] == (3, 3)
    assert found.rates["on(block, bowl)"] == (0, 3)
    assert "on(ball, block)" not in found.rates and found.steps > 0
    assert (nothing.rates, nothing.steps) == ({}, 0)
    # What some program can do is not tried again; what none can yet is.
    assert "on(block, block)" not in more.rates and more.rates["on(block, bowl)"] == (0, 3)


def test_a_known_program_can_be_made_to_try_again() -> None:
    again = retrying(PUT.entry, PUT_TASK)
    assert again is not None and again.name == "put_on" and again.lock == PUT.entry.lock
    once, whole = again.source.split("def put_on(")
    assert "def _once(ball: Ball, block: Block) -> None:\n    grasp(ball)\n" in once
    assert once.startswith("import math\n\nfrom robot import (\n    ActionError,\n")
    check = observed(PUT_TASK.goal)
    assert check is not None and f"        if {check}:\n            return\n" in whole
    assert "            _once(ball, block)\n" in whole and again.doc.startswith(
        PUT_TASK.instruction
    )
    assert retrying(again, PUT_TASK) is None
    named = {"table": "block", "thing": "ball"}
    other = retyped(
        PUT.entry, "put", Task.make("on(thing, table)", named), {"ball": "thing", "block": "table"}
    )
    assert other is not None
    kept = retrying(other, Task.make("on(thing, table)", named))
    assert kept is not None and "def put(table: Block, thing: Ball)" in kept.source
    assert "def _once(thing: Ball, table: Block)" in kept.source
    assert "            _once(thing, table)\n" in kept.source
    moving = retrying(GRASP.entry, Task.make("moved(thing)", {"thing": "graspable"}))
    assert moving is not None and "            _once(thing)\n            return\n" in moving.source


def test_a_program_that_failed_on_more_kinds_is_written_for_fewer() -> None:
    wide = Task.make("on(ball, block)", {"ball": "graspable", "block": "object"})
    (blocks,) = finishing("stack", BLOCKS, [Unfinished(wide, PUT.entry)])
    assert blocks.kinds == BLOCKS.kinds and blocks.name == "stack" and blocks.lock == PUT.entry.lock
    assert not finishing("stack", BLOCKS, [Unfinished(PUT_TASK, PUT.entry)])
    more = Task.make("on(ball, block) and held(other)", {**wide.kinds, "other": "graspable"})
    assert not finishing("stack", BLOCKS, [Unfinished(more, PUT.entry)])
    beside = Task.make("left_of(ball, block)", {"ball": "graspable", "block": "object"})
    assert not finishing("stack", BLOCKS, [Unfinished(beside, PUT.entry)])


def test_where_a_search_ended_the_next_one_begins() -> None:
    balls = Task.make("held(ball)", {"ball": "ball"})
    ledger = Ledger(Budget(10**9))
    with SerialExecutor() as executor:
        known = (Unfinished(GRASP_TASK, GRASP.entry),)
        brief = Brief(balls, "hold", (), (), 0, 4, ledger, executor, unfinished=known)
        writer = SearchWriter()
        draft, after_refusal = writer.write(brief), writer.write(brief)
        anew = writer.write(replace(brief, ledger=Ledger(Budget(10**9))))
    assert draft is not None and draft.closure.entry.name == "hold"
    assert after_refusal is not None and after_refusal.closure.entry.doc.count("Tries up to 3")
    assert anew is not None and anew.closure.root == draft.closure.root
    assert ledger.counts.generated == 0 and "search" not in ledger.budget.spent


def test_where_a_program_went_well_is_found_with_a_trial_to_the_end() -> None:
    task = Task.make("lifted(thing)", {"thing": "graspable"})
    blocks_only = closure(
        """\
from robot import Graspable, kind, open_gripper
from skills.grasp import grasp


def lift(thing: Graspable) -> None:
    \"""Lift a thing, and let it fall if it is a ball.\"""
    grasp(thing)
    if kind(thing) == "ball":
        open_gripper()
""",
        GRASP.with_contract(GRASP_TASK),
    )
    ledger = Ledger(Budget(10**9))
    with SerialExecutor() as executor:
        brief = Brief(task, "lift", SKILLS, (), 0, 4, ledger, executor)
        trial = try_out(brief, blocks_only.entry, 0, thorough=False)
        assert ledger.counts.nearest is trial and not trial.held
        found = where_it_went_well(brief, trial)
    assert found is not None and found.kinds == {"thing": "block"}
    assert sum(ledger.counts.practised.values()) == TRIAL


def test_a_search_that_has_no_plan_when_its_patience_ends_gives_up() -> None:
    apart = Task.make("held(a) and held(b)", {"a": "block", "b": "block"})
    ledger = Ledger(Budget(10**6))
    with SerialExecutor() as executor:
        brief = Brief(apart, "grab", SKILLS, (), 0, 2, ledger, executor, patience=8_000)
        assert SearchWriter().write(brief) is None
    assert 8_000 <= ledger.budget.used < 80_000
