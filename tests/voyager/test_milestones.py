"""The reference tasks: readable, not true from the start, and reached by contracts only."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from env.world import World
from skill_store import Library, SkillState
from tests.env.skills import REACH, REACHING
from tests.skill_store.samples import certificate
from tests.voyager.homes import admit
from voyager.cli import run
from voyager.milestones import MILESTONES, Milestone, Theme, reached

ROOT = Path(__file__).resolve().parents[2]
SEEDS = range(4)


def test_they_are_about_thirty_different_tasks_from_a_bare_hand_upwards() -> None:
    assert 25 <= len(MILESTONES) <= 35
    assert len({one.name for one in MILESTONES}) == len(MILESTONES)
    assert len({one.task.hash for one in MILESTONES}) == len(MILESTONES)
    levels = [one.level for one in MILESTONES]
    assert levels == sorted(levels)
    assert {1, 2, 3, 4} <= set(levels)
    assert {one.theme for one in MILESTONES} == set(Theme)
    towers = [one for one in MILESTONES if one.goal.count("on(") == 3]
    assert len(towers) >= 1
    assert any("every(" in one.goal for one in MILESTONES)


def test_none_is_true_before_anything_was_done() -> None:
    with World() as world:
        for one in MILESTONES:
            assert not all(_true_at_start(world, one, seed) for seed in SEEDS), one.name


def _true_at_start(world: World, one: Milestone, seed: int) -> bool:
    goal, scene = one.task.goal, one.task.sample(seed)
    world.reset(scene)
    return goal.judge([world.observe(goal.needs)], 0, scene.binding).holds


def test_a_milestone_is_reached_by_a_contract_that_implies_it(tmp_path: Path) -> None:
    with Library.open(tmp_path, learning=True) as library:
        assert {one.skill for one in reached(library)} == {None}
        admit(library, REACH, REACHING, certificate(REACH, REACHING))
        met = {one.milestone.name: one.skill for one in reached(library) if one.skill is not None}
        assert met == {"reach_block": "reach"}
        library.set_state("reach", SkillState.RETIRED)
        assert {one.skill for one in reached(library)} == {None}


def test_nothing_that_proposes_or_writes_knows_them() -> None:
    files = [*(ROOT / "curriculum").glob("*.py"), *(ROOT / "voyager/writers").glob("*.py")]
    files += [ROOT / "voyager" / f"{name}.py" for name in ("learn", "lesson", "explorer")]
    assert len(files) > 10
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert "milestones" not in str(node.module), path
                assert "milestones" not in {alias.name for alias in node.names}, path
            if isinstance(node, ast.Import):
                assert not any("milestones" in alias.name for alias in node.names), path


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VOYAGER_HOME", str(tmp_path))
    with Library.open(tmp_path, learning=True) as library:
        admit(library, REACH, REACHING, certificate(REACH, REACHING))
    assert run(["milestones", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["schema"], record["reached"]) == ("voyager.milestones/1", 1)
    assert record["of"] == len(record["milestones"]) == len(MILESTONES)
    first = record["milestones"][0]
    assert (first["name"], first["skill"], first["at_steps"]) == ("reach_block", "reach", 0)
    assert [m["skill"] for m in record["milestones"][1:]] == [None] * (len(MILESTONES) - 1)
    assert run(["milestones"]) == 0
    shown = capsys.readouterr().out
    assert f"1 of {len(MILESTONES)} reached" in shown
    assert "tower_four" in shown
