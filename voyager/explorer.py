"""Exploring: propose a task, attempt it, keep what is certified, and go on.

    Explorer(config).run() -> ExploreReport

Everything that decides what comes next is read from the home and derived from the seed, so a run
that was killed goes on where it stood: at most the attempt under way is made again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from curriculum.baselines import FixedProposer, RandomProposer
from curriculum.frontier import FrontierProposer
from curriculum.gates import done_by, mates
from curriculum.memory import Memory
from curriculum.proposer import Proposal, Proposer
from curriculum.situation import Situation
from env.controls import run_controls_together
from env.errors import SandboxError, SceneError, SimulatorError, TaskError, VoyagerError
from env.executors import Executor, make_executor
from env.fingerprint import fingerprint
from env.robots import DEFAULT_ROBOT
from env.task import Task
from skill_store.chroma_index import ChromaIndex
from skill_store.library import Library
from skill_store.queue import RequestState
from skill_store.retrieval import Retrieval
from skill_store.routing import Decision, route
from skill_store.staleness import mark_stale
from voyager.config import Config, Curriculum, load
from voyager.events import Event
from voyager.learn import brief_for
from voyager.lesson import (
    Choice,
    LearnReport,
    Lesson,
    keep_controls,
    platform_hash,
)
from voyager.lifecycle import settle
from voyager.locations import Locations
from voyager.news import News, NewsWatch, Phase
from voyager.writers.base import Budget, Ledger

SCHEMA: Final = "voyager.explore/1"
_PROPOSERS: Final[Mapping[Curriculum, Callable[[], Proposer]]] = {
    Curriculum.FRONTIER: FrontierProposer,
    Curriculum.RANDOM: RandomProposer,
    Curriculum.FIXED: FixedProposer,
}
_MOST_LOSSES: Final = 3
"""Attempts in a row that may be lost to the infrastructure before a run gives up."""


def _nobody(_: News) -> None:
    """Look away."""


@dataclass(frozen=True, slots=True)
class Learned:
    """A skill that a run has certified.

    Attributes:
        name: Its name.
        goal: Its goal.
        instruction: Its task in words.
        calls: Skills that it calls directly.
        k: Held-out episodes that it solved.
        n: Held-out episodes of its certification.
        bound: Published bound, or None.
        attempt_steps: Physics steps of the attempt.
        at_steps: Physics steps of the run when it was certified.
        at_seconds: Wall time of the run when it was certified.
    """

    name: str
    goal: str
    instruction: str
    calls: tuple[str, ...]
    k: int
    n: int
    bound: float | None
    attempt_steps: int
    at_steps: int
    at_seconds: float


@dataclass(frozen=True, slots=True)
class ExploreReport:
    """How a run went.

    Attributes:
        run: Its number in the journal.
        seed: What it derived from.
        certified: New skills, in order.
        attempts: Attempts that ended with an outcome.
        failed: Those of them in which no skill was found.
        refused: Tasks that turned out not to be worth learning, tested or attempted.
        simulated_steps: Physics steps.
        wall_s: Seconds on the clock.
        stopped: Why it ended: "steps", "tasks", "minutes", "asked" or "nothing left".
        library: Skills in the library at the end.
    """

    run: int
    seed: int
    certified: tuple[Learned, ...]
    attempts: int
    failed: int
    refused: int
    simulated_steps: int
    wall_s: float
    stopped: str
    library: int

    def to_json(self) -> dict[str, Any]:
        """JSON-able, with `schema`."""
        record = asdict(self)
        record["certified"] = [learned.name for learned in self.certified]
        record["wall_s"] = round(self.wall_s, 3)
        return {"schema": SCHEMA, **record}


class Explorer:
    """Explores in one home.

    The home's lock is held for as long as a run lasts. Requests of users (`Library.queue`) come
    before the curriculum's own proposals, and are seen between two attempts.
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        home: Path | None = None,
        watch: NewsWatch = _nobody,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            config: Settings; those of the home if None.
            home: The home folder; `VOYAGER_HOME` or the default if None.
            watch: Is told what happens.
            stop: Is asked between two decisions whether to end the run.

        Raises:
            ConfigError: If a setting is wrong.
        """
        locations = Locations.find(home)
        self.home = locations.home
        self.config = load(locations, {}).config if config is None else config
        self._watch = watch
        self._stop = stop

    def run(self) -> ExploreReport:
        """Explore until a limit is reached, nothing is left to try, or it is asked to stop.

        Returns:
            What came of it.

        Raises:
            HomeBusy: If another process learns in this home.
            StorageError: If the home cannot be read or written.
            SandboxError: If the sandbox failed several times in a row; nothing is lost.
            SimulatorError: If the simulator did.
        """
        with (
            Library.open(self.home, learning=True) as library,
            make_executor(self.config.workers) as executor,
            Retrieval(library, ChromaIndex.open(self.home)) as retrieval,
        ):
            return _Run(self.config, library, executor, retrieval, self._watch, self._stop).go()


@dataclass(slots=True)
class _Run:
    """One run of an explorer."""

    config: Config
    library: Library
    executor: Executor
    retrieval: Retrieval
    watch: NewsWatch
    stop: Callable[[], bool]
    certified: list[Learned] = field(default_factory=list)
    attempts: int = 0
    failed: int = 0
    refused: int = 0
    steps: int = 0
    gated: int = 0
    """Physics steps of tests that the next attempt will be charged with."""
    unfit: set[str] = field(default_factory=set)
    """Hashes of tasks whose scenes cannot be drawn."""
    losses: int = 0
    begun: float = 0.0
    id: int = 0

    def go(self) -> ExploreReport:
        """See `Explorer.run`."""
        explore = self.config.explore
        self.begun = time.monotonic()
        mark_stale(self.library)
        self.retrieval.refresh()
        self.id = self.library.journal.begin_run(
            "explore",
            self.config.seed,
            {"explore": asdict(explore), "library": self.config.library},
        )
        memory = Memory(self.library, platform_hash(fingerprint(DEFAULT_ROBOT)), self.config.seed)
        proposer = _PROPOSERS[explore.curriculum]()
        begun = f"{len(self.library.names())} skills are in the library"
        self._tell(Phase.STARTED, "; ".join(filter(None, (begun, self.retrieval.notice))))
        while not (stopped := self._stopped()):
            situation = memory.situation()
            chosen = self._requested() or self._proposed(proposer, situation, memory)
            if chosen is None:
                stopped = self._stopped() or "nothing left"
                break
            self._attempt(*chosen, situation)
        self.library.journal.end_run(self.id)
        report = ExploreReport(
            run=self.id,
            seed=self.config.seed,
            certified=tuple(self.certified),
            attempts=self.attempts,
            failed=self.failed,
            refused=self.refused,
            simulated_steps=self.steps + self.gated,
            wall_s=time.monotonic() - self.begun,
            stopped=stopped,
            library=len(self.library.names()),
        )
        self._tell(Phase.ENDED, f"{len(self.certified)} skills were certified")
        return report

    def _stopped(self) -> str:
        """Why the run is over, or nothing."""
        explore = self.config.explore
        if self.stop():
            return "asked"
        if explore.steps and self.steps + self.gated >= explore.steps:
            return "steps"
        if explore.tasks and self.attempts >= explore.tasks:
            return "tasks"
        if explore.minutes and time.monotonic() - self.begun >= 60.0 * explore.minutes:
            return "minutes"
        return ""

    # Choosing

    def _requested(self) -> tuple[Proposal, int | None] | None:
        """The task that a user has waited for longest, and the number of the request."""
        while (request := self.library.queue.next()) is not None:
            try:
                task = request.task()
            except VoyagerError as error:
                self.library.queue.settle(request.id, RequestState.REFUSED, str(error))
                continue
            found = route(self.library, task, self._near(task))
            if found.decision is Decision.RUN:
                self.library.queue.settle(request.id, RequestState.LEARNED, found.why)
                continue
            why = "a user asked for it"
            return Proposal(task, "user", why, request.name), request.id
        return None

    def _near(self, task: Task) -> tuple[str, ...]:
        return tuple(hit.name for hit in self.retrieval.near(task))

    def _proposed(
        self, proposer: Proposer, situation: Situation, memory: Memory
    ) -> tuple[Proposal, int | None] | None:
        """The first proposal that passes the gates; tests what was not tested yet."""
        while not self._stopped():
            tested = False
            for proposal in proposer.propose(situation):
                task = proposal.task
                if task.hash in situation.refused or task.hash in self.unfit:
                    continue
                if done_by(situation, task) is not None:
                    continue
                if task.hash in situation.tested:
                    return proposal, None
                others = (other.task for other in proposer.propose(situation))
                self._test(mates(situation, task, others))
                tested = True
                break
            if not tested:
                return None
            # What the controls met by accident may change the order of what is left.
            situation = memory.situation()
        return None

    def _test(self, tasks: Iterable[Task]) -> None:
        """Run the controls on tasks of one arena, and keep what they did."""
        tasks = tuple(tasks)
        self._tell(
            Phase.WORKING, f"testing {len(tasks)} goals with programs that must not solve them"
        )
        try:
            found, spent = run_controls_together(tasks, self.executor)
        except SceneError:
            # Its objects find no room on the table, whoever asks.
            self.unfit.add(tasks[0].hash)
            return
        self.gated += spent
        # All or none: what is known about half of them would lead elsewhere after a kill.
        with self.library.database.transaction():
            for task, controls in zip(tasks, found, strict=True):
                keep_controls(self.library, task, controls)
                self.refused += bool(controls.refusal)

    # Attempting

    def _attempt(self, proposal: Proposal, request: int | None, situation: Situation) -> None:
        task = proposal.task
        failures = situation.failures(task)
        ledger = self._ledger(proposal)
        choice = Choice(
            self.id, situation.number, proposal.proposer, proposal.why, len(situation.contracts)
        )
        self._tell(Phase.CHOSEN, proposal.why, proposal)
        report: LearnReport | None = None
        reason = ""
        try:
            if request is None:
                route(self.library, task, self._near(task))
            brief = brief_for(
                task,
                self.library,
                executor=self.executor,
                ledger=ledger,
                lanes=self.config.search.lanes,
                name=proposal.name,
                use_library=self.config.library,
                seed=self.config.seed,
                tries=len(failures),
            )
            report = Lesson(self.library, brief, choice=choice).run()
            reason = report.reason
        except (SandboxError, SimulatorError) as error:
            self._lost(error, ledger)
            return
        except (TaskError, SceneError) as error:
            reason = str(error)
            self.refused += 1
        self.losses = 0
        self.attempts += 1
        self.steps += ledger.budget.used
        self.gated = 0
        self._settle(proposal, request, report, reason)

    def _ledger(self, proposal: Proposal) -> Ledger:
        """What the attempt may spend, and how its events become news."""
        explore = self.config.explore
        most = round(explore.attempt_steps * proposal.effort)
        if proposal.proposer == "user":
            most = self.config.search.steps
        budget = Budget(most + self.gated)
        if self.gated:
            budget.spend("controls", self.gated)

        def tell(event: Event) -> None:
            self._tell(
                Phase.WORKING, event.text, proposal, event=event, under_way=event.simulated_steps
            )

        return Ledger(budget, tell)

    def _lost(self, error: VoyagerError, ledger: Ledger) -> None:
        """An attempt was lost to the infrastructure: it says nothing about its task."""
        self.losses += 1
        self.steps += ledger.budget.used
        self.gated = 0
        if self.losses >= _MOST_LOSSES:
            raise error
        self._tell(Phase.SETTLED, f"the attempt was lost and is made again: {error}")

    def _settle(
        self, proposal: Proposal, request: int | None, report: LearnReport | None, reason: str
    ) -> None:
        state = RequestState.REFUSED
        skill = None if report is None else report.skill
        if report is not None:
            state = RequestState.FAILED if skill is None else RequestState.LEARNED
            self.failed += skill is None
        if skill is not None and report is not None:
            self.certified.append(
                Learned(
                    name=skill.name,
                    goal=skill.task.goal.text,
                    instruction=skill.task.instruction,
                    calls=skill.callees,
                    k=skill.certificate.solved,
                    n=len(skill.certificate.scenes),
                    bound=skill.bound,
                    attempt_steps=report.simulated_steps,
                    at_steps=self.steps,
                    at_seconds=time.monotonic() - self.begun,
                )
            )
            self.retrieval.refresh()
        # Calls in certified episodes are outcomes of the callees too.
        settle(self.library)
        if request is not None:
            note = f"the skill {skill.name!r}" if skill is not None else reason
            self.library.queue.settle(request, state, note)
        text = f"learned {skill.name}" if skill is not None else reason
        self._tell(Phase.SETTLED, text, proposal, skill=None if skill is None else skill.name)

    def _tell(
        self,
        phase: Phase,
        text: str,
        proposal: Proposal | None = None,
        *,
        event: Event | None = None,
        skill: str | None = None,
        under_way: int = 0,
    ) -> None:
        self.watch(
            News(
                phase,
                text,
                task=None if proposal is None else proposal.task,
                proposer="" if proposal is None else proposal.proposer,
                event=event,
                skill=skill,
                attempts=self.attempts,
                certified=len(self.certified),
                simulated_steps=self.steps + (under_way or self.gated),
                budget=self.config.explore.steps or None,
                seconds=time.monotonic() - self.begun,
            )
        )
