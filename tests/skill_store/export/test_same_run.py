"""A package runs a skill as the sandbox did: the same calls and answers, to the last bit."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from env.actions import ACTIONS, invoke
from env.episode import run_episode
from env.sandbox import open_sandbox
from env.world import World
from skill_store import Library
from skill_store.archive import restore
from skill_store.export import gather
from skill_store.export.package_index import index
from skill_store.export.python_runtime.running import Call, Skills

ROOT = Path(__file__).resolve().parents[3]


class Simulated:
    """The world of the judge as a robot for exported skills."""

    def __init__(self, world: World) -> None:
        for name in ACTIONS:
            setattr(self, name, partial(self._do, world, name))

    @staticmethod
    def _do(world: World, name: str, /, **arguments: Any) -> Any:
        return invoke(world, name, (), arguments)


@pytest.mark.parametrize(("name", "seed"), [("put_at_place", 4), ("bring_near", 11)])
def test_a_package_and_the_sandbox_do_the_same(tmp_path: Path, name: str, seed: int) -> None:
    restore(ROOT / "examples" / "library" / "library.tar.gz", tmp_path / "home")
    with Library.open(tmp_path / "home") as library:
        skill = library.get(name)
        bundle = gather(library, names=[name], allow_uncertified=True)
    sources = {key: (p.source, f"<{p.name}>") for key, p in bundle.programs.items()}
    skills = Skills(index(bundle, "robot_skills"), sources.__getitem__)
    with World() as world:
        with open_sandbox() as sandbox:
            episode = run_episode(world, sandbox, skill.task, skill.closure, seed)
        world.reset(skill.task.sample(seed))
        seen: list[Call] = []
        skills.run(name, Simulated(world), dict(episode.binding), watch=seen.append)  # type: ignore[arg-type]
        ended = world.time
    assert [(c.name, c.result) for c in seen] == [(c.name, c.result) for c in episode.calls]
    told = [None if c.error is None else c.error["type"] for c in episode.calls]
    assert [None if c.error is None else type(c.error).__name__ for c in seen] == told
    assert ended == episode.time
    assert len(seen) > 5
