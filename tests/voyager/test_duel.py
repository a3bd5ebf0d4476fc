"""Duels: the sign test, when they end, and that both programs meet the same scenes."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest

from env.errors import TaskError
from env.program import Closure
from env.starts import Handover, heldout_seed, practice_seed
from tests.env.skills import LIFT, LIFTING, PUT_ON, REACH, REACHING, STACKING, closure
from tests.voyager.scripted import ScriptedExecutor
from voyager.duel import LEVEL, SCENES, Duel, duel, duel_seed, settled, sign_test

OTHER = closure(
    "from robot import Block, open_gripper\n\n\n"
    'def lift(block: Block) -> None:\n    """Do something else."""\n    open_gripper()\n'
)


def fought(champion: float, challenger: float) -> tuple[Duel, ScriptedExecutor]:
    """A duel of programs that solve the given shares of all scenes."""

    def rule(program: Closure, seed: int) -> bool:
        share = champion if program == LIFTING else challenger
        return seed % 1000 < 1000 * share

    executor = ScriptedExecutor(rule)
    return duel(LIFT, LIFTING, OTHER, executor=executor), executor


def test_the_sign_test_is_exact() -> None:
    assert sign_test(0, 0) == 1
    assert sign_test(5, 0) == Fraction(1, 32)
    assert sign_test(4, 0) == Fraction(1, 16)
    assert sign_test(9, 1) == Fraction(11, 1024)


def test_a_duel_ends_only_when_nothing_could_change_its_decision() -> None:
    for won, lost, left in product(range(9), range(5), range(9)):
        if settled(won, lost, left):
            decisions = {
                sign_test(won + more, lost + less) <= LEVEL
                for more in range(left + 1)
                for less in range(left + 1 - more)
            }
            assert len(decisions) == 1, (won, lost, left)


def test_a_clearly_better_challenger_wins_early() -> None:
    found, executor = fought(0.0, 1.0)
    assert found.better and found.p < LEVEL
    assert found.lost == 0 and found.won == len(found.pairs) < SCENES
    assert found.steps == 100 * 2 * len(found.pairs)
    assert len(executor.trials) == 2 * len(found.pairs)


def test_equals_and_worse_ones_do_not_win() -> None:
    equal, _ = fought(1.0, 1.0)
    assert (equal.won, equal.lost, equal.better) == (0, 0, False)
    # Five scenes won are the least that could decide, so the last four need not be run.
    assert len(equal.pairs) == SCENES - 4
    worse, _ = fought(0.9, 0.2)
    assert not worse.better and worse.won == 0


def test_a_challenger_that_is_slightly_better_is_not_shown_to_be() -> None:
    found, _ = fought(0.97, 1.0)
    assert found.won <= 4 and not found.better


def test_both_meet_the_same_scenes_hand_overs_included() -> None:
    executor = ScriptedExecutor(lambda program, seed: True)
    offered = (Handover(LIFTING, LIFT), Handover(REACHING, REACH))
    other = closure(STACKING.entry.source.replace("0.004", "0.005"), LIFTING)
    found = duel(PUT_ON, STACKING, other, executor=executor, handovers=offered)
    starts = [trial.start for trial in executor.trials]
    assert starts[0::2] == starts[1::2]
    assert any(start.handover is not None for start in starts)
    assert {trial.closure.hash for trial in executor.trials[0::2]} == {STACKING.hash}
    assert {trial.closure.hash for trial in executor.trials[1::2]} == {other.hash}
    assert len(found.pairs) == SCENES - 4
    record = found.to_json()
    assert (record["scenes"], record["won"], record["better"]) == (len(found.pairs), 0, False)


def test_seeds_of_a_duel_belong_to_it_alone() -> None:
    seeds = [duel_seed(LIFT, LIFTING, OTHER, index) for index in range(50)]
    others = [duel_seed(LIFT, OTHER, LIFTING, index) for index in range(50)]
    others += [heldout_seed(LIFT, OTHER, 0, index) for index in range(50)]
    others += [practice_seed(LIFT, index) for index in range(50)]
    assert len({*seeds, *others}) == 200


def test_scenes_that_cannot_be_begun_in_count_for_neither() -> None:
    executor = ScriptedExecutor(lambda program, seed: None if seed % 3 == 0 else program == OTHER)
    found = duel(LIFT, LIFTING, OTHER, executor=executor)
    assert found.better and found.discarded > 0
    never = ScriptedExecutor(lambda program, seed: None)
    with pytest.raises(TaskError, match="600 of 600 scenes"):
        duel(LIFT, LIFTING, OTHER, executor=never)
