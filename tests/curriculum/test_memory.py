"""A curriculum reads only what is new, and knows what somebody knows who reads everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from curriculum.memory import Memory
from curriculum.narrowing import Narrower, Narrowing
from curriculum.situation import ALWAYS, Contract, Situation
from env.errors import VoyagerError
from env.outcome import Outcome
from env.program import Closure
from env.task import Task
from skill_store import Library, Origin, SkillState
from tests.skill_store.samples import LIFT, REACH, STACK, calling, certificate, plain
from tests.skill_store.test_versions import slower

PLATFORM = "here"


class Seconds:
    """Each look at the clock is a second later."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path, learning=True, clock=Seconds()) as opened:
        yield opened


def learn(library: Library, task: Task, closure: Closure) -> None:
    evidence = certificate(task, closure, library.reserve(task, closure))
    library.add(task, closure, evidence)


def show(library: Library, closure: Closure, task: Task, *endings: tuple[str, ...]) -> None:
    """Record episodes that ended with these atoms true."""
    for seed, atoms in enumerate(endings):
        library.journal.record_episode(
            program=closure.root,
            task=task.hash,
            purpose="certification",
            seed=seed,
            outcome=Outcome.SOLVED,
            margin=0.1,
            detail={"begun": [], "ended": list(atoms)},
        )


def attempt(library: Library, task: Task, outcome: Outcome, chosen: int | None = None) -> None:
    number = library.journal.begin_attempt(task)
    if chosen is not None:
        library.journal.keep_decision(number, chosen, "frontier", "why not")
    detail = {"library": 3, "sightings": {"seen": {"lifted(block)": 2}}}
    library.journal.end_attempt(number, outcome, "", detail=detail)


def contracts_by_hand(library: Library) -> tuple[Contract, ...]:
    """What every entry and every record of an episode tell, read anew."""
    renewed = library.renewals()
    found = []
    for entry in library.entries():
        try:
            task = library.journal.task(entry.task) if entry.state.callable else None
        except VoyagerError:
            continue
        if task is None:
            continue
        since = renewed.get(entry.program)
        records = [
            record
            for record in library.journal.episodes(entry.program)
            if since is None or record.at >= datetime.fromisoformat(since)
        ]
        ended = Counter(atom for record in records for atom in record.detail.get("ended", ()))
        always = frozenset(a for a, times in ended.items() if times >= ALWAYS * len(records))
        found.append(Contract(entry.name, task, always))
    return tuple(found)


