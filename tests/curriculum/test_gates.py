"""What a task must pass before anything is tried."""

from __future__ import annotations

from curriculum.gates import MATES, done_by, mates
from curriculum.proposer import Proposal
from curriculum.situation import Contract, Situation
from env.controls import arena
from env.task import Task


def contract(name: str, goal: str, always: frozenset[str] = frozenset(), **kinds: str) -> Contract:
    return Contract(name, Task.make(goal, kinds), always)


def test_what_a_contract_implies_is_done_already() -> None:
    situation = Situation(contracts=(contract("lift", "lifted(x, 0.1)", x="graspable"),))
    assert done_by(situation, Task.make("lifted(b)", {"b": "block"})) == "lift"
    assert done_by(situation, Task.make("lifted(b, 0.2)", {"b": "block"})) is None
    assert done_by(situation, Task.make("held(b)", {"b": "block"})) is None


def test_a_narrow_skill_does_not_do_a_wide_task() -> None:
    situation = Situation(contracts=(contract("lift", "lifted(x)", x="ball"),))
    assert done_by(situation, Task.make("lifted(x)", {"x": "graspable"})) is None


def test_what_a_skill_always_does_besides_counts_as_done() -> None:
    always = frozenset({"right_of(b, a)", "held(a)"})
    skill = contract("left", "left_of(a, b)", always, a="block", b="block")
    situation = Situation(contracts=(skill,))
    mirrored = Task.make("right_of(x, y)", {"x": "block", "y": "block"})
    assert done_by(situation, mirrored) == "left"
    both = Task.make("left_of(a, b) and held(a)", {"a": "block", "b": "block"})
    assert done_by(situation, both) == "left"
    other = Task.make("left_of(a, b) and held(b)", {"a": "block", "b": "block"})
    assert done_by(situation, other) is None


def test_mates_are_untested_tasks_of_the_same_arena() -> None:
    task = Task.make("lifted(x)", {"x": "block"})
    twin = Task.make("held(y)", {"y": "block"})
    tested = Task.make("moved(z)", {"z": "block"})
    elsewhere = Task.make("held(y)", {"y": "ball"})
    situation = Situation(tested={tested.hash: 0})
    offered = [Proposal(other, "test") for other in (task, tested, elsewhere, twin, twin)]
    assert mates(situation, task, offered) == (task, twin)


def test_what_a_known_program_may_do_is_tested_only_once_there_is_one() -> None:
    task = Task.make("on(x, y)", {"x": "block", "y": "block"})
    wider = Task.make("left_of(x, y)", {"x": "block", "y": "block"})
    composed = Task.make("on(x, y) and left_of(x, y)", {"x": "block", "y": "block"})
    offered = [Proposal(other, "test", at_hand=True) for other in (wider, composed)]
    assert mates(Situation(), task, offered) == (task, composed)


def test_an_arena_is_kinds_scenes_and_limits() -> None:
    one = Task.make("on(a, b)", {"a": "block", "b": "bowl"})
    two = Task.make("near(x, y)", {"y": "block", "x": "bowl"})
    assert arena(one) == arena(two)
    assert arena(one) != arena(Task.make("on(a, b)", {"a": "block", "b": "tray"}))
    assert arena(one) != arena(Task.make("on(a, b)", {"a": "block", "b": "bowl"}, time_limit=30))


def test_not_more_mates_than_are_worth_it() -> None:
    kinds = {"a": "block", "b": "block"}
    many = [Task.make(f"near(a, b, 0.{number})", kinds) for number in range(100, 100 + 2 * MATES)]
    assert len(mates(Situation(), many[0], [Proposal(one, "test") for one in many])) == MATES


def test_an_effect_that_is_much_rarer_than_what_was_promised_may_be_asked_for() -> None:
    besides = frozenset({"on(a, b)", "near(a, b)"})
    touch = contract("bring_together", "touching(a, b)", besides, a="block", b="block")
    kinds = {"a": "block", "b": "block"}
    often = {"touching": 30.0, "near": 90.0}
    for on, done in ((3.0, False), (20.0, True)):
        situation = Situation(contracts=(touch,), strayed=often | {"on": on})
        assert (done_by(situation, Task.make("on(a, b)", kinds)) is not None) is done
        assert done_by(situation, Task.make("near(a, b)", kinds)) == "bring_together"
        assert done_by(situation, Task.make("touching(b, a)", kinds)) == "bring_together"
