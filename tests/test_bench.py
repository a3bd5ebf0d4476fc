"""The benches measure what they say, on sizes so small that their numbers mean nothing."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from bench.branching import branching
from bench.calls import calls
from bench.certification import certification
from bench.command import main
from bench.measure import Compared, Cost, Spread, interleave
from bench.metered import Metered
from bench.overhead import BARE, EPISODE, Rig, overhead
from bench.programs import idle, put_on, put_on_task
from bench.report import SCHEMA, Report, machine, save, show
from bench.search import GOALS, Lesson, tables
from bench.stepping import stepping
from env.controls import Controls
from env.errors import VoyagerError
from env.outcome import Outcome
from env.task import Task
from env.world import World
from voyager.learn import LearnReport


@pytest.fixture(scope="module")
def rig() -> Iterator[tuple[World, Metered]]:
    with World() as world, Metered() as sandbox:
        yield world, sandbox


def _printed(report: Report) -> str:
    text = io.StringIO()
    show(report, Console(width=160, file=text))
    return text.getvalue()


def test_interleaving_turns_round_and_keeps_the_best_of_each_round() -> None:
    order: list[tuple[str, int]] = []
    dear = iter(range(100, 0, -1))

    def arm(name: str):
        def run(index: int) -> Cost:
            order.append((name, index))
            return Cost(float(next(dear)), 1.0)

        return run

    costs = interleave({"a": arm("a"), "b": arm("b")}, rounds=2, repeats=2)
    assert order == [(n, 0) for n in "abba"] + [(n, 1) for n in "baab"]
    assert [cost.wall for cost in costs["a"]] == [97.0, 94.0]
    assert [cost.wall for cost in costs["b"]] == [98.0, 93.0]


def test_comparison_is_of_equal_rounds() -> None:
    compared = Compared.of((Cost(2.0, 3.0), Cost(9.0, 8.0)), (Cost(1.0, 1.0), Cost(3.0, 2.0)))
    assert compared.wall_ratio == Spread(2.5, 2.0, 3.0, 2)
    assert compared.cpu_ratio == Spread(3.5, 3.0, 4.0, 2)


def test_overhead_and_stepping_have_a_line_for_every_component(
    rig: tuple[World, Metered],
) -> None:
    plain, *temporal = overhead(*rig, rounds=1, repeats=1)
    lines = [row[0] for row in plain.rows]
    assert (lines[0], lines[-1]) == (BARE, EPISODE)
    assert plain.record["arms"][0]["wall_ratio"]["median"] == 1.0
    assert len(temporal) == 2
    whole = stepping(*rig, rounds=1, repeats=1)
    assert whole.record["steps"]["median"] > 240
    for report in (plain, *temporal, whole):
        assert all(row[0] in _printed(report) for row in report.rows)


def test_arms_that_simulate_different_things_are_not_compared(rig: tuple[World, Metered]) -> None:
    world, sandbox = rig
    pair = [Rig(world, sandbox, put_on_task(), program) for program in (put_on(), idle())]
    pair[0]._ends = pair[1]._ends
    pair[0].bare(1)
    with pytest.raises(VoyagerError, match="end differently on seed 1"):
        pair[1].bare(1)


def test_calls_are_told_by_the_way_they_take(rig: tuple[World, Metered]) -> None:
    report, runs = calls(*rig, rounds=1, repeats=1, times=20)
    call = report.record["calls"][0]
    assert set(call) == {"call", "in_process_us", "across_us", "way_us"}
    assert runs.record["run_ms"]["median"] > 0.0


def test_certification_is_the_same_for_any_number_of_workers() -> None:
    task = put_on_task()
    report = certification(
        task, idle(), 1, workers=(1, 2), controls=Controls(task.hash, (), 0, 0, 0)
    )
    assert [line["workers"] for line in report.record["workers"]] == [1, 2]
    assert not report.record["admitted"]


def test_a_search_stays_narrow_beside_a_growing_library() -> None:
    sizes = branching(1, (0, 10, 40)).record["sizes"]
    assert [size["skill_calls"] for size in sizes] == [0, 16, 16]
    assert sizes[2]["steps"] == sizes[0]["steps"] + 16


def test_every_goal_of_the_road_can_be_read() -> None:
    assert len({Task.make(text, parameters).hash for text, parameters in GOALS.values()}) == 6


def test_search_tables_hold_learned_failed_and_refused_goals(tmp_path: Path) -> None:
    told = LearnReport(Outcome.LIMIT, "nothing held", simulated_steps=70, nodes=3, branching=9)
    lessons = [Lesson("lift", True, 0, told, 30, 1.5), Lesson("reach", False, 0, "no", 0, 0.1)]
    outcomes, stages = tables(lessons, 1000)
    assert outcomes.rows[0] == ("lift", "0", "on", "limit", "", "3", "9", "0", "70", "100", "1.5")
    assert {len(row) for row in outcomes.rows} == {len(outcomes.columns)}
    assert {len(row) for row in stages.rows} == {len(stages.columns)}
    file = tmp_path / "results" / "search.json"
    save(file, [outcomes, stages], machine())
    record = json.loads(file.read_text())
    assert record["schema"] == SCHEMA
    assert record["reports"]["search"]["lessons"][1]["refused"] == "no"
    assert [path.name for path in file.parent.iterdir()] == ["search.json"]


def test_command_measures_the_parts_that_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bench.json"
    assert main(["branching", "--rounds", "1", "--out", str(file)]) == 0
    assert list(json.loads(file.read_text())["reports"]) == ["branching"]
    assert "Branching" in capsys.readouterr().out
    assert main(["speed"]) == 1
    assert "there is no part 'speed'" in capsys.readouterr().err
