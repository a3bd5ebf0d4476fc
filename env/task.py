"""Tasks: what is asked for, about which kinds of objects, in which scenes, within which limits.

A task holds no simulator and no generator: `Task.sample` names a scene by a seed, `env.world`
builds it. Two tasks are the same task if and only if their hashes are equal; the instruction is
for people and models and is no part of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from env.errors import ProgramError, TaskError
from env.goal_operators import Count, Every
from env.goals import GOAL_LANGUAGE_VERSION, Atom, Goal
from env.kinds import is_a
from env.program import Program
from env.scene import Scene, SceneSpec, sample
from env.seeds import digest

SCHEMA: Final = "voyager.task/1"
MAX_TIME: Final = 600.0
"""Longest time limit, simulated seconds."""
MAX_CALLS: Final = 20_000
"""Largest call limit."""
_MAX_INSTRUCTION: Final = 2_000


@dataclass(frozen=True, slots=True)
class Task:
    """A sentence, parameters, a goal that physics can check, scenes and limits.

    Build it with `Task.make`, which reads the goal and checks everything.

    Attributes:
        instruction: What is asked for, in words.
        parameters: (name, kind) pairs; each seed binds them to distinct objects.
        goal: When the task is solved.
        scene: What the scenes look like.
        time_limit: Simulated seconds that a program may take.
        call_limit: Robot calls that a program may make.
    """

    instruction: str
    parameters: tuple[tuple[str, str], ...]
    goal: Goal
    scene: SceneSpec = field(default_factory=SceneSpec)
    time_limit: float = 60.0
    call_limit: int = 400

    def __post_init__(self) -> None:
        """Check what fits together.

        Raises:
            TaskError: With the value and what it should be.
        """
        if self.goal.parameters != self.parameters:
            raise TaskError(
                f"the goal speaks about {dict(self.goal.parameters)}, the task about "
                f"{dict(self.parameters)}; parse it with the task's own parameters"
            )
        if not (math.isfinite(self.time_limit) and 0.0 < self.time_limit <= MAX_TIME):
            raise TaskError(
                f"the time limit is {self.time_limit} s; it must lie above 0 and at most {MAX_TIME}"
            )
        if isinstance(self.call_limit, bool) or not 1 <= self.call_limit <= MAX_CALLS:
            raise TaskError(f"the call limit is {self.call_limit}; it must be 1 to {MAX_CALLS}")
        if not self.instruction.strip() or len(self.instruction) > _MAX_INSTRUCTION:
            raise TaskError(f"an instruction needs 1 to {_MAX_INSTRUCTION} characters")

    @classmethod
    def make(
        cls,
        goal: str,
        parameters: Mapping[str, str],
        *,
        instruction: str | None = None,
        scene: SceneSpec | None = None,
        time_limit: float = 60.0,
        call_limit: int = 400,
    ) -> Task:
        """Read and check a task.

        Args:
            goal: Goal expression, see `env.goals`.
            parameters: Kind by parameter name.
            instruction: What is asked for; by default it is made from the goal.
            scene: What the scenes look like; by default `SceneSpec()` with enough objects of every
                kind that the goal counts.
            time_limit: Simulated seconds.
            call_limit: Robot calls.

        Returns:
            The task.

        Raises:
            GoalError: If the goal cannot be read; names the column.
            KindError: If a kind is unknown.
            TaskError: If a limit makes no sense or a parameter is not used.
        """
        parsed = Goal.parse(goal, parameters)
        spoken = {t for a in parsed.form.walk() if isinstance(a, Atom) for t in a.arguments}
        if unused := sorted(set(parameters) - spoken):
            raise TaskError(
                f"the goal does not speak about {unused[0]!r}; leave that parameter out, or add "
                "what should become true of it"
            )
        return cls(
            instruction=instruction if instruction is not None else _instruction(parsed),
            parameters=parsed.parameters,
            goal=parsed,
            scene=scene if scene is not None else SceneSpec(extras=_needed(parsed)),
            time_limit=float(time_limit),
            call_limit=call_limit,
        )

    @property
    def hash(self) -> str:
        """64 hex digits over the canonical goal (with kinds), the scenes and the limits."""
        return _hash(self)

    @property
    def kinds(self) -> dict[str, str]:
        """Kind by parameter name."""
        return dict(self.parameters)

    def sample(self, seed: int) -> Scene:
        """Draw one of the task's scenes.

        Equal tasks draw equal scenes, whatever their parameters are called and in whichever
        order they stand.

        Args:
            seed: Any whole number >= 0; see `env.seeds.derive`.

        Returns:
            The scene, its binding in this task's parameter names.

        Raises:
            SceneError: If the objects do not fit on the table.
        """
        renaming = dict(self.goal.renaming)
        kinds = self.kinds
        ordered = sorted((renaming[name], kinds[name]) for name in kinds)
        scene = sample(self.scene, dict(ordered), seed)
        binding = {name: scene.binding[renaming[name]] for name in kinds}
        return replace(scene, binding=binding)

    def check_program(self, program: Program) -> None:
        """Check that a program can be called with this task's parameters.

        Its object parameters must have the task's names, and kinds that take the task's kinds;
        any other parameter needs a default.

        Raises:
            ProgramError: With the signature that is wanted.
        """
        wanted, given = self.kinds, program.kinds
        others = {p.name for p in program.parameters} - set(given)
        needed = sorted((others | (set(given) - set(wanted))) - program.optional)
        missing = sorted(set(wanted) - set(given))
        signature = ", ".join(f"{name}: {kind}" for name, kind in self.parameters)
        if missing or needed:
            odd = f"lacks {missing[0]!r}" if missing else f"needs {needed[0]!r} as well"
            raise ProgramError(
                f"{program.name!r} does not take this task's parameters ({signature}): it {odd}"
            )
        for name, kind in wanted.items():
            if not is_a(kind, given[name]):
                raise ProgramError(
                    f"{program.name!r} takes a {given[name]} as {name!r}, the task has a {kind}"
                )

    def to_json(self) -> dict[str, Any]:
        """The task as a JSON-able record."""
        return {
            "schema": SCHEMA,
            "hash": self.hash,
            "instruction": self.instruction,
            "parameters": [list(pair) for pair in self.parameters],
            "goal": self.goal.text,
            "scene": self.scene.to_json(),
            "time_limit": self.time_limit,
            "call_limit": self.call_limit,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Task:
        """Read a record back.

        Args:
            record: What `to_json` gave.

        Returns:
            The task.

        Raises:
            TaskError: If the record is malformed, or its hash is not that of its content.
            GoalError: If its goal cannot be read.
            KindError: If a kind is unknown.
            SceneError: If its scene cannot be drawn.
        """
        if not isinstance(record, Mapping) or record.get("schema") != SCHEMA:
            found = record.get("schema") if isinstance(record, Mapping) else record
            raise TaskError(f"expected a record with schema {SCHEMA!r}, found {found!r}")
        try:
            task = cls.make(
                record["goal"],
                {str(name): str(kind) for name, kind in record["parameters"]},
                instruction=record["instruction"],
                scene=SceneSpec.from_json(record["scene"]),
                time_limit=record["time_limit"],
                call_limit=record["call_limit"],
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TaskError(f"a task record is malformed: {error!r}") from error
        if "hash" in record and record["hash"] != task.hash:
            raise TaskError(
                "a task record does not have the hash that it states; it was altered, or its "
                "goal language or kinds differ from those here"
            )
        return task


def _needed(goal: Goal) -> tuple[tuple[str, int, int], ...]:
    """(kind, fewest, most) objects that a goal's quantifiers speak about."""
    found: dict[str, int] = {}
    for piece in goal.form.walk():
        if isinstance(piece, Every | Count):
            least = piece.at_least if isinstance(piece, Count) else 1
            found[piece.kind] = max(found.get(piece.kind, 0), least)
    return tuple((kind, least, least + 1) for kind, least in sorted(found.items()))


def _instruction(goal: Goal) -> str:
    about = ", ".join(f"{name} is a {kind}" for name, kind in goal.parameters)
    return f"Bring about: {goal.text}" + (f", where {about}." if about else ".")


@lru_cache(maxsize=512)
def _hash(task: Task) -> str:
    return digest(
        [
            SCHEMA,
            GOAL_LANGUAGE_VERSION,
            task.goal.canonical,
            task.scene.to_json(),
            task.time_limit,
            task.call_limit,
        ]
    )
