"""Effects and preconditions from constructed episodes: what is seen, and what chance is not."""

from __future__ import annotations

import random
from itertools import product
from pathlib import Path

import pytest

from env.goals import Goal
from env.outcome import Outcome
from skill_store import Library
from skill_store.evidence import ERROR, Seen, evidence, learned_from
from tests.skill_store.samples import REACH, certificate, plain

TWO = {"top": "block", "bottom": "block"}


def seen(begun: str, ended: str, solved: bool) -> Seen:
    return Seen(frozenset(begun.split()), frozenset(ended.split()), solved)


def noisy(seed: int, count: int, atoms: int, *, fails: float) -> list[Seen]:
    """Starts of random atoms and outcomes that have nothing to do with them."""
    rng = random.Random(seed)
    return [
        Seen(
            frozenset(f"a{i}" for i in range(atoms) if rng.random() < 0.5),
            frozenset(),
            rng.random() >= fails,
        )
        for _ in range(count)
    ]


# -- effects ------------------------------------------------------------------------------------


def test_effects_are_true_at_the_end_of_nearly_all_solved_ones_and_new() -> None:
    episodes = [seen("clear() still(top)", "on(top,bottom) still(top) near(top,bottom)", True)] * 19
    episodes.append(seen("clear()", "on(top,bottom)", True))
    episodes += [seen("", "lifted(bottom)", False)] * 20
    found = evidence(episodes)
    # near(top, bottom) holds in 19 of 20, which is just 95 %; still(top) was so before.
    assert found.effects == ("near(top,bottom)", "on(top,bottom)")
    assert (found.of, found.solved) == (40, 20)
    episodes.append(seen("clear()", "on(top,bottom)", True))
    assert evidence(episodes).effects == ("on(top,bottom)",)


def test_a_few_episodes_show_no_effects() -> None:
    assert evidence([seen("", "held(block)", True)] * 9).effects == ()
    assert evidence([seen("", "held(block)", True)] * 10).effects == ("held(block)",)


def test_nothing_recorded_is_nothing_claimed() -> None:
    found = evidence([])
    assert (found.effects, found.precondition, found.of) == ((), None, 0)


# -- preconditions ------------------------------------------------------------------------------


def test_a_clear_condition_is_found_and_is_a_goal_over_the_parameters() -> None:
    episodes = [seen("upright(top) clear()", "", True)] * 30 + [seen("clear()", "", False)] * 6
    found = evidence(episodes)
    assert found.precondition == "upright(top)"
    assert found.support is not None
    assert (found.support.solved, found.support.of) == (30, 30)
    assert (found.support.solved_without, found.support.of_without) == (0, 6)
    assert found.support.p <= found.support.level <= float(ERROR) / 2
    Goal.parse(found.precondition, TWO)


def test_what_must_not_be_is_written_with_not() -> None:
    episodes = [seen("clear()", "", True)] * 30 + [seen("clear() held(bottom)", "", False)] * 6
    found = evidence(episodes).precondition
    assert found == "not held(bottom)"
    assert Goal.parse(found, TWO).text == found


def test_of_conditions_that_cover_the_same_starts_the_plainer_stands() -> None:
    good = "left_of(top,bottom) upright(bottom)"
    episodes = [seen(good, "", True)] * 30 + [seen("right_of(top,bottom)", "", False)] * 6
    assert evidence(episodes).precondition == "upright(bottom)"


def test_two_conditions_together_are_found_where_neither_tells_alone() -> None:
    episodes = []
    for one, other in product((True, False), repeat=2):
        begun = " ".join(atom for atom, on in (("a()", one), ("b()", other)) if on)
        episodes += [seen(begun, "", solved=one == other)] * 12
    # Solved where both hold or neither does: no conjunction of two covers half of more than that.
    assert evidence(episodes).precondition in ("a() and b()", "not a() and not b()")


def test_one_failure_among_forty_supports_no_condition() -> None:
    episodes = [seen("upright(top)", "", True)] * 39 + [seen("", "", False)]
    assert evidence(episodes).precondition is None


def test_a_condition_that_leaves_out_most_good_starts_is_none() -> None:
    episodes = [seen("rare()", "", True)] * 40 + [seen("", "", True)] * 60
    episodes += [seen("", "", False)] * 60
    assert evidence(episodes).precondition is None


def test_always_solved_and_never_solved_tell_no_condition() -> None:
    for solved in (True, False):
        episodes = [seen("a()", "", solved)] * 20 + [seen("", "", solved)] * 20
        assert evidence(episodes).precondition is None


@pytest.mark.parametrize("fails", [0.1, 0.5])
def test_chance_is_named_a_condition_in_at_most_one_of_twenty_libraries(fails: float) -> None:
    named = sum(
        evidence(noisy(seed, 60, 12, fails=fails)).precondition is not None for seed in range(200)
    )
    # 5 % of 200 is 10; without the guard it would be nearly all of them.
    assert named <= 10


def test_the_order_of_the_episodes_does_not_matter() -> None:
    episodes = noisy(3, 60, 8, fails=0.0)
    episodes = [Seen(e.begun, e.ended, "a1" in e.begun or "a2" not in e.begun) for e in episodes]
    found = evidence(episodes)
    assert found.precondition is not None
    shuffled = random.Random(1).sample(episodes, len(episodes))
    assert evidence(shuffled) == found


# -- from a library -----------------------------------------------------------------------------


def test_recorded_episodes_of_the_present_program_are_read(tmp_path: Path) -> None:
    closure = plain("reach")
    with Library.open(tmp_path, learning=True) as library:
        library.reserve(REACH, closure)
        library.add(REACH, closure, certificate(REACH, closure))
        assert learned_from(library, "reach").of == 0
        for number in range(40):
            good = number % 5 != 0
            library.journal.record_episode(
                program=closure.root,
                task=REACH.hash,
                purpose="held-out",
                seed=number,
                outcome=Outcome.SOLVED if good else Outcome.FAILED,
                margin=None,
                detail={
                    "begun": ["clear()", "upright(block)"] if good else ["clear()"],
                    "ended": ["at(gripper, block)"],
                },
            )
        for outcome, detail in (
            (Outcome.SANDBOX_LOST, {"begun": [], "ended": []}),  # says nothing about the program
            (Outcome.SOLVED, {"note": "another kind of record"}),
        ):
            library.journal.record_episode(
                program=closure.root,
                task=REACH.hash,
                purpose="use",
                seed=1,
                outcome=outcome,
                margin=None,
                detail=detail,
            )
        found = learned_from(library, "reach")
    assert found.of == 40
    assert found.effects == ("at(gripper, block)",)
    assert found.precondition == "upright(block)"
