"""Exploring: propose a task, attempt it, keep what is certified, and go on.

    Explorer(config).run() -> ExploreReport

Everything that decides what comes next is read from the home and derived from the seed, so a run
that was killed goes on where it stood: at most the attempt under way is made again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from curriculum.gates import done_by, mates
from curriculum.memory import Memory
from curriculum.proposer import Proposal, Proposer
from curriculum.situation import Situation
from env.controls import run_controls_together
from env.errors import (
    ProgramError,
    SandboxError,
    SceneError,
    SimulatorError,
    TaskError,
    VoyagerError,
)
from env.executors import Executor, make_executor
from env.fingerprint import fingerprint
from env.outcome import Outcome
from env.robots import DEFAULT_ROBOT
from env.task import Task
from skill_store.chroma_index import ChromaIndex
from skill_store.errors import StorageError
from skill_store.library import Library
from skill_store.queue import RequestState
from skill_store.retrieval import Retrieval
from skill_store.routing import Decision, route
from skill_store.staleness import mark_stale
from voyager.broadcast import Broadcast
from voyager.config import Config, load
from voyager.events import Event
from voyager.explored import ExploreReport, Learned
from voyager.learn import brief_for
from voyager.lesson import Choice, LearnReport, Lesson, keep_controls, platform_hash
from voyager.lifecycle import settle
from voyager.locations import Locations
from voyager.models.base import BudgetReached, ProviderError
from voyager.models.opening import Models, open_models
from voyager.news import News, NewsWatch, Phase
from voyager.pausing import unpaused, wait_while_paused
from voyager.prompts import Prompts
from voyager.proposing import needs_model, open_proposer
from voyager.proving import Proving
from voyager.renewal import due, renew
from voyager.writers.base import Budget, Ledger, Writer
from voyager.writers.opening import open_writer
from voyager.writers.search import SearchWriter
from voyager.writers.settings import WriterKind

__all__ = ["ExploreReport", "Explorer", "Learned"]

_MOST_LOSSES: Final = 3
"""Attempts in a row that may be lost to the infrastructure before a run gives up."""
_LOSSES: Final = (SandboxError, SimulatorError, StorageError)
"""What says nothing about the task that was being worked on."""


def _nobody(_: News) -> None:
    """Look away."""


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
            ModelUnusable: If a model is needed that cannot be opened.
            PromptError: If the user's own prompts cannot be read.
        """
        with (
            Library.open(self.home, learning=True) as library,
            unpaused(library.database),
            make_executor(self.config.workers) as executor,
            Retrieval(library, ChromaIndex.open(self.home)) as retrieval,
            Broadcast(self.home, self.config, self._watch) as watch,
        ):
            models = self._models(library)
            return _Run(self.config, library, executor, retrieval, models, watch, self._stop).go()

    def _models(self, library: Library) -> Models | None:
        """The language models, if anybody is to ask one."""
        config = self.config
        if config.writer.kind is WriterKind.SEARCH and not needs_model(config.explore.proposer):
            return None

        def warn(sentence: str) -> None:
            self._watch(News(Phase.WORKING, sentence))

        return open_models(config.models, self.home, library.exchanges, stop=self._stop, warn=warn)


