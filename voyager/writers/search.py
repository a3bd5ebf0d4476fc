"""The writer that needs no model: adaptation, width search, polish, practice, counterexamples.

What a known program does with other kinds of objects is tried first, or one that failed with some
kinds only, and known skills one after another. From an empty library the search gets the robot API
and the goal, nothing else. A plan that holds in all lanes is shortened, written as a program and
run on fresh practice scenes, rebuilt and in the sandbox; scenes on which it fails become lanes of
the next search.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from curriculum.sightings import Sightings
from env.goal_forms import Atom
from env.goals import ground
from env.kinds import is_a
from env.outcome import Outcome
from env.program import Program
from env.starts import Handover, plan_start, practice_seed
from env.task import Task
from env.transcript import Start
from voyager.events import Stage
from voyager.writers.adapt import adaptations, finishing, retrying
from voyager.writers.base import Brief, Counts, Draft
from voyager.writers.emit import observed, write_program
from voyager.writers.grammar import Step, primitives
from voyager.writers.in_turn import in_turn
from voyager.writers.lanes import LanePool, LaneSpec, Observation
from voyager.writers.macros import bound_calls, macros
from voyager.writers.trial import TRIAL, Trial, try_out
from voyager.writers.width_search import WidthSearch

_WORTH_RETRYING: Final = 13
"""Of `TRIAL` practice episodes; with as many, retry-until-checked may help."""
_PATIENCE: Final = 250_000
"""Simulated steps of the first search; one lane may be unsolvable, so a search that takes longer
starts anew on other scenes, with twice the patience."""
_PLANS: Final = 3
"""Plans of one search that are practised before it starts anew on counterexamples."""


@dataclass(slots=True)
class _Session:
    """One call of `write`: what it has learned about its scenes."""

    brief: Brief
    next_scene: int
    sightings: Sightings
    patience: int = _PATIENCE
    failures: list[Start] = field(default_factory=list)
    searched: int = 0
    planned: bool = False

    @property
    def given_up(self) -> bool:
        """Whether no plan was found in the steps that the brief gives for a first one."""
        most = self.brief.patience
        return not self.planned and most is not None and self.searched >= most


class SearchWriter:
    """Best-first width search over the simulator, as a writer.

    Attributes:
        closest: The program of the plan that came nearest in the last round; None if none did.
        next_scene: Index of the first practice scene that the last `write` did not look at.
    """

    name = "search"

    def __init__(self) -> None:
        """Prepare; nothing is simulated yet."""
        self.closest: Program | None = None
        self.next_scene = 0
        self._refused: set[str] = set()
        self._drafted: tuple[Counts, str] | None = None

    def write(self, brief: Brief) -> Draft | None:
        """Search until a program holds in practice or the budget is used up; see `Writer`."""
        self._note_refusal(brief)
        draft = self._write(brief)
        if draft is not None:
            self._drafted = brief.ledger.counts, draft.closure.root
        return draft

    def _note_refusal(self, brief: Brief) -> None:
        """Who is asked again in one attempt has had a draft refused."""
        if self._drafted is not None and self._drafted[0] is brief.ledger.counts:
            self._refused.add(self._drafted[1])
        else:
            self._refused.clear()

    def _write(self, brief: Brief) -> Draft | None:
        session = _Session(brief, brief.first_scene, Sightings(_atoms(brief.task)))
        self.closest, self.next_scene = None, brief.first_scene
        if (known := self._adapted(session) or self._in_turn(session)) is not None:
            return Draft(known.closure, session.next_scene, known.solved, known.of)
        while brief.ledger.budget.left > 0 and not session.given_up:
            found = self._round(session)
            self.next_scene = session.next_scene
            session.patience *= 2
            brief.ledger.counts.sightings = session.sightings.summary()
            if found is not None:
                return Draft(found.closure, session.next_scene, found.solved, found.of)
        return None

    def _adapted(self, session: _Session) -> Trial | None:
        """A known program that holds on the task's kinds of objects too, before any search."""
        brief = session.brief
        callable_ = {skill.closure.root for skill in brief.skills}
        programs = [
            *finishing(brief.name, brief.task, brief.unfinished),
            *adaptations(brief.name, brief.task, brief.skills),
        ]
        for program in programs:
            if not callable_.issuperset(program.lock.values()):
                continue  # what it calls was retired since, or has another program
            if brief.ledger.budget.left <= 0:
                break
            if (trial := self._practise_known(session, program)) is not None:
                return trial
        return None

    def _practise_known(self, session: _Session, program: Program) -> Trial | None:
        """Practise a program, and again with retry-until-checked where that may help."""
        brief = session.brief
        for variant in (program, retrying(program, brief.task)):
            if variant is None or variant.hash in self._refused:
                continue
            if brief.ledger.budget.left <= 0:
                break
            trial = self._practise(session, variant)
            if trial.held:
                return trial
            if not _may_help(brief.task, trial):
                break
        return None

    def _in_turn(self, session: _Session) -> Trial | None:
        """Known skills one after another, where they promise all of the goal."""
        brief = session.brief
        best: Trial | None = None
        for plan in in_turn(brief.task, brief.skills, brief.moves):
            if best is not None or brief.ledger.budget.left <= 0:
                break
            best = self._practise_variants(session, plan, best)
        return best

    def _round(self, session: _Session) -> Trial | None:
        """One search on counterexamples and fresh scenes, up to a few plans."""
        brief = session.brief
        pool = LanePool(brief.executor, self._candidates(session), brief.lanes)
        kinds = [_leaf_kinds(spec) for spec in pool.specs]

        def notice(lane: int, seen: Observation) -> None:
            session.sightings.note(kinds[lane], pool.roots[lane].true, seen.true)

        pool.notice = notice
        try:
            return self._search(session, pool)
        finally:
            pool.close()

    def _candidates(self, session: _Session) -> Iterator[LaneSpec]:
        """Lanes: at most half of them failures of earlier plans, the rest fresh scenes."""
        brief, task = session.brief, session.brief.task
        atoms = _atoms(task)
        skills = {skill.closure.root: skill for skill in brief.skills}
        by_key = {handover.key: handover for handover in brief.handovers}
        failures, session.failures = session.failures[: brief.lanes // 2], []
        for start in failures:
            record = start.handover
            before = None if record is None else by_key[(record.closure, record.task)]
            yield LaneSpec(task, start, before, atoms, skills)
        for _ in range(50 * brief.lanes):
            seed = practice_seed(task, session.next_scene)
            session.next_scene += 1
            fresh, handover = plan_start(task, seed, brief.handovers)
            yield LaneSpec(task, fresh, handover, atoms, skills)

    def _search(self, session: _Session, pool: LanePool) -> Trial | None:
        brief = session.brief
        groups = steps_for(brief.task, brief.skills)
        brief.ledger.counts.branching = sum(map(len, groups))
        search = WidthSearch(pool, groups, brief.ledger.counts)
        charged = 0

        def go_on() -> bool:
            nonlocal charged
            spent, charged = pool.simulated_steps - charged, pool.simulated_steps
            session.searched += spent
            brief.ledger.budget.spend("search", spent)
            brief.ledger.tell(Stage.SEARCH, "searching")
            if brief.ledger.budget.left <= 0 or session.given_up:
                return False
            return pool.simulated_steps < session.patience

        best: Trial | None = None
        for plan in itertools.islice(search.plans(go_on), _PLANS):
            session.planned = True
            short = _shorten(pool, plan)
            go_on()
            for candidate in (short, plan) if short != plan else (plan,):
                best = self._practise_variants(session, candidate, best)
                if best is not None and best.solved == best.of:
                    return best
            if best is not None:
                return best
        go_on()
        if plan := search.closest:
            self.closest = write_program(brief.name, brief.task, plan)
        if not session.planned and (plan := search.partly):
            brief.ledger.counts.partly = write_program(brief.name, brief.task, plan)
        return best

    def _practise_variants(
        self, session: _Session, plan: Sequence[Step], best: Trial | None
    ) -> Trial | None:
        """Practise a plan, and again with retry-until-checked where that may help."""
        brief = session.brief
        purposes = {call.step: call.reached for call in bound_calls(brief.task, brief.skills)}
        for retry in (False, True):
            program = write_program(brief.name, brief.task, plan, retry=retry, purposes=purposes)
            if program.hash in self._refused:
                continue
            trial = self._practise(session, program)
            if trial.held and (best is None or trial.solved > best.solved):
                best = trial
            if trial.solved == trial.of or not _may_help(brief.task, trial):
                break
        return best

    def _practise(self, session: _Session, program: Program) -> Trial:
        trial = try_out(session.brief, program, session.next_scene, thorough=False)
        session.next_scene = trial.next_scene
        session.failures += [e.start for e in trial.episodes if not e.solved]
        return trial


def _may_help(task: Task, trial: Trial) -> bool:
    """Whether it went well often enough, and failed in such a way, that trying again may help."""
    often = trial.solved >= _WORTH_RETRYING * trial.of // TRIAL
    if observed(task.goal) is not None:
        return often
    return often and any(e.outcome is Outcome.SKILL_ERROR for e in trial.episodes)


def steps_for(task: Task, skills: Sequence[Handover]) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """All that a search for a task may append to a plan, in two groups.

    Skills that promise part of the goal come first and alone: where they can be put together,
    nothing else has to be simulated. Then the other skills and the robot calls.
    """
    numbers = [
        number
        for piece in task.goal.form.walk()
        if isinstance(piece, Atom)
        for threshold, number in zip(piece.declared.thresholds, piece.thresholds, strict=True)
        if threshold.unit == "m"
    ]
    calls = primitives(task.kinds, numbers, movable=lambda kind: is_a(kind, "graspable"))
    offered = macros(task, skills)
    return offered.reaching, (*offered.related, *calls)


def _atoms(task: Task) -> tuple[Atom, ...]:
    """What novelty is about: everything that can be said about the parameters."""
    return tuple(dict.fromkeys((*ground(task.kinds), *task.goal.atoms)))


def _leaf_kinds(spec: LaneSpec) -> dict[str, str]:
    """What each parameter's object is in a lane."""
    scene = spec.task.sample(spec.start.seed)
    kinds = {body.name: body.spec.kind for body in scene.bodies}
    return {name: kinds[bound] for name, bound in scene.binding.items()}


def _shorten(pool: LanePool, plan: tuple[Step, ...]) -> tuple[Step, ...]:
    """Leave out every step without which the plan still holds in all lanes."""
    index = 0
    while index < len(plan):
        shorter = plan[:index] + plan[index + 1 :]
        seen = pool.walk(shorter) if shorter else []
        if seen and all(o.error is None and o.unmet == 0 for o in seen):
            plan = shorter
        else:
            index += 1
    return plan
