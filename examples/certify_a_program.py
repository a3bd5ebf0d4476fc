"""Certify a program that was written by hand, on scenes that it never saw.

    python examples/certify_a_program.py

Takes about a minute: four programs that must *not* solve the task are run first, 20 scenes each.
"""

from env import Closure, Program, Task, certify, make_executor, replay

# What is wanted: words are for people, the goal is what physics checks.
task = Task.make("lifted(block, 0.08)", {"block": "block"}, instruction="Pick a block up.")

# One typed, documented function; all that it may call is in docs/robot_api.md.
SOURCE = '''\
from robot import Block, close_gripper, move_by, move_to, open_gripper, position, yaw


def lift(block: Block) -> None:
    """Grasp a block from above and lift it."""
    open_gripper()
    move_to(position(block), yaw=yaw(block), via="high")
    close_gripper()
    move_by((0, 0, 0.12))
'''

program = Program.parse(SOURCE)  # checked, never executed in this process
closure = Closure.of(program)  # the program with all that it calls: here nothing

with make_executor() as executor:  # one process for each CPU; the result does not depend on it
    certificate = certify(task, closure, executor=executor)
    for rate in certificate.controls.rates:
        print(f"control {rate.name:15} solved {rate.solved:2} of {rate.scenes}")
    for scene in certificate.scenes:
        margin = "" if scene.margin is None else f"margin {scene.margin:+.3f}"
        print(f"seed {scene.start.seed:<20} {scene.outcome.value:12} {margin}")
    print(
        f"{certificate.solved} of {certificate.n}, {certificate.needed} needed: "
        f"{'admitted' if certificate.admitted else 'refused'}"
    )
    report = replay(certificate, task, closure, executor=executor)
    print(f"replayed: {report.verdict.value}")