@dataclass(slots=True)
class _Run:
    """One run of an explorer."""

    config: Config
    library: Library
    executor: Executor
    retrieval: Retrieval
    models: Models | None
    watch: NewsWatch
    stop: Callable[[], bool]
    writer: Writer | None = None
    """Of programs; the search, anew for each attempt, if None."""
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
        prompts = self._prompts()
        self.id = self.library.journal.begin_run("explore", self.config.seed, self._noted(prompts))
        platform = platform_hash(fingerprint(DEFAULT_ROBOT))
        memory = Memory(self.library, platform, self.config.seed, calls=self.config.library)
        proposer = open_proposer(explore.proposer, self.library, self.models, prompts, self._fit)
        if self.models is not None and self.config.writer.kind is not WriterKind.SEARCH:
            self.writer = open_writer(
                self.config.writer, self.library, self.models, self.config.models.prompts
            )
        paused = ""
        begun = f"{len(self.library.names())} skills are in the library"
        outlook = () if self.models is None else self.models.outlook()
        self._tell(Phase.STARTED, "; ".join(filter(None, (begun, self.retrieval.notice, *outlook))))
        while not (stopped := self._stopped()):
            try:
                if waited := wait_while_paused(self.library.database, self.stop, self._tell):
                    self.begun += waited  # it was no exploring: no limit counts it
                    continue
                if self.losses:
                    # An attempt whose end could not be written down would hide those after it.
                    self.library.journal.close_interrupted()
                situation = memory.situation()
                if self.models is not None:
                    self.models.charge(self.id)
                chosen = self._requested() or self._proposed(proposer, situation, memory)
                if chosen is None:
                    stopped = self._stopped()
                    if not stopped and self._renewed():
                        continue
                    stopped = stopped or "nothing left"
                    break
                self._attempt(*chosen, situation)
            except ProviderError as error:
                # Nobody knows when it will answer again, or who will raise the cap.
                stopped = self._stopped()
                if not stopped:
                    stopped = "budget" if isinstance(error, BudgetReached) else "provider"
                    paused = str(error)
                break
            except _LOSSES as error:
                self._lost(error)
        self.library.journal.end_run(self.id)
        report = ExploreReport(
            run=self.id,
            seed=self.config.seed,
            certified=tuple(self.certified),
            attempts=self.attempts,
            failed=self.failed,
            refused=self.refused,
            tally=self.library.journal.tally(self.id),
            simulated_steps=self.steps + self.gated,
            wall_s=time.monotonic() - self.begun,
            stopped=stopped,
            paused=paused,
            library=len(self.library.names()),
        )
        ended = f"{len(self.certified)} skills were certified"
        self._tell(Phase.ENDED, "; ".join(filter(None, (ended, paused))))
        return report

    def _prompts(self) -> Prompts:
        folder = self.config.models.prompts
        return Prompts(Path(folder).expanduser() if folder and self.models is not None else None)

    def _noted(self, prompts: Prompts) -> dict[str, Any]:
        """What the journal keeps about how this run is made."""
        found = {"explore": asdict(self.config.explore), "library": self.config.library}
        if self.models is not None:
            names = {purpose.value: name for purpose, name in self.models.names.items()}
            writer = asdict(self.config.writer)
            found |= {"writer": writer, "models": names, "prompts": prompts.hashes}
        return found

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
            return Proposal(task, "user", "a user asked for it", request.name), request.id
        return None

    def _near(self, task: Task) -> tuple[str, ...]:
        return tuple(hit.name for hit in self.retrieval.near(task))

    def _proposed(
        self, proposer: Proposer, situation: Situation, memory: Memory
    ) -> tuple[Proposal, int | None] | None:
        """The first proposal that passes the gates; tests what was not tested yet."""
        while not self._stopped():
            tested = False
            for proposal in (proposals := proposer.propose(situation)):
                task = proposal.task
                if not self._fit(situation, task):
                    continue
                if task.hash in situation.tested:
                    return proposal, None
                together = mates(situation, task, proposals)
                if proposal.at_hand:
                    return replace(proposal, mates=together[1:]), None
                self._test(together)
                tested = True
                break
            if not tested:
                return None
            # What the controls met by accident may change the order of what is left.
            situation = memory.situation()
        return None

    def _fit(self, situation: Situation, task: Task) -> bool:
        """Whether a task may be attempted, as far as it is known without a simulation."""
        known = task.hash in situation.refused or task.hash in self.unfit
        return not known and done_by(situation, task) is None

    def _test(self, tasks: Sequence[Task]) -> None:
        """Run the controls on tasks of one arena, and keep what they did."""
        self._tell(
            Phase.WORKING, f"testing {len(tasks)} goals with programs that must not solve them"
        )
        try:
            found, spent = run_controls_together(tasks, self.executor)
        except SceneError:
            self.unfit.add(tasks[0].hash)  # no room on the table for its objects
            return
        except (SandboxError, SimulatorError) as error:
            self._note_loss(tasks[0], error)
            raise
        self.gated += spent
        # All or none: what is known about half of them would lead elsewhere after a kill.
        with self.library.database.transaction():
            for task, controls in zip(tasks, found, strict=True):
                keep_controls(self.library, task, controls)
                self.refused += bool(controls.refusal)

    def _note_loss(self, task: Task, error: SandboxError | SimulatorError) -> None:
        """Write down that a test was lost, as an attempt that nobody chose."""
        sandbox = isinstance(error, SandboxError)
        outcome = Outcome.SANDBOX_LOST if sandbox else Outcome.SIMULATOR_LOST
        attempt = self.library.journal.begin_attempt(task, self.id)
        self.library.journal.end_attempt(attempt, outcome, str(error))

    # Attempting

    def _renewed(self, task: Task | None = None) -> bool:
        """Prove a stale skill again, that of a task or any; whether there was one to try."""
        skill = next(due(self.library, task), None)
        if skill is None:
            return False
        self._tell(Phase.WORKING, f"proving {skill.name} again, which is stale")

        def tell(event: Event) -> None:
            steps = event.simulated_steps
            self._tell(Phase.WORKING, event.text, event=event, under_way=steps)

        ledger = Ledger(Budget(0), tell)
        try:
            done = renew(Proving(self.library, self.executor, ledger), skill.name)
        finally:
            self.steps += ledger.budget.used
        self.losses = 0
        settle(self.library)
        self._tell(Phase.WORKING, f"{skill.name}: {done.why}")
        return True

    def _attempt(self, proposal: Proposal, request: int | None, situation: Situation) -> None:
        task = proposal.task
        if self._renewed(task):
            return  # what was certified once is not written anew
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
                tries=len(situation.failures(task)),
                moves=situation.moves,
                unfinished=situation.unfinished,
                # What practice will take must not go into a search alone.
                patience=ledger.budget.left // 2 if request is None else None,
            )
            writer = SearchWriter() if self.writer is None else self.writer
            report = Lesson(
                self.library,
                brief,
                writer,
                choice,
                test_first=not proposal.at_hand,
                mates=proposal.mates,
                played=situation.transfers,
            ).run()
            reason = report.reason
        except (*_LOSSES, ProviderError):
            self.steps += ledger.budget.used
            self.gated = 0
            raise
        except (TaskError, SceneError, ProgramError) as error:
            # Nothing was judged; whoever proposes it again would only come back here.
            reason = str(error)
            self.refused += 1
            self.unfit.add(task.hash)
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

    def _lost(self, error: VoyagerError) -> None:
        """An attempt was lost to the infrastructure: it says nothing about its task."""
        self.losses += 1
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
