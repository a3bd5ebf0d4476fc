"""How far a policy has come, judged as certificates judge: by goals on the simulator's own states.

A program ends, and then the world rests for a second before it is judged. A policy never ends, so
the second just past takes the place of that rest: a task is solved once its goal would have been
found met with the last second as the settle window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from env.episode import SETTLE_SECONDS
from env.goal_trace import trace_margin
from env.goals import SAMPLE_RATE
from env.state import State
from env.task import Task

SETTLED: Final = round(SETTLE_SECONDS * SAMPLE_RATE) + 1
"""Samples of the settle window, the first instant included."""
_FALLEN: Final = -1.0
"""Margin, at the most, while something lies on the floor: as in an episode."""


class Shaping(StrEnum):
    """What a policy is paid for on the way."""

    MARGIN = "margin"
    """Progress of the goal's margin."""
    NONE = "none"
    """Nothing: only the solved task pays."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand at one instant.

    Attributes:
        margin: Dimensionless signed margin of the goal, as if the episode ended now; at most -1
            while something that stood on the table lies on the floor.
        unmet: Atoms and quantifiers of the goal that do not hold now, as they would be written.
        missing: A sentence for each of them, lengths in millimetres.
        solved: Whether the goal held throughout the last second and nothing has fallen.
        fallen: Objects that left the table.
    """

    margin: float
    unmet: tuple[str, ...]
    missing: tuple[str, ...]
    solved: bool
    fallen: tuple[str, ...]


class Progress:
    """Judges a scene while it goes on."""

    def __init__(self, task: Task, binding: Mapping[str, str], first: State) -> None:
        """Begin.

        Args:
            task: What is asked for.
            binding: Object name by parameter.
            first: The state at time 0; like all others it carries what the goal needs.
        """
        self._goal = task.goal
        self._binding = binding
        self._trace: list[State] = []
        self._streak = 0
        self.standing = self.add([first])

    def add(self, states: Sequence[State]) -> Standing:
        """Take note of what happened since.

        Args:
            states: At 60 Hz of simulated time, the present one last; at least one.

        Returns:
            How things stand now.
        """
        goal, binding, now = self._goal, self._binding, states[-1]
        if goal.temporal:
            # Temporal goals are about everything since the beginning, so all of it is kept.
            self._trace += states
            margin = trace_margin(goal.form, self._trace, len(self._trace) - 1, binding)
            settled = len(self._trace) - SETTLED
            # What holds has no margin below 0, and looking twice at everything takes time.
            met = margin >= 0.0 and settled >= 0 and goal.judge(self._trace, settled, binding).holds
        else:
            for state in states:
                self._streak = self._streak + 1 if goal.holds(state, binding) else 0
            margin = goal.margin(now, binding)
            met = self._streak >= SETTLED
        fallen = now.fallen
        lacking = [atom for atom in goal.explain(now, binding) if not atom.holds]
        self.standing = Standing(
            margin=min(margin, _FALLEN) if fallen else margin,
            unmet=tuple(atom.text for atom in lacking),
            missing=tuple(atom.missing for atom in lacking),
            solved=met and not fallen,
            fallen=fallen,
        )
        return self.standing


def potential(margin: float) -> float:
    """How good a margin is, in (-1, 0]: ``m / (1 + |m|)`` for m < 0, and 0 once the goal holds.

    Increasing in the margin without bounds of its own: a margin is a distance over 10 cm for most
    predicates, and far away it may be -5.
    """
    return margin / (1.0 - margin) if margin < 0.0 else 0.0


def reward(
    before: float, after: float, *, solved: bool, discount: float, shaping: Shaping
) -> float:
    """What one action earns.

    With MARGIN it is ``[solved] + discount * potential(after) - potential(before)``: shaping by a
    potential, which leaves the best policies what they are (Ng, Harada and Russell, "Policy
    invariance under reward transformations", ICML 1999) for a learner that discounts by
    `discount`; the potential of a solved task is 0, as episodes that end ask for (Grzes, "Reward
    shaping in episodic reinforcement learning", AAMAS 2017).

    Args:
        before: Margin before the action.
        after: Margin after it.
        solved: Whether the task was solved by it.
        discount: In (0, 1].
        shaping: What is paid on the way.

    Returns:
        The reward. With discount 1 an episode earns [solved] plus what its potential rose.
    """
    earned = float(solved)
    if shaping is Shaping.MARGIN:
        earned += discount * potential(after) - potential(before)
    return earned
