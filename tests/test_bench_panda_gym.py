"""Exported skills in panda-gym, where it is installed; see docs/export.md."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from bench import panda_gym
from bench.command import main
from skill_store import Library
from skill_store.archive import restore
from skill_store.export import gather

there = importlib.util.find_spec("panda_gym") is not None


@pytest.mark.skipif(there, reason="it is about where panda-gym is not installed")
def test_without_panda_gym_it_says_how_to_get_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["panda-gym", "--episodes", "1"]) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "pip install --no-deps panda-gym==3.0.7" in told


def test_skills_are_chosen_by_what_they_promise(tmp_path: Path) -> None:
    restore(panda_gym.LIBRARY, tmp_path / "home")
    with Library.open(tmp_path / "home") as library:
        bundle = gather(library, everything=True, allow_uncertified=True)
    assert panda_gym.skill_for(bundle, "at_place").name == "put_at_place"
    # `put_on` puts balls on balls.
    assert panda_gym.skill_for(bundle, "on").name == "put_on_block"


@pytest.mark.skipif(not there, reason="panda-gym is an optional job of its own, see docs/export.md")
@pytest.mark.timeout(900)
def test_exported_skills_reach_goals_that_random_actions_do_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "runs.json"
    assert main(["panda-gym", "--episodes", "4", "--out", str(out)]) == 0
    assert "stack: exported skills" in capsys.readouterr().out
    record = json.loads(out.read_text())
    assert record["schema"] == "voyager.panda_gym/1"
    reached: dict[tuple[str, str], int] = {}
    for run in record["runs"]:
        key = (run["task"], run["controller"])
        reached[key] = reached.get(key, 0) + run["reached"]
    for task in ("pick and place", "stack"):
        assert reached[task, "random actions"] == 0
        assert reached[task, "exported skills"] >= 3
        assert reached[task, "scripted by hand"] >= 3
