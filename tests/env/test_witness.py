"""Goals that are judged beside a task's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from env.episode import run_episode
from env.errors import GoalError
from env.goals import Atom, Goal
from env.task import Task
from env.witness import Witness
from env.workers import Bench
from tests.env.inline_sandbox import InlineSandbox
from tests.env.skills import LIFT, LIFTING


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    bench = Bench(InlineSandbox)
    yield bench
    bench.close()


def atom(text: str, task: Task) -> Atom:
    (found,) = Goal.parse(text, {n: k for n, k in task.parameters if n in text}).atoms
    return found


def test_witnesses_tell_what_became_true_and_change_nothing(bench: Bench) -> None:
    closure = LIFTING
    name = LIFT.parameters[0][0]
    texts = (f"lifted({name})", f"held({name})", "clear()", f"upright({name})")
    witnesses = [Witness.of_atom(atom(text, LIFT), LIFT.kinds) for text in texts]
    plain = run_episode(bench.world(), bench.sandbox(), LIFT, closure, 5)
    seen = run_episode(bench.world(), bench.sandbox(), LIFT, closure, 5, witnesses=witnesses)
    assert plain.solved and plain.sightings == ()
    assert (seen.state_hash, seen.margin, seen.steps) == (
        plain.state_hash, plain.margin, plain.steps,
    )  # fmt: skip
    lifted, held, clear, upright = seen.sightings
    assert (lifted.begun, lifted.held) == (False, True)
    assert (held.begun, held.held) == (False, True)
    assert not clear.held
    assert (upright.begun, upright.held) == (True, True)


def test_a_witness_may_name_its_parameters_otherwise(bench: Bench) -> None:
    name = LIFT.parameters[0][0]
    other = Witness(Goal.parse("held(thing)", {"thing": "block"}), (("thing", name),))
    seen = run_episode(bench.world(), bench.sandbox(), LIFT, LIFTING, 5, witnesses=[other])
    assert seen.sightings[0].held


def test_a_witness_speaks_about_the_tasks_own_parameters() -> None:
    (stranger,) = Goal.parse("held(stranger)", {"stranger": "block"}).atoms
    with pytest.raises(GoalError, match="stranger"):
        Witness.of_atom(stranger, LIFT.kinds)
