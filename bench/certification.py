"""How fast certification goes on one worker and on several, with the same certificate."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from bench.measure import Arm, Compared, Cost, Costs, Spread, Stopwatch, interleave
from bench.report import Report
from env.certificate import Certificate
from env.certification import certify
from env.controls import Controls, run_controls
from env.errors import VoyagerError
from env.executors import ProcessExecutor
from env.program import Closure
from env.task import Task
from env.workers import Bench


def warm_up(bench: Bench, job: None) -> None:
    """Have a worker make its world and its sandbox, so that only episodes are timed.

    Args:
        bench: The worker's.
        job: Nothing.
    """
    bench.world()
    bench.sandbox()


def certification(
    task: Task,
    closure: Closure,
    rounds: int,
    *,
    workers: Sequence[int] = (1, 2),
    controls: Controls | None = None,
) -> Report:
    """Certify one program again and again, with other numbers of workers in turn.

    Args:
        task: Its task.
        closure: The program.
        rounds: Certifications for each number of workers.
        workers: Numbers of worker processes; the first is what the others are compared with.
        controls: Of the task; run here, on the last number of workers, if None.

    Returns:
        The report.

    Raises:
        VoyagerError: If certificates differ, which must not happen.
    """
    certificates: dict[str, Certificate] = {}
    with ExitStack() as stack:
        pools = {count: stack.enter_context(ProcessExecutor(count)) for count in workers}
        for count, pool in pools.items():
            for index in range(count):
                pool.worker(index).call(warm_up, None)
        tests = controls or run_controls(task, pools[workers[-1]])

        def arm(pool: ProcessExecutor) -> Arm:
            def run(index: int) -> Cost:
                watch = Stopwatch()
                made = certify(task, closure, executor=pool, controls=tests)
                spent = watch.stop()
                certificates[made.hash] = made
                return spent

            return run

        costs = interleave({str(count): arm(pool) for count, pool in pools.items()}, rounds)
    if len(certificates) != 1:
        raise VoyagerError(f"one certification gave {len(certificates)} different certificates")
    (certificate,) = certificates.values()
    return _report(certificate, costs, rounds, str(workers[0]))


def _report(certificate: Certificate, costs: dict[str, Costs], rounds: int, first: str) -> Report:
    rows, record = [], []
    episodes = len(certificate.scenes)
    for workers, spent in costs.items():
        seconds = Spread.of(cost.wall for cost in spent)
        rate = Spread.of(episodes / cost.wall for cost in spent)
        stepping = Spread.of(certificate.steps / cost.wall for cost in spent)
        faster = Compared.of(costs[first], spent).wall_ratio
        rows.append(
            (
                workers,
                seconds.text(),
                rate.text(),
                f"{stepping.median:,.0f}",
                faster.text(),
            )
        )
        record.append(
            {
                "workers": int(workers),
                "seconds": seconds.to_json(),
                "episodes_a_second": rate.to_json(),
                "steps_a_second": stepping.to_json(),
                "speedup": faster.to_json(),
            }
        )
    return Report(
        name="certify",
        title=f"Certification, {episodes} episodes (put on, by hand)",
        columns=("workers", "s", "episodes a second", "steps a second", "faster"),
        rows=tuple(rows),
        notes=(
            f"all {rounds * len(costs)} certificates are {certificate.hash[:12]}: "
            f"{certificate.solved} of {episodes} solved, admitted: {certificate.admitted}",
        ),
        record={
            "rounds": rounds,
            "certificate": certificate.hash,
            "solved": certificate.solved,
            "episodes": episodes,
            "admitted": certificate.admitted,
            "workers": record,
        },
    )
