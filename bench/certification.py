"""How fast certification goes on one worker and on several, with the same certificate."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from time import perf_counter

from bench.measure import Arm, Spread, interleave, ratio
from bench.report import Report
from env.certificate import Certificate
from env.certify import certify
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
            def run(index: int) -> float:
                begin = perf_counter()
                made = certify(task, closure, executor=pool, controls=tests)
                spent = perf_counter() - begin
                certificates[made.hash] = made
                return spent

            return run

        times = interleave({str(count): arm(pool) for count, pool in pools.items()}, rounds)
    if len(certificates) != 1:
        raise VoyagerError(f"one certification gave {len(certificates)} different certificates")
    (certificate,) = certificates.values()
    return _report(certificate, times, rounds, str(workers[0]))


def _report(
    certificate: Certificate, times: dict[str, tuple[float, ...]], rounds: int, first: str
) -> Report:
    rows, record = [], []
    episodes = len(certificate.scenes)
    for workers, seconds in times.items():
        rate = Spread.of(episodes / s for s in seconds)
        stepping = Spread.of(certificate.steps / s for s in seconds)
        faster = ratio({"this": times[first], "that": seconds}, "this", "that")
        rows.append(
            (
                workers,
                Spread.of(seconds).text(2),
                rate.text(2),
                f"{stepping.median:,.0f}",
                faster.text(2, " x"),
            )
        )
        record.append(
            {
                "workers": int(workers),
                "seconds": Spread.of(seconds).to_json(),
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
            f"all {rounds * len(times)} certificates are {certificate.hash[:12]}: "
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