class Watched:
    """One memory that lives through everything, compared with fresh ones."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.memory = Memory(library, PLATFORM, 7)

    def check(self) -> Situation:
        situation = self.memory.situation()
        assert situation == Memory(self.library, PLATFORM, 7).situation()
        assert situation.contracts == contracts_by_hand(self.library)
        return situation


def test_reading_what_is_new_gives_what_reading_everything_gives(library: Library) -> None:
    watched = Watched(library)
    assert watched.check() == Situation(seed=7)
    reach = plain("reach")
    learn(library, REACH, reach)
    assert watched.check().contracts == (Contract("reach", REACH),)

    show(library, reach, REACH, *[("near(gripper, block)",)] * 9, ("lifted(block)",))
    (contract,) = watched.check().contracts
    assert contract.always == {"near(gripper, block)"}
    show(library, reach, REACH, (), ())
    (contract,) = watched.check().contracts
    assert contract.always == frozenset()

    lift = calling("lift", reach)
    learn(library, LIFT, lift)
    show(library, lift, LIFT, ("clear()",))
    attempt(library, LIFT, Outcome.SOLVED, 0)
    attempt(library, STACK, Outcome.SANDBOX_LOST, 1)
    attempt(library, STACK, Outcome.FAILED, 1)
    library.journal.keep_controls(STACK, PLATFORM, False, {"rates": [{"solved": 5}]})
    situation = watched.check()
    assert (len(situation.contracts), len(situation.tries), situation.number) == (2, 2, 2)
    assert situation.refused == {STACK.hash}
    assert situation.seen == {"lifted(block)": 4}
    # Twice in the one search that was not for it, and once before any.
    assert situation.strayed == {"lifted": (1 + 2) / (1 + 1)}

    library.set_state("reach", SkillState.RETIRED)
    assert [contract.name for contract in watched.check().contracts] == ["lift"]
    library.set_state("reach", SkillState.ACTIVE)
    other = slower("reach")
    evidence = certificate(REACH, other, library.reserve(REACH, other))
    library.add_version("reach", other, evidence, Origin.CHALLENGER, champion=True)
    show(library, other, REACH, ("held_for(lifted(block), 1)",))
    assert "held_for(lifted(block), 1)" in watched.check().contracts[0].always
    library.crown("reach", 1)
    assert watched.check().contracts[0].always == frozenset()


def test_what_another_judge_saw_counts_no_longer_once_a_skill_is_renewed(
    library: Library,
) -> None:
    reach = plain("reach")
    learn(library, REACH, reach)
    show(library, reach, REACH, ("lifted(block)",))
    early, late = Watched(library), Watched(library)
    early.check()
    library.set_state("reach", SkillState.STALE)
    assert early.check().contracts == late.check().contracts == ()
    library.renew("reach", reach, certificate(REACH, reach, library.reserve(REACH, reach)))
    assert early.check().contracts == late.check().contracts == (Contract("reach", REACH),)
    show(library, reach, REACH, ("clear()",))
    assert early.check().contracts[0].always == {"clear()"}
    assert late.check().contracts[0].always == {"clear()"}


def test_a_skill_that_a_person_has_pinned_out_of_use_is_not_learned_again(
    library: Library,
) -> None:
    learn(library, REACH, plain("reach"))
    watched = Watched(library)
    library.set_pinned("reach", True)
    assert watched.check().refused == frozenset()
    library.set_state("reach", SkillState.RETIRED)
    assert watched.check().refused == {REACH.hash}
    library.set_pinned("reach", False)
    assert watched.check().refused == frozenset()


def test_contracts_that_cannot_be_read_here_are_passed_over(library: Library) -> None:
    learn(library, REACH, plain("reach"))
    learn(library, LIFT, plain("lift"))
    with library.database.transaction():
        library.database.execute(
            "UPDATE tasks SET json = replace(json, 'lifted(', 'levitated(') WHERE hash = ?",
            (LIFT.hash,),
        )
    watched = Watched(library)
    assert [contract.name for contract in watched.check().contracts] == ["reach"]
    assert [contract.name for contract in watched.check().contracts] == ["reach"]


def test_a_contract_of_which_nothing_changed_is_made_once(library: Library) -> None:
    learn(library, REACH, plain("reach"))
    memory = Memory(library, PLATFORM, 0)
    (first,) = memory.situation().contracts
    learn(library, LIFT, plain("lift"))
    again, _ = memory.situation().contracts
    assert again is first


def test_episodes_are_read_in_pages(library: Library) -> None:
    reach = plain("reach")
    learn(library, REACH, reach)
    show(library, reach, REACH, *[("clear()",)] * 25)
    first = library.journal.endings(limit=10)
    rest = library.journal.endings(after=first[-1].id, limit=100)
    assert (len(first), len(rest)) == (10, 15)
    assert {ending.atoms for ending in (*first, *rest)} == {("clear()",)}
    assert library.journal.endings(after=rest[-1].id) == ()


def test_with_which_kinds_it_went_well_is_known_after_a_failure(library: Library) -> None:
    number = library.journal.begin_attempt(STACK)
    found = Narrower({"a": "block", "b": "block"}, solved=5, of=6)
    program = plain("stack").entry
    made = {"source": program.source, "lock": {}}
    detail = {"library": 3, "narrower": found.to_json(), "unfinished": made}
    library.journal.end_attempt(number, Outcome.LIMIT, "", detail=detail)
    attempt(library, LIFT, Outcome.LIMIT)
    known = Memory(library, PLATFORM, 0).situation()
    assert known.narrowings == {STACK.hash: Narrowing(STACK, found)}
    assert [(one.task, one.program.hash) for one in known.unfinished] == [(STACK, program.hash)]
