"""Goals that are judged beside a task's own, on the same episode.

A witness decides nothing about the episode. It tells what else became true: which other goals the
control programs would have met, and which effects a skill has beyond what it promises.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from env.goal_trace import trace_holds
from env.goals import Atom, Binding, Goal
from env.state import State


@dataclass(frozen=True, slots=True)
class Witness:
    """A goal over objects that a task's parameters are bound to.

    Attributes:
        goal: The goal.
        names: (its parameter, the task's parameter) pairs.
    """

    goal: Goal
    names: tuple[tuple[str, str], ...]

    @classmethod
    def of_atom(cls, atom: Atom, kinds: dict[str, str]) -> Witness:
        """A witness of one atom over a task's own parameters.

        Args:
            atom: The atom.
            kinds: Kind by parameter of the task.

        Raises:
            GoalError: If the atom names something that the task does not have.
        """
        spoken = {name: kind for name, kind in kinds.items() if name in atom.arguments}
        return cls(Goal.parse(atom.text, spoken), tuple((name, name) for name in spoken))

    def judge(
        self, begun: State, trace: Sequence[State], settle: int, binding: Binding
    ) -> Sighting:
        """Judge it on an episode.

        Args:
            begun: The state at the start, with what the goal `needs`.
            trace: As for `Goal.judge`.
            settle: As for `Goal.judge`.
            binding: Object name by parameter of the task.
        """
        return Sighting(self.starts(begun, binding), self._holds(trace, settle, binding))

    def starts(self, begun: State, binding: Binding) -> bool:
        """Whether it is true at the start; arguments as for `judge`."""
        return self._holds([begun], 0, binding)

    def _holds(self, trace: Sequence[State], settle: int, binding: Binding) -> bool:
        own = {name: binding[theirs] for name, theirs in self.names}
        return all(trace_holds(part, trace, settle, own) for part in self.goal.conjuncts)


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a witness saw in one episode.

    Attributes:
        begun: Whether its goal was true at the start.
        held: Whether its goal was met by the end, judged like a task's own.
    """

    begun: bool
    held: bool
