"""What is kept of an episode: plain data, with a hash over all that is deterministic.

Wall time, CPU time and host are nowhere in here, so that equal episodes have equal hashes in any
process of one platform.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from env.goals import AtomReport
from env.outcome import Outcome
from env.sandbox.base import LimitReport, SkillErrorReport
from env.seeds import digest
from env.state import State
from env.witness import Sighting

EPISODE_SCHEMA: Final = "voyager.episode/1"


@dataclass(frozen=True, slots=True)
class HandoverRecord:
    """Names the run that an episode begins after.

    Attributes:
        closure: Hash of the closure that was run first.
        task: Hash of the task that it was certified for.
        seed: Draws which objects it was run on, and seeds its own generator.
    """

    closure: str
    task: str
    seed: int

    def to_json(self) -> dict[str, Any]:
        """The record as JSON-able data."""
        return {"closure": self.closure, "task": self.task, "seed": self.seed}


@dataclass(frozen=True, slots=True)
class Start:
    """Where an episode begins: a scene, and perhaps a run of another skill before it.

    Attributes:
        seed: Draws the task's scene.
        handover: What is run first, or None.
    """

    seed: int
    handover: HandoverRecord | None = None

    def to_json(self) -> dict[str, Any]:
        """The start as JSON-able data."""
        handover = None if self.handover is None else self.handover.to_json()
        return {"seed": self.seed, "handover": handover}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Start:
        """Read a record back.

        Raises:
            KeyError: If a field is missing.
        """
        told = record["handover"]
        handover = None
        if told is not None:
            handover = HandoverRecord(str(told["closure"]), str(told["task"]), int(told["seed"]))
        return cls(int(record["seed"]), handover)


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One robot call.

    Attributes:
        name: The call.
        args: Positional arguments as the skill gave them.
        kwargs: Keyword arguments as the skill gave them.
        result: What it returned, or None.
        error: ``{"type", "message", "numbers"}`` of what it raised, or None.
        time: Simulated seconds since the episode began, when it was made.
        duration: Simulated seconds that it took.
        moved: (name, metres) for each object that it displaced by more than 2 mm.
        skill: Name of the skill that made it, as the sandbox says.
        line: 1-based line in that skill's source; 0 when unknown.
        depth: How many skill calls it is below the program itself.
    """

    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    result: Any
    error: Mapping[str, Any] | None
    time: float
    duration: float
    moved: tuple[tuple[str, float], ...]
    skill: str
    line: int
    depth: int

    def to_json(self) -> dict[str, Any]:
        """The record as JSON-able data."""
        return {
            "name": self.name,
            "args": list(self.args),
            "kwargs": dict(self.kwargs),
            "result": self.result,
            "error": None if self.error is None else dict(self.error),
            "time": self.time,
            "duration": self.duration,
            "moved": [list(pair) for pair in self.moved],
            "skill": self.skill,
            "line": self.line,
            "depth": self.depth,
        }


@dataclass(frozen=True, slots=True)
class ContractCheck:
    """One call of a skill by another, and whether it did what it promises.

    Attributes:
        program: Hash of the callee.
        skill: Its name.
        arguments: Its arguments by parameter name.
        begun: Simulated seconds since the episode began.
        ended: The same, when it returned or raised.
        returned: Whether it returned.
        kept: Whether its own goal held right then; None if no contract of it is known.
        missing: What was missing, when it was not kept.
        depth: 1 for a callee of the program itself.
    """

    program: str
    skill: str
    arguments: Mapping[str, Any]
    begun: float
    ended: float
    returned: bool
    kept: bool | None
    missing: str
    depth: int

    def to_json(self) -> dict[str, Any]:
        """The record as JSON-able data."""
        return {
            "program": self.program,
            "skill": self.skill,
            "arguments": dict(self.arguments),
            "begun": self.begun,
            "ended": self.ended,
            "returned": self.returned,
            "kept": self.kept,
            "missing": self.missing,
            "depth": self.depth,
        }


