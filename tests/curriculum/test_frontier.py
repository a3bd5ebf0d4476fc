"""Which goals come first."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from curriculum.baselines import FixedProposer, RandomProposer
from curriculum.frontier import COMPOSED, FrontierProposer, Valued, values
from curriculum.narrowing import Narrower, Narrowing
from curriculum.proposer import Proposer
from curriculum.sightings import pattern
from curriculum.situation import Contract, Situation, Try
from env.goals import Goal
from env.outcome import Outcome
from env.task import Task


def contract(name: str, goal: str, **kinds: str) -> Contract:
    return Contract(name, Task.make(goal, kinds))


HOLD = contract("hold", "held(x)", x="graspable")
STACK = contract("stack", "on(a, b) and clear()", a="block", b="block")


def value_of(situation: Situation, goal: str, kinds: Mapping[str, str]) -> float:
    wanted = Goal.parse(goal, kinds).canonical
    found = [v.value for v in values(situation) if v.candidate.task.goal.canonical == wanted]
    assert len(found) == 1, goal
    return found[0]


def test_what_came_true_by_accident_comes_first() -> None:
    blind = Situation()
    others = {"inside(ball, bowl)": 0, "inside(block, bowl)": 0, "inside(block, tray)": 0}
    seeing = Situation(seen={"inside(ball, tray)": 3, **others})
    kinds = {"x": "ball", "c": "tray"}
    general = {"x": "graspable", "c": "container"}
    assert value_of(seeing, "inside(x, c)", kinds) > value_of(blind, "inside(x, c)", general)
    first = next(FrontierProposer().propose(seeing))
    assert "inside" in first.task.goal.text and "by accident 3 times" in first.why
    assert dict(first.task.kinds) == {"ball": "ball", "tray": "tray"}


def test_a_control_that_met_a_goal_by_accident_counts_too() -> None:
    task = Task.make("moved(graspable)", {"graspable": "graspable"})
    without = value_of(Situation(tested={task.hash: 0}), "moved(x)", {"x": "graspable"})
    by_chance = value_of(Situation(tested={task.hash: 1}), "moved(x)", {"x": "graspable"})
    assert by_chance > without


def test_atoms_that_exclude_each_other_come_last() -> None:
    first, second = Goal.parse("held(x) and clear()", {"x": "block"}).atoms
    both = pattern(first, second)
    kinds = {"x": "graspable"}
    plain = value_of(Situation(contracts=(HOLD,)), "held(x) and clear()", kinds)
    seen = Situation(contracts=(HOLD,), together=frozenset({both}))
    never = Situation(contracts=(HOLD,), apart=frozenset({both}))
    assert value_of(seen, "held(x) and clear()", kinds) > plain
    assert value_of(never, "held(x) and clear()", kinds) < plain


def test_a_pair_that_could_have_been_seen_and_was_not_is_doubted() -> None:
    goal, kinds = "on(a, b) and clear() and near(b, c)", dict.fromkeys("abc", "block")
    kinds["c"] = "object"
    two = Try(STACK.task, solved=True, outcome=Outcome.SOLVED, library=1)
    other = Task.make("touching(a, b) and touching(b, c)", kinds)
    three = Try(other, solved=True, outcome=Outcome.SOLVED, library=1)
    narrow = value_of(Situation(contracts=(STACK,), tries=(two,)), goal, kinds)
    wide = value_of(Situation(contracts=(STACK,), tries=(two, three)), goal, kinds)
    assert wide < narrow
    # What takes a skill each is not doubted for never having been seen by accident.
    tower, blocks = "on(a, b) and clear() and on(c, a)", dict.fromkeys("abc", "block")
    assert value_of(Situation(contracts=(STACK,), tries=(two, three)), tower, blocks) == value_of(
        Situation(contracts=(STACK,), tries=(two,)), tower, blocks
    )


def test_a_failed_task_comes_back_when_the_library_has_grown_with_more_effort() -> None:
    kinds = {"graspable": "graspable", "container": "container"}
    task = Task.make("inside(graspable, container)", kinds)
    failed = Try(task, solved=False, outcome=Outcome.LIMIT, library=0)
    at_once = Situation(tries=(failed,))
    assert failed.task.hash not in {p.task.hash for p in FrontierProposer().propose(at_once)}
    later = Situation(tries=(failed,), contracts=(HOLD, STACK))
    again = [p for p in FrontierProposer().propose(later) if p.task.hash == failed.task.hash]
    assert [p.proposer for p in again] == ["again"]
    assert again[0].effort == 2.0


def test_what_fails_sinks_and_what_is_certified_or_refused_is_not_proposed() -> None:
    task = Task.make("near(graspable, some_object)",
                     {"graspable": "graspable", "some_object": "object"})  # fmt: skip
    other = Task.make("near(block, bowl)", {"block": "block", "bowl": "bowl"})
    before = value_of(Situation(), task.goal.text, task.kinds)
    lost = Try(other, solved=False, outcome=Outcome.LIMIT, library=0)
    assert value_of(Situation(tries=(lost,)), task.goal.text, task.kinds) < before
    refused = Situation(refused=frozenset({task.hash}), contracts=(HOLD,))
    proposed = {p.task.hash for p in FrontierProposer().propose(refused)}
    assert task.hash not in proposed and HOLD.task.hash not in proposed


def test_what_contains_a_goal_that_failed_waits_for_it() -> None:
    kinds = {"graspable": "graspable"}
    failed = Try(
        Task.make("held(graspable) and upright(graspable)", kinds),
        solved=False, outcome=Outcome.LIMIT, library=1,
    )  # fmt: skip
    larger = contract("pair", "held(graspable) and moved(graspable)", **kinds)
    goal = "held(graspable) and moved(graspable) and upright(graspable)"
    before = value_of(Situation(contracts=(larger,)), goal, kinds)
    assert value_of(Situation(contracts=(larger,), tries=(failed,)), goal, kinds) < 0.5 * before
    solved = Try(failed.task, solved=True, outcome=Outcome.SOLVED, library=2)
    after = Situation(contracts=(larger,), tries=(failed, solved))
    assert value_of(after, goal, kinds) > value_of(
        Situation(contracts=(larger,), tries=(failed,)), goal, kinds
    )


def test_a_base_from_which_nothing_grows_is_left_alone() -> None:
    kinds = {"graspable": "graspable", "container": "container"}
    pair = contract("pair", "held(graspable) and near(graspable, container)", **kinds)
    goal = "held(graspable) and near(graspable, container) and behind(graspable, container)"
    tried = "held(graspable) and near(graspable, container) and left_of(graspable, container)"
    lost = Try(Task.make(tried, kinds), solved=False, outcome=Outcome.LIMIT, library=1)
    before = value_of(Situation(contracts=(pair,)), goal, kinds)
    assert value_of(Situation(contracts=(pair,), tries=(lost,)), goal, kinds) < before


def test_what_is_made_like_a_certified_goal_is_less_new() -> None:
    held = {"x": "block"}
    situation = Situation(contracts=(HOLD,), seen={"held(block)": 1, "moved(block)": 1})
    assert value_of(situation, "held(x)", held) < value_of(situation, "moved(x)", held)


def test_other_kinds_come_before_repetition_where_a_known_program_worked() -> None:
    ball = contract("put_on", "on(ball, block)", ball="ball", block="block")
    kinds = {"x": "graspable", "y": "block"}
    blind = Situation(contracts=(ball,))
    worked = Situation(contracts=(ball,), transfers={"on(block, block)": (3, 3)})
    failed = Situation(contracts=(ball,), transfers={"on(block, block)": (0, 3)})
    values_ = [value_of(s, "on(x, y)", kinds) for s in (failed, blind, worked)]
    assert values_ == sorted(values_) and len(set(values_)) == 3


def test_words_that_many_sorts_of_contracts_speak_are_less_new() -> None:
    others = ("near(a, b)", "left_of(a, b)", "behind(a, b)")
    lifts = [contract("lift", "lifted(a)", a="block")]
    lifts += [contract(p, f"lifted(a) and {p}", a="block", b="block") for p in others]
    goal, kinds = "on(a, b) and clear() and lifted(c)", dict.fromkeys("abc", "block")
    few = value_of(Situation(contracts=(STACK, lifts[0])), goal, kinds)
    many = value_of(Situation(contracts=(STACK, *lifts)), goal, kinds)
    assert many < few
    # The same promise on other kinds, or at another height, is of no new sort.
    higher = contract("higher", "lifted(a, 0.2)", a="ball")
    same = value_of(Situation(contracts=(STACK, lifts[0], higher)), goal, kinds)
    assert same == few


def test_putting_known_skills_together_is_worth_less_effort() -> None:
    found = {
        p.task.goal.canonical: p for p in FrontierProposer().propose(Situation(contracts=(STACK,)))
    }
    tower = Goal.parse("on(a, b) and clear() and on(c, a)", dict.fromkeys("abc", "block"))
    assert found[tower.canonical].effort == COMPOSED and found[tower.canonical].at_hand
    alone = Goal.parse("held(x)", {"x": "graspable"})
    by_hand = FrontierProposer().propose(Situation(contracts=(STACK,), calls=False))
    assert not any(p.at_hand or p.effort < 1.0 for p in by_hand)
    assert found[alone.canonical].effort == 1.0 and not found[alone.canonical].at_hand


@pytest.mark.parametrize("proposer", [FrontierProposer(), RandomProposer(), FixedProposer()])
def test_equal_situations_give_equal_proposals_and_other_seeds_others(proposer: Proposer) -> None:
    def first(situation: Situation) -> list[str]:
        return [p.task.hash for p, _ in zip(proposer.propose(situation), range(12), strict=False)]

    situation = Situation(contracts=(HOLD, STACK), seed=3, number=5)
    assert first(situation) == first(situation)
    assert len(set(first(situation))) == 12
    moved_on = Situation(contracts=(HOLD, STACK), seed=4, number=5)
    assert (first(situation) != first(moved_on)) == (proposer.name != "fixed")


@pytest.mark.parametrize("proposer", [RandomProposer(), FixedProposer()])
def test_baselines_never_repeat_what_was_tried(proposer: Proposer) -> None:
    first = next(proposer.propose(Situation())).task
    tried = Try(first, solved=False, outcome=Outcome.LIMIT, library=0)
    later = Situation(tries=(tried,))
    seen = [p.task.hash for p, _ in zip(proposer.propose(later), range(30), strict=False)]
    assert first.hash not in seen


def test_where_a_program_is_known_to_work_more_objects_make_nothing_harder() -> None:
    ball = contract("put_on", "on(ball, block)", ball="ball", block="block")
    worked = Situation(contracts=(ball,), transfers={"on(block, block)": (3, 3)})
    wide = Goal.parse("on(x, y)", {"x": "graspable", "y": "block"}).canonical
    (ease,) = [v.ease for v in values(worked) if v.candidate.task.goal.canonical == wide]
    assert ease == 1.0


def test_what_a_wider_goal_covers_is_asked_for_only_if_that_looks_harder() -> None:
    ball = contract("put_on", "on(ball, block)", ball="ball", block="block")
    narrow = Goal.parse("on(x, y)", {"x": "block", "y": "block"})
    wide = Task.make("on(x, y)", {"x": "graspable", "y": "block"})
    tried = Try(wide, solved=False, outcome=Outcome.LIMIT, library=-9)

    def asked(*tries: Try) -> bool:
        transfers = {"on(block, block)": (3, 3)}
        found = values(Situation(contracts=(ball,), transfers=transfers, tries=tries))
        return any(v.candidate.task.goal.canonical == narrow.canonical for v in found)

    assert not asked()
    assert asked(tried)


def test_words_that_go_together_well_promise_more_and_a_make_that_failed_less() -> None:
    kinds = {"a": "block", "b": "block", "c": "block"}
    lift = contract("lift", "lifted(x)", x="block")
    put = contract("put_on", "on(a, b)", a="block", b="block")
    beside = contract("beside", "left_of(a, b)", a="block", b="block")
    goal = "on(a, b) and on(b, c)"

    def after(solved: bool, tried: str) -> float:
        past = Try(Task.make(tried, kinds), solved=solved, outcome=Outcome.LIMIT, library=3)
        return value_of(Situation(contracts=(lift, put, beside), tries=(past,)), goal, kinds)

    nothing = value_of(Situation(contracts=(lift, put, beside)), goal, kinds)
    assert after(True, "on(a, b) and left_of(c, a)") > nothing
    assert after(False, "on(a, b) and left_of(c, a)") < nothing
    assert after(False, "on(a, b) and on(a, c)") < after(False, "on(a, b) and left_of(c, a)")
    assert after(False, "left_of(a, b) and lifted(c)") == nothing


def test_of_what_skills_promise_what_is_about_more_kinds_comes_first() -> None:
    kinds = {"a": "graspable", "b": "block", "c": "block"}
    put = contract("put_on", "on(a, b)", a="graspable", b="block")
    goal = "on(a, b) and on(b, c)"
    wide = value_of(Situation(contracts=(put,)), goal, kinds)
    blocks = contract("stack", "on(a, b)", a="block", b="block")
    narrow = value_of(Situation(contracts=(blocks,)), goal, dict.fromkeys("abc", "block"))
    assert wide > narrow


def test_a_wide_goal_that_failed_is_asked_for_where_its_best_program_worked() -> None:
    wide = Task.make("on(x, y)", {"x": "graspable", "y": "object"})
    lost = Try(wide, solved=False, outcome=Outcome.LIMIT, library=0)
    rates = {f"on({x}, {y})": (3, 3) for x in ("ball", "block") for y in ("ball", "block")}
    rates |= {f"on({x}, {y})": (0, 3) for x in ("ball", "block") for y in ("bowl", "tray")}
    since = (HOLD, contract("lift", "lifted(x)", x="graspable"))
    told = Situation(contracts=since, tries=(lost,), transfers=rates)
    untold = Situation(contracts=since, tries=(lost,))
    for kinds, better in (({"x": "graspable", "y": "block"}, True), (dict(wide.kinds), False)):
        named = {"graspable": kinds["x"], "below": kinds["y"]}
        with_, without = (value_of(s, "on(graspable, below)", named) for s in (told, untold))
        assert (with_ > without) is better


def test_what_went_well_with_fewer_kinds_is_asked_for_next() -> None:
    put = contract("put_on", "on(a, b)", a="graspable", b="graspable")
    tower = Task.make("on(a, b) and on(c, a)", dict.fromkeys("abc", "graspable"))
    (wide,) = (
        v.candidate.task
        for v in values(Situation(contracts=(put,)))
        if v.candidate.task.goal.canonical == tower.goal.canonical
    )
    kinds = dict.fromkeys(wide.kinds, "block")
    narrow = Goal.parse(wide.goal.text, kinds).canonical
    tried = Try(wide, solved=False, outcome=Outcome.LIMIT, library=1)

    def asked(narrowings: Mapping[str, Narrowing]) -> list[Valued]:
        now = Situation(contracts=(put,), tries=(tried,), narrowings=narrowings)
        return [v for v in values(now) if v.candidate.task.goal.canonical == narrow]

    assert not asked({})
    (valued,) = asked({wide.hash: Narrowing(wide, Narrower(kinds, solved=8, of=8))})
    assert valued.ease == 0.9 and valued.candidate.at_hand and valued.progress > 0.3
    # It covers less, and that is all that speaks against it.
    fresh = value_of(Situation(contracts=(put,)), tower.goal.text, tower.kinds)
    assert valued.value > 0.5 * fresh


def test_what_went_well_is_told_of_a_goal_that_could_be_asked_for_anyway() -> None:
    put = contract("put_on", "on(a, b)", a="graspable", b="graspable")
    on_ball = contract("put_on_ball", "on(a, b)", a="ball", b="graspable")
    kinds = {"a": "ball", "b": "graspable", "c": "graspable"}
    wide = Task.make("on(a, b) and on(b, c)", dict.fromkeys("abc", "graspable"))
    ball_on_top = Task.make(wide.goal.text, kinds).goal.canonical

    def asked(narrowings: Mapping[str, Narrowing]) -> list[Valued]:
        now = Situation(contracts=(on_ball, put), narrowings=narrowings)
        return [v for v in values(now) if v.candidate.narrowed or is_ball_on_top(v)]

    def is_ball_on_top(valued: Valued) -> bool:
        return valued.candidate.task.goal.canonical == ball_on_top

    (plain,) = asked({})
    # Its parameters were called otherwise when it was tried.
    went_well = Narrower(kinds, solved=18, of=18)
    (told,) = asked({wide.hash: Narrowing(wide, went_well)})
    assert is_ball_on_top(told) and told.candidate.narrowed == went_well
    assert told.value > plain.value


def test_a_failure_says_little_about_the_same_with_other_kinds() -> None:
    on_block = contract("put_on", "on(a, b)", a="graspable", b="block")
    on_ball = contract("put_on_ball", "on(a, b)", a="graspable", b="ball")

    def after(bottom: str) -> float:
        kinds = {"top": "graspable", "middle": "block", "bottom": bottom}
        failed = Task.make("on(top, middle) and on(middle, bottom)", kinds)
        past = Try(failed, solved=False, outcome=Outcome.LIMIT, library=1)
        now = Situation(contracts=(on_block, on_ball), tries=(past,))
        wanted = {"top": "graspable", "middle": "block", "bottom": "block"}
        return value_of(now, "on(top, middle) and on(middle, bottom)", wanted)

    assert after("ball") > after("graspable")
    # Things of one name are of one kind: who stands where is not mixed up.
    assert after("ball") == after("tray")
