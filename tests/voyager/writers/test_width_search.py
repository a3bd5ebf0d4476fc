"""The search on a small made-up world, where every answer is known."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from voyager.writers.base import Counts
from voyager.writers.grammar import Call, Step
from voyager.writers.lanes import OPEN, Observation
from voyager.writers.width_search import Seen, WidthSearch

State = frozenset[int]
OPENING, AT, HELD, HIGH, DONE, LURE = 100, 0, 1, 2, 3, 4


@dataclass
class FakePool:
    """Lanes that are sets of facts; each lane may begin differently."""

    starts: Sequence[State]

    def __post_init__(self) -> None:
        self.count = len(self.starts)
        self.simulated_steps = 0
        self.kept = {0: list(self.starts)}
        self.roots = [self._show(s) for s in self.starts]
        self.tried = 0

    def _show(self, state: State | None) -> Observation:
        if state is None:
            return Observation(error="not possible here")
        true = frozenset(f for f in state if f < OPENING)
        shown = true | ({OPEN} if OPENING in state else set())
        # The lure shortens the distance and leads nowhere.
        distance = 3.0 - len(true & {AT, HELD, HIGH}) - (2.5 if LURE in state else 0.0)
        return Observation(shown, 0 if DONE in true else 1, max(distance, 0.1), steps=1)

    def _after(self, state: State, step: Step) -> State | None:
        assert isinstance(step, Call)
        if step.name == "open_gripper":
            return (state | {OPENING}) - {HELD, HIGH}
        if step.name == "go":
            return state | {AT} if OPENING in state else None
        if step.name == "close_gripper":
            return (state - {OPENING}) | {HELD} if {AT, OPENING} <= state else None
        if step.name == "rise":
            return state | {HIGH} if HELD in state else None
        if step.name == "finish":
            return state | {DONE} if {HELD, HIGH} <= state else None
        if step.name == "lure":
            return state | {LURE}
        return state

    def attempt(
        self, node: int, wanted: Sequence[tuple[int, Sequence[Step]]]
    ) -> list[list[Observation]]:
        found = []
        for lane, steps in wanted:
            self.tried += len(steps)
            self.simulated_steps += len(steps)
            found.append([self._show(self._after(self.kept[node][lane], s)) for s in steps])
        return found

    def keep(self, node: int, step: Step, new_node: int) -> list[Observation]:
        after = [self._after(state, step) for state in self.kept[node]]
        if all(state is not None for state in after):
            self.kept[new_node] = [s for s in after if s is not None]
        return [self._show(state) for state in after]


STEPS = tuple(
    Call(name) for name in ("lure", "idle", "finish", "rise", "close_gripper", "go", "open_gripper")
)
MIXED = [frozenset[int](), frozenset({OPENING}), frozenset({OPENING, AT})]


def first_plan(pool: FakePool, limit: int = 10_000) -> tuple[list[str], Counts]:
    counts = Counts()
    search = WidthSearch(pool, [STEPS], counts)  # type: ignore[arg-type]
    plans = search.plans(lambda: pool.simulated_steps < limit)
    plan = next(plans, ())
    return [step.name for step in plan if isinstance(step, Call)], counts


def test_a_plan_must_hold_in_all_lanes_at_once() -> None:
    names, _ = first_plan(FakePool(MIXED))
    assert [n for n in names if n != "lure"] == [
        "open_gripper", "go", "close_gripper", "rise", "finish",
    ]  # fmt: skip


def test_one_lane_that_happens_to_be_ahead_does_not_mislead() -> None:
    ahead = frozenset({OPENING, AT})
    alone, _ = first_plan(FakePool([ahead]))
    assert "open_gripper" not in alone
    both, _ = first_plan(FakePool([ahead, frozenset()]))
    assert both[0] in ("open_gripper", "lure") and "open_gripper" in both


def test_a_lure_that_shortens_the_distance_does_not_starve_the_way() -> None:
    pool = FakePool(MIXED)
    names, counts = first_plan(pool)
    assert names
    assert counts.expanded < 20
    assert counts.generated == counts.expanded * len(STEPS)


def test_a_first_group_that_leads_to_the_goal_saves_work() -> None:
    way = [s for s in STEPS if s.name not in ("lure", "idle")]
    rest = [s for s in STEPS if s.name in ("lure", "idle")]
    counts = Counts()
    search = WidthSearch(FakePool(MIXED), [way, rest], counts)  # type: ignore[arg-type]
    assert next(search.plans(lambda: True))
    assert counts.generated < first_plan(FakePool(MIXED))[1].generated


def test_a_later_group_is_tried_when_the_first_leads_nowhere() -> None:
    first = [s for s in STEPS if s.name in ("lure", "idle")]
    rest = [s for s in STEPS if s.name not in ("lure", "idle")]
    search = WidthSearch(FakePool(MIXED), [first, rest], Counts())  # type: ignore[arg-type]
    assert next(search.plans(lambda: True))


def test_the_search_stops_when_it_is_told_to() -> None:
    pool = FakePool(MIXED)
    names, counts = first_plan(pool, limit=5)
    assert names == [] and counts.expanded == 1


def test_it_ends_when_nothing_new_can_be_shown() -> None:
    pool = FakePool([frozenset()])
    counts = Counts()
    search = WidthSearch(pool, [STEPS[:2]], counts)  # type: ignore[arg-type]
    assert list(search.plans(lambda: True)) == []
    assert counts.expanded <= 4


def test_the_same_lanes_give_the_same_plans_and_counts() -> None:
    runs = [first_plan(FakePool(MIXED)) for _ in range(2)]
    assert runs[0] == runs[1]


def test_more_plans_are_found_when_asked_for() -> None:
    pool = FakePool(MIXED)
    search = WidthSearch(pool, [STEPS], Counts())  # type: ignore[arg-type]
    plans = list(itertools.islice(search.plans(lambda: pool.simulated_steps < 10_000), 3))
    assert len(set(plans)) == len(plans) >= 2


def test_a_node_is_worth_what_its_worst_lane_is() -> None:
    seen = Seen.over([Observation(frozenset({1, 2}), 1, 2.0), Observation(frozenset({2}), 3, 4.0)])
    assert seen == Seen(frozenset({2}), 3, 3.0)
    assert Seen(frozenset({1, 2, 3}), 0, 0.0).features(2) == {
        (1,), (2,), (3,), (1, 2), (1, 3), (2, 3),
    }  # fmt: skip


def test_the_plan_that_serves_most_lanes_is_remembered_where_none_serves_all() -> None:
    stuck = frozenset({LURE - 100})

    class HalfPool(FakePool):
        """Nothing can be finished in a lane that is stuck."""

        def _after(self, state: State, step: Step) -> State | None:
            after = super()._after(state, step)
            return None if after is not None and stuck <= after and DONE in after else after

    ready = frozenset({HELD, HIGH})
    for starts, plan in (([ready | stuck, ready, ready], ["finish"]), ([ready | stuck], [])):
        pool = HalfPool(starts)
        search = WidthSearch(pool, [STEPS], Counts())  # type: ignore[arg-type]
        assert next(search.plans(lambda pool=pool: pool.simulated_steps < 500), None) is None
        assert [step.name for step in search.partly if isinstance(step, Call)] == plan
