"""Challengers: what is refused, what is kept, what replaces, and what becomes of dependents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from env.errors import ProgramError, SandboxError
from env.executors import make_executor
from env.outcome import Outcome
from env.program import Closure
from env.task import Task
from skill_store import Library, Origin, SkillState
from skill_store.errors import UnknownSkill
from skill_store.evidence import learned_from
from tests.env.skills import LIFT, LIFTING, PUT_ON, REACH, REACHING, STACKING, closure
from tests.voyager.scripted import ScriptedExecutor, admit
from voyager.challenge import Verdict, challenge
from voyager.events import Event, Stage

GOOD = LIFTING.entry.source
BETTER = GOOD.replace("0.12", "0.14")
WEAK = (
    "from robot import Block, open_gripper\n\n\n"
    'def lift(block: Block) -> None:\n    """Only open the gripper."""\n    open_gripper()\n'
)
_TOWER = '''\
from robot import Block
from skills.put_on import put_on


def tower(a: Block, b: Block, c: Block) -> None:
    """Put one on another, and that one on a third."""
    put_on(b, c)
    put_on(a, b)
'''
TOWER = Task.make("on(a, b) and on(b, c) and clear()", {"a": "block", "b": "block", "c": "block"})


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """`lift`, `put_on` that calls it, and `tower` that calls that."""
    with Library.open(tmp_path / "home", learning=True) as library:
        admit(library, LIFT, LIFTING)
        admit(library, PUT_ON, STACKING)
        admit(library, TOWER, closure(_TOWER, STACKING.with_contract(PUT_ON)))
        yield library


def source_of(program: Closure, name: str = "lift") -> str:
    return next(p.source for p in program.programs.values() if p.name == name)


def solves(*sources: str) -> ScriptedExecutor:
    """Programs that use one of these versions of `lift` solve everything, others nothing."""
    return ScriptedExecutor(lambda program, seed: source_of(program) in sources)


# -- before anything is simulated ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (GOOD.replace("open_gripper()\n", "open_gripper(\n", 1), "^line 6: "),
        (GOOD.replace("def lift(", "def raise_up("), "must keep its name"),
        (GOOD.replace("block: Block", "thing: Block"), "does not take this task's parameters"),
        (GOOD.replace("from robot", "import os\nfrom robot", 1), "^line 1: "),
        ("from skills.lift import lift\n" + GOOD, "cannot call itself"),
    ],
    ids=["syntax", "name", "parameters", "imports", "itself"],
)
def test_what_cannot_be_a_version_costs_nothing(library: Library, source: str, said: str) -> None:
    executor = solves()
    with pytest.raises(ProgramError, match=said):
        challenge(library, "lift", source, executor=executor)
    assert executor.trials == []
    assert library.journal.attempts() == ()


def test_the_champions_own_program_is_unchanged_whatever_its_layout(library: Library) -> None:
    report = challenge(library, "lift", GOOD + "\n# a remark\n", executor=solves())
    assert report.verdict is Verdict.UNCHANGED
    assert "version 1" in report.why
    assert (report.champion, report.version, report.simulated_steps) == (1, 1, 0)


def test_only_skills_in_use_can_be_called_anew(library: Library) -> None:
    source = GOOD.replace("\n\n\n", "\nfrom skills.put_on import put_on\n\n\n", 1)
    library.set_state("put_on", SkillState.RETIRED)
    with pytest.raises(ProgramError, match="'put_on' is retired"):
        challenge(library, "lift", source, executor=solves())
    with pytest.raises(UnknownSkill, match="did you mean 'put_on'"):
        challenge(library, "lift", source.replace("put_on", "put_onn"), executor=solves())


# -- refused, kept, replaced --------------------------------------------------------------------


def test_a_challenger_that_fails_practice_costs_no_certification(library: Library) -> None:
    report = challenge(library, "lift", WEAK, executor=solves(GOOD))
    assert report.verdict is Verdict.REFUSED
    assert "0 of 20 practice scenes" in report.why and "12 mm too low" in report.why
    assert len(library.versions("lift")) == 1
    assert library.reserve(LIFT, closure(BETTER)) == 1
    (attempt,) = library.journal.attempts()
    assert (attempt.outcome, attempt.simulated_steps) == (Outcome.FAILED, 2000)


def test_a_challenger_that_fails_certification_is_refused_at_the_next_ordinal(
    library: Library,
) -> None:
    practice: list[int] = []

    def rule(program: Closure, seed: int) -> bool:
        practice.append(seed)
        return len(practice) <= 20

    report = challenge(library, "lift", BETTER, executor=ScriptedExecutor(rule))
    assert report.verdict is Verdict.REFUSED
    assert report.proof is not None and report.proof.certificate is not None
    assert report.proof.certificate.ordinal == 1
    assert "35 of 40 are needed" in report.why
    assert library.get("lift").version == 1
    assert library.get("lift").state is SkillState.PROBATION


def test_a_tie_keeps_the_champion_and_the_challenger_as_a_version(library: Library) -> None:
    report = challenge(library, "lift", BETTER, executor=solves(GOOD, BETTER))
    assert (report.verdict, report.champion, report.version) == (Verdict.KEPT, 1, 2)
    assert report.duel is not None and not report.duel.better
    assert [(v.number, v.origin, v.champion) for v in library.versions("lift")] == [
        (1, Origin.LEARNED, True),
        (2, Origin.CHALLENGER, False),
    ]
    (duel,) = library.duels("lift")
    assert (duel.won, duel.lost, duel.replaced) == (0, 0, False)
    assert duel.detail["pairs"][0]["champion"] == "solved"
    assert report.relocked == ()
    assert library.get("put_on").version == 1
    # The same challenger again: everything is known, nothing is run.
    executor = solves(GOOD, BETTER)
    again = challenge(library, "lift", BETTER, executor=executor)
    assert (again.verdict, again.version, executor.trials) == (Verdict.KEPT, 2, [])
    assert "voyager skills restore lift --version 2" in again.why


def test_a_better_challenger_replaces_and_its_dependents_follow_in_order(
    library: Library,
) -> None:
    old = library.get("lift").closure.root
    events: list[Event] = []
    report = challenge(
        library, "lift", BETTER, executor=solves(BETTER), origin=Origin.EDITED, watch=events.append
    )
    assert (report.verdict, report.champion, report.version) == (Verdict.REPLACED, 2, 2)
    assert "sign test" in report.why
    lift, put_on, tower = (library.get(name) for name in ("lift", "put_on", "tower"))
    assert (lift.version, lift.source, lift.state) == (2, BETTER, SkillState.PROBATION)
    assert [(r.skill, r.version) for r in report.relocked] == [("put_on", 2), ("tower", 2)]
    assert put_on.program.lock == {"lift": lift.closure.root}
    assert tower.program.lock == {"put_on": put_on.closure.root}
    assert old not in tower.closure.programs
    assert [v.origin for v in library.versions("tower")] == [Origin.LEARNED, Origin.RELOCKED]
    assert library.versions("put_on")[0].program == STACKING.root  # the old one is still there
    assert library.closure(STACKING.root).programs.keys() == STACKING.programs.keys()
    assert {Stage.PRACTICE, Stage.CERTIFY, Stage.DUEL} <= {event.stage for event in events}
    assert report.simulated_steps == events[-1].simulated_steps
    assert learned_from(library, "lift").of == 40
    attempts = library.journal.attempts()
    assert [a.detail["skill"] for a in attempts] == ["lift", "put_on", "tower"]
    assert sum(a.simulated_steps or 0 for a in attempts) == report.simulated_steps
    assert report.to_json()["relocked"][0] == {
        "skill": "put_on",
        "version": 2,
        "why": "version 2 calls the new one",
    }


def test_a_dependent_that_fails_with_the_new_version_keeps_its_lock_and_works(
    library: Library,
) -> None:
    def rule(program: Closure, seed: int) -> bool:
        return program.entry.name == "lift" and source_of(program) == BETTER

    report = challenge(library, "lift", BETTER, executor=ScriptedExecutor(rule))
    assert report.verdict is Verdict.REPLACED
    put_on, tower = report.relocked
    assert (put_on.version, tower.version) == (None, None)
    assert "0 of 20 practice scenes" in put_on.why
    assert "what it calls has kept its own" in tower.why
    assert library.get("put_on").closure.root == STACKING.root
    assert library.get("put_on").state is SkillState.PROBATION


# -- pins and states ----------------------------------------------------------------------------


def test_a_pinned_champion_yields_to_a_person_only(library: Library) -> None:
    library.set_pinned("lift", True)
    executor = solves(BETTER)
    report = challenge(library, "lift", BETTER, executor=executor)
    assert (report.verdict, report.version, report.duel) == (Verdict.KEPT, 2, None)
    assert "pinned" in report.why and library.get("lift").version == 1
    report = challenge(library, "lift", BETTER, executor=executor, origin=Origin.EDITED)
    assert report.verdict is Verdict.REPLACED
    assert library.get("lift").version == 2 and library.get("lift").pinned


def test_pinned_and_retired_dependents_keep_their_lock(library: Library) -> None:
    library.set_pinned("put_on", True)
    report = challenge(library, "lift", BETTER, executor=solves(BETTER))
    assert [r.why for r in report.relocked] == [
        "keeps its lock: it is pinned",
        "keeps its lock: what it calls has kept its own",
    ]
    library.set_pinned("put_on", False)
    library.set_state("put_on", SkillState.RETIRED)
    newest = GOOD.replace("0.12", "0.15")
    report = challenge(library, "lift", newest, executor=solves(newest))
    assert report.relocked[0].why == "keeps its lock: it is retired"


def test_a_dependent_that_missed_a_version_is_offered_the_next_one(library: Library) -> None:
    library.set_pinned("put_on", True)
    challenge(library, "lift", BETTER, executor=solves(BETTER))
    library.set_pinned("put_on", False)
    newest = GOOD.replace("0.12", "0.15")
    report = challenge(library, "lift", newest, executor=solves(newest))
    assert [(r.skill, r.version) for r in report.relocked] == [("put_on", 2), ("tower", 2)]
    assert library.get("put_on").program.lock == {"lift": library.get("lift").closure.root}


def test_a_champion_out_of_use_is_replaced_without_a_duel(library: Library) -> None:
    library.set_state("lift", SkillState.RETIRED)
    report = challenge(library, "lift", BETTER, executor=solves(GOOD, BETTER))
    assert (report.verdict, report.duel) == (Verdict.REPLACED, None)
    assert "without a duel, for version 1 was retired" in report.why
    assert library.duels() == ()
    assert library.get("lift").state is SkillState.PROBATION


# -- interruptions ------------------------------------------------------------------------------


def test_a_duel_that_was_lost_to_the_machine_goes_on_with_the_certified_version(
    library: Library,
) -> None:
    seen: list[int] = []

    def rule(program: Closure, seed: int) -> bool:
        seen.append(seed)
        if len(seen) > 20 + 40 + 10:
            raise SandboxError("the sandbox is gone")
        return source_of(program) == BETTER

    with pytest.raises(SandboxError):
        challenge(library, "lift", BETTER, executor=ScriptedExecutor(rule))
    assert [v.number for v in library.versions("lift")] == [1, 2]
    assert library.get("lift").version == 1 and library.duels() == ()
    (attempt,) = library.journal.attempts()
    assert attempt.outcome is Outcome.SANDBOX_LOST
    executor = solves(BETTER)
    report = challenge(library, "lift", BETTER, executor=executor)
    assert (report.verdict, report.version, report.proof) == (Verdict.REPLACED, 2, None)
    drawn = [trial.start.seed for trial in executor.trials]
    assert seen[60:70] == drawn[:10]  # the same scenes, so nothing is gained by it


# -- in the real world --------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.ci
def test_on_real_physics_a_program_that_works_replaces_one_that_does_not(tmp_path: Path) -> None:
    weak = closure(WEAK)
    caller = closure(STACKING.entry.source, weak.with_contract(LIFT))
    with make_executor(2) as executor, Library.open(tmp_path, learning=True) as library:
        admit(library, LIFT, weak)
        admit(library, PUT_ON, caller)
        admit(library, REACH, REACHING)  # scenes begin where this one ended
        refused = challenge(library, "lift", WEAK.replace("open", "close"), executor=executor)
        assert refused.verdict is Verdict.REFUSED
        report = challenge(library, "lift", GOOD, executor=executor, origin=Origin.EDITED)
        assert report.verdict is Verdict.REPLACED
        assert report.duel is not None
        assert report.duel.won >= 35 and report.duel.lost == 0
        assert any(pair.champion.start.handover for pair in report.duel.pairs)
        assert [(r.skill, r.version) for r in report.relocked] == [("put_on", 2)]
        put_on = library.get("put_on")
        assert put_on.certificate.solved >= put_on.certificate.needed
        assert library.uses()[library.get("lift").closure.root].kept > 0
        seen = learned_from(library, "lift")
        assert seen.of == len(library.get("lift").certificate.scenes)
        assert "held(block)" in seen.effects and "lifted(block)" in seen.effects