@dataclass(frozen=True, slots=True)
class Episode:
    """One run of a program on one scene, and the verdict on it.

    Attributes:
        outcome: The verdict.
        reason: One sentence that says why it is not solved; empty when it is.
        start: Where it began.
        task: Hash of the task.
        closure: Hash of the closure.
        binding: Object name by task parameter.
        margin: Dimensionless signed margin of the goal; None when the goal was not judged.
        reports: Each atom of the goal, when it was judged: at the end if the goal held, else at
            its worst (see `Goal.explain_trace`).
        calls: Robot calls in order.
        contracts: Calls of other skills, in the order in which they ended.
        steps: Physics steps that were simulated, scene and hand-over included.
        time: Simulated seconds from the start to the end of the program.
        error: For SKILL_ERROR.
        limit: For LIMIT.
        output: What the program printed, as far as it was kept.
        state_hash: Hash over the numbers of the last state; empty when there is none.
        sightings: What each witness that was asked for saw; empty when nothing was judged.
    """

    outcome: Outcome
    reason: str
    start: Start
    task: str
    closure: str
    binding: Mapping[str, str] = field(default_factory=dict)
    margin: float | None = None
    reports: tuple[AtomReport, ...] = ()
    calls: tuple[CallRecord, ...] = ()
    contracts: tuple[ContractCheck, ...] = ()
    steps: int = 0
    time: float = 0.0
    error: SkillErrorReport | None = None
    limit: LimitReport | None = None
    output: str = ""
    state_hash: str = ""
    sightings: tuple[Sighting, ...] = ()

    @property
    def solved(self) -> bool:
        """Whether the outcome is SOLVED."""
        return self.outcome is Outcome.SOLVED

    @property
    def broken(self) -> tuple[ContractCheck, ...]:
        """Contracts that stayed broken; see `broken_contracts`."""
        return broken_contracts(self.contracts)

    @property
    def hash(self) -> str:
        """64 hex digits over what happened: equal for equal starts on one platform.

        What was displaced by each call is left out (it is not always logged, and follows from
        the rest), as are texts for people.
        """
        calls = [call.to_json() | {"moved": None} for call in self.calls]
        return digest(
            {
                "schema": EPISODE_SCHEMA,
                "outcome": self.outcome.value,
                "start": self.start.to_json(),
                "task": self.task,
                "closure": self.closure,
                "binding": dict(self.binding),
                "margin": self.margin,
                "calls": calls,
                "contracts": [check.to_json() | {"missing": None} for check in self.contracts],
                "time": self.time,
                "state": self.state_hash,
            }
        )

    def to_json(self) -> dict[str, Any]:
        """The episode as a JSON-able record."""
        return {
            "schema": EPISODE_SCHEMA,
            "hash": self.hash,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "start": self.start.to_json(),
            "task": self.task,
            "closure": self.closure,
            "binding": dict(self.binding),
            "margin": self.margin,
            "reports": [
                {
                    "text": report.text,
                    "holds": report.holds,
                    "value": report.value,
                    "unit": report.unit,
                    "margin": report.margin,
                    "missing": report.missing,
                    "within": report.within,
                }
                for report in self.reports
            ],
            "calls": [call.to_json() for call in self.calls],
            "contracts": [check.to_json() for check in self.contracts],
            "steps": self.steps,
            "time": self.time,
            "error": None if self.error is None else _error_json(self.error),
            "limit": None
            if self.limit is None
            else {
                "name": self.limit.name,
                "value": self.limit.value,
                "maximum": self.limit.maximum,
            },
            "output": self.output,
            "state_hash": self.state_hash,
        }


def broken_contracts(checks: tuple[ContractCheck, ...]) -> tuple[ContractCheck, ...]:
    """The last call for each callee and arguments, where that call broke its contract.

    A later call with the same arguments repairs an earlier one: programs may retry.

    Args:
        checks: All checks of an episode in the order in which the calls ended.

    Returns:
        Those that stay broken, in the same order.
    """
    last = {digest([check.program, dict(check.arguments)]): check for check in checks}
    return tuple(check for check in last.values() if check.kept is False)


def state_digest(state: State) -> str:
    """Hash over the numbers of a state, exact to the last bit."""
    return digest(
        {
            "time": state.time,
            "bodies": [
                [
                    body.name,
                    body.kind,
                    body.position,
                    body.orientation,
                    body.velocity,
                    body.angular_velocity,
                ]
                for _, body in sorted(state.bodies.items())
            ],
            "gripper": [
                state.gripper.position,
                state.gripper.yaw,
                state.gripper.width,
                state.gripper.opening,
                state.gripper.holding,
            ],
        }
    )


def _error_json(error: SkillErrorReport) -> dict[str, Any]:
    return {
        "type": error.type,
        "message": error.message,
        "frames": [
            {
                "program": frame.program,
                "skill": frame.skill,
                "line": frame.line,
                "end_line": frame.end_line,
                "column": frame.column,
                "end_column": frame.end_column,
                "function": frame.function,
            }
            for frame in error.frames
        ],
    }
