"""Lanes: practice scenes side by side, each in a physics client of its own.

A lane is the unit of determinism: the commands that it sees depend on the search alone, never on
how many worker processes there are. Lanes live in workers (`env.workers.Bench.memory`); a plan
is tried in one of them first and in the others only if it is worth it there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from env.actions import invoke
from env.episode import SkillRunner, Start, prepare
from env.errors import ActionError
from env.executors import Executor
from env.goals import Atom
from env.program import Closure
from env.state import State
from env.task import Task
from env.workers import Bench
from env.world import World
from voyager.writers.grammar import Step
from voyager.writers.progress import progress

_LANES: Final = "lanes"
OPEN: Final = -1
"""Stands among the indices of true atoms for: the gripper is open."""
NEEDS: Final = frozenset({"distances"})
"""Ground atoms may ask for distances, so search states always carry them."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one lane shows after a step.

    Attributes:
        true: Indices of the atoms that are true.
        unmet: Goal atoms that are not true yet.
        distance: Dimensionless distance to the goal; 0 when met.
        steps: Simulated steps that it cost to get here from the parent.
        error: Why the step is not valid here, or None.
    """

    true: frozenset[int] = frozenset()
    unmet: int = 1 << 20
    distance: float = float("inf")
    steps: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class LaneSpec:
    """How to build a lane.

    Attributes:
        task: What is searched for.
        start: The practice scene.
        atoms: What is observed for novelty.
        skills: Closures that steps may call, by program hash.
    """

    task: Task
    start: Start
    atoms: tuple[Atom, ...]
    skills: Mapping[str, Closure] = field(hash=False)


@dataclass(frozen=True, slots=True)
class _Order:
    """One command to one lane: open it, try steps from a node, keep a step, or close."""

    lane: int
    verb: str
    spec: LaneSpec | None = None
    node: int = 0
    steps: tuple[Step, ...] = ()
    new_node: int = 0


class _Lane:
    """One practice scene with the snapshots of the nodes that were expanded."""

    def __init__(self, spec: LaneSpec, bench: Bench) -> None:
        self.spec = spec
        self.world = World()
        self._bench = bench
        self._nodes: dict[int, tuple[int, list[State]]] = {}
        self.binding: Mapping[str, str] = {}

    def begin(self) -> Observation:
        before = self.world.total_steps
        started = prepare(self.world, self._bench.sandbox(), self.spec.task, self.spec.start)
        self.binding = started.binding
        if self.spec.task.goal.temporal:
            self.world.record(NEEDS)
        self.world.trace = [self.world.observe(NEEDS)]
        self._nodes[0] = (self.world.snapshot(), list(self.world.trace))
        return self._observe(before)

    def attempt(self, node: int, step: Step) -> Observation:
        """Carry a step out after a node."""
        before = self.world.total_steps
        handle, trace = self._nodes[node]
        self.world.restore(handle)
        self.world.trace = list(trace)
        try:
            step.perform(self, self.binding)
        except ActionError as error:
            return Observation(
                steps=self.world.total_steps - before, error=f"{type(error).__name__}: {error}"
            )
        self.world.trace.append(self.world.observe(NEEDS))
        return self._observe(before)

    def keep(self, node: int, step: Step, new_node: int) -> Observation:
        """Carry a step out again and remember where it led."""
        seen = self.attempt(node, step)
        if seen.error is None:
            self._nodes[new_node] = (self.world.snapshot(), list(self.world.trace))
        return seen

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Call the robot API; see `voyager.writers.grammar.Hands`."""
        return invoke(self.world, name, args, kwargs)

    def skill(self, program_hash: str, arguments: Mapping[str, str]) -> None:
        """Run a library skill under its contract; see `voyager.writers.grammar.Hands`."""
        runner = SkillRunner(self.world, self._bench.sandbox())
        runner.run_under_contract(self.spec.skills[program_hash], arguments)

    def _observe(self, before: int) -> Observation:
        trace, binding = self.world.trace, self.binding
        state = trace[-1]
        true = frozenset(i for i, a in enumerate(self.spec.atoms) if a.holds(state, binding))
        if state.gripper.opening:
            true |= {OPEN}
        left = progress(self.spec.task.goal, trace, binding)
        return Observation(true, left.unmet, left.distance, self.world.total_steps - before)

    def close(self) -> None:
        self.world.close()


def _obey(bench: Bench, orders: tuple[_Order, ...]) -> list[list[Observation]]:
    """Carry out orders in one worker, in order."""
    lanes: dict[int, _Lane] = bench.memory.setdefault(_LANES, {})
    answers = []
    for order in orders:
        if order.verb in ("open", "close") and order.lane in lanes:
            lanes.pop(order.lane).close()
        if order.verb == "open" and order.spec is not None:
            lanes[order.lane] = _Lane(order.spec, bench)
            answers.append([lanes[order.lane].begin()])
        elif order.verb == "try":
            lane = lanes[order.lane]
            answers.append([lane.attempt(order.node, step) for step in order.steps])
        elif order.verb == "keep":
            lane = lanes[order.lane]
            answers.append([lane.keep(order.node, order.steps[0], order.new_node)])
        else:
            answers.append([])
    return answers


class LanePool:
    """Lanes spread over the workers of an executor."""

    def __init__(self, executor: Executor, specs: Sequence[LaneSpec]) -> None:
        """Build the lanes.

        Args:
            executor: Its workers keep the lanes; it must not be closed before the pool.
            specs: One for each lane.
        """
        self._executor = executor
        self.count = len(specs)
        self.simulated_steps = 0
        orders = [_Order(lane, "open", spec=spec) for lane, spec in enumerate(specs)]
        self.roots = [answer[0] for answer in self._send(orders)]

    def attempt(self, node: int, wanted: Sequence[tuple[int, Sequence[Step]]]) -> list[
        list[Observation]
    ]:
        """Try steps after a node, each in the lanes named; nothing is kept.

        Args:
            node: A kept node (0 is the start).
            wanted: (lane, steps) pairs.

        Returns:
            The observations, in the same order.
        """
        return self._send([_Order(lane, "try", node=node, steps=tuple(s)) for lane, s in wanted])

    def keep(self, node: int, step: Step, new_node: int) -> list[Observation]:
        """Carry a step out in every lane and keep where it led under a new number."""
        orders = [
            _Order(lane, "keep", node=node, steps=(step,), new_node=new_node)
            for lane in range(self.count)
        ]
        return [answer[0] for answer in self._send(orders)]

    def close(self) -> None:
        """Give the lanes' physics clients back."""
        self._send([_Order(lane, "close") for lane in range(self.count)])

    def _send(self, orders: Sequence[_Order]) -> list[list[Observation]]:
        """Give every worker its orders at once; answers come in the order of the orders."""
        shares: dict[int, list[int]] = {}
        for index, order in enumerate(orders):
            shares.setdefault(order.lane % self._executor.workers, []).append(index)
        for worker, share in shares.items():
            self._executor.worker(worker).submit(_obey, tuple(orders[i] for i in share))
        answers: dict[int, list[Observation]] = {}
        for worker, share in shares.items():
            found = self._executor.worker(worker).result()
            answers.update(zip(share, found, strict=True))
        self.simulated_steps += sum(o.steps for seen in answers.values() for o in seen)
        return [answers[i] for i in range(len(orders))]
