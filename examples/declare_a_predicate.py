"""Teach the goal language a new predicate and a new kind of object, and check a goal with them.

    python examples/declare_a_predicate.py

To learn with them, put the two declarations into a module of their own (docs/extending.md).
"""

import numpy as np

from env import Condition, Kind, Part, Shape, Task, Threshold, World, predicate, register_kind
from env.state import State


def draw_peg(rng: np.random.Generator) -> Shape:
    """An upright peg, 2.5 to 3.5 cm thick and 8 to 10 cm high."""
    edge, height = (round(float(rng.uniform(*span)), 4) for span in ((0.025, 0.035), (0.08, 0.1)))
    return Shape((edge, edge, height), (Part("box", (edge, edge, height)),), mass=0.06)


register_kind(Kind("peg", ("graspable",), draw_peg, "A slim upright peg."))


@predicate(("x", "object"), thresholds=(Threshold("within", 0.03, "m", "down"),))
def centred(state: State, x: str, within: float) -> tuple[Condition, ...]:
    """The centre of x lies closer than `within` to the line straight ahead of the robot."""
    aside = abs(state.bodies[x].position[1])
    missing = "{x} is {aside:mm} from the middle line, not within {within:mm}"
    return (Condition(within - aside, 0.1, "m", missing, {"aside": aside}),)


goal = "centred(peg) and upright(peg) and not touching(peg, block)"
task = Task.make(goal, {"peg": "peg", "block": "block"})

with World() as world:
    for seed in range(4):
        scene = task.sample(seed)
        world.reset(scene)
        state = world.observe(task.goal.needs)
        print(f"seed {seed}: {task.goal.holds(state, scene.binding)}")
        for report in task.goal.explain(state, scene.binding):
            print(f"  {report.text:28} {report.margin:+8.3f}  {report.missing}")
