"""What a call costs across the sandbox, and what a run costs before its first call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from bench.in_process import Direct, Echo, function_of
from bench.measure import Arm, Cost, Costs, Spread, Stopwatch, interleave
from bench.programs import looks, skill_calls
from bench.report import Report
from env.actions import invoke
from env.errors import SandboxError
from env.program import Closure
from env.sandbox import CallHandler, Limits, RunStatus, Sandbox, open_sandbox
from env.task import Task
from env.world import World

_LOOKS: Final = (("gripper_width", ()), ("position", ("block",)), ("holding", ()), ("objects", ()))
_FIXED: Final = "a run without calls"
_SKILL: Final = "skill call"


def calls(
    world: World, sandbox: Sandbox, rounds: int, repeats: int, times: int = 500
) -> list[Report]:
    """Measure look calls and skill calls across the sandbox, and the fixed costs.

    Args:
        world: Is reset.
        sandbox: A started sandbox.
        rounds: Measurements of each kind.
        repeats: Runs for each; the fastest counts.
        times: Calls in a run.

    Returns:
        A report on calls, and one on runs and sandboxes.

    Raises:
        SandboxError: If a run does not return.
    """
    task = Task.make("at(gripper, block)", {"block": "block"})
    scene = task.sample(0)
    world.reset(scene)
    block = scene.binding["block"]
    arms: dict[str, Arm] = {}
    for look, names in _LOOKS:
        closure = looks(look, ", ".join(names))
        answer = invoke(world, look, [block for _ in names], {})
        inside = function_of(closure, world)
        arms[f"{look}, in-process"] = _inside(inside, block, times)
        arms[f"{look}, across"] = _across(sandbox, closure, block, times, Direct(world))
        arms[f"{look}, way"] = _across(sandbox, closure, block, times, Echo(answer))
    arms[_SKILL] = _across(sandbox, skill_calls(), block, times, Echo(None))
    arms[_FIXED] = _across(sandbox, looks(_LOOKS[0][0]), block, 0, Echo(0.0))
    measured = interleave(arms, rounds, repeats)
    fixed = measured.pop(_FIXED)
    a_call = {
        name: Spread.of(
            1e6 * (cost.wall - (0.0 if name.endswith("in-process") else run.wall)) / times
            for cost, run in zip(costs, fixed, strict=True)
        )
        for name, costs in measured.items()
    }
    return [_calls_report(a_call, rounds, repeats, times), _fixed_report(fixed)]


def _inside(function: Callable[..., None], block: str, times: int) -> Arm:
    def run(index: int) -> Cost:
        watch = Stopwatch()
        function(block, times)
        return watch.stop()

    return run


def _across(
    sandbox: Sandbox, closure: Closure, block: str, times: int, handler: CallHandler
) -> Arm:
    limits = Limits(calls=times + 1, skill_calls=times + 1, total_bytes=1 << 30)

    def run(index: int) -> Cost:
        watch = Stopwatch()
        result = sandbox.run(closure, {"block": block, "times": times}, handler, limits)
        spent = watch.stop()
        if result.status is not RunStatus.RETURNED:
            raise SandboxError(f"a program of the bench did not return: {result.reason}")
        return spent

    return run


def _calls_report(a_call: dict[str, Spread], rounds: int, repeats: int, times: int) -> Report:
    rows: list[tuple[str, ...]] = []
    record: list[dict[str, Any]] = []
    for look, _ in _LOOKS:
        inside, across, way = (a_call[f"{look}, {how}"] for how in ("in-process", "across", "way"))
        rows.append((look, inside.text(1), across.text(1), way.text(1)))
        record.append(
            {
                "call": look,
                "in_process_us": inside.to_json(),
                "across_us": across.to_json(),
                "way_us": way.to_json(),
            }
        )
    skill = a_call[_SKILL]
    rows.append((f"{_SKILL} (enter and leave)", "", "", skill.text(1)))
    record.append({"call": _SKILL, "way_us": skill.to_json()})
    return Report(
        name="calls",
        title="One call, microseconds",
        columns=("call", "in-process", "across the sandbox", "the way alone"),
        rows=tuple(rows),
        notes=(
            f"{rounds} x the fastest of {repeats} runs of {times} calls, less a run without calls; "
            "the way alone: the host answers at once",
        ),
        record={"rounds": rounds, "repeats": repeats, "times": times, "calls": record},
    )


def _fixed_report(fixed: Costs) -> Report:
    run = Spread.of(1e3 * cost.wall for cost in fixed)
    starts = []
    for _ in range(3):
        other = open_sandbox()
        watch = Stopwatch()
        other.start()
        starts.append(1e3 * watch.stop().wall)
        other.close()
    start = Spread.of(starts)
    return Report(
        name="runs",
        title="Fixed costs of the sandbox, milliseconds",
        columns=("what", "ms"),
        rows=(
            ("one run: fork, walls, load, reap", run.text(2)),
            ("start once: warm parent, self-test", start.text(0)),
        ),
        record={"run_ms": run.to_json(), "start_ms": start.to_json()},
    )
