"""The whole road with real physics and a real sandbox: certify, add, run, replay."""

from __future__ import annotations

from pathlib import Path

import pytest

from env.certification import certify
from env.executors import SerialExecutor
from env.outcome import Outcome
from env.program import Closure, Program
from env.replays import ReplayVerdict, replay
from skill_store import Library
from tests.skill_store.samples import REACH

_REACH = '''\
from robot import Block, move_to, open_gripper, position, yaw


def reach(block: Block) -> None:
    """Bring the gripper to the block."""
    open_gripper()
    move_to(position(block), yaw=yaw(block), via="high")
'''


@pytest.mark.slow
@pytest.mark.ci
def test_a_certified_program_is_kept_run_and_replayed(tmp_path: Path) -> None:
    closure = Closure.of(Program.parse(_REACH))
    with SerialExecutor() as executor:
        with Library.open(tmp_path, learning=True) as library:
            ordinal = library.reserve(REACH, closure)
            certificate = certify(REACH, closure, executor=executor, ordinal=ordinal)
            assert certificate.admitted
            library.add(REACH, closure, certificate)
        with Library.open(tmp_path) as library:
            skill = library.get("reach")
            handovers = library.handovers_of(skill.certificate)
        episode = skill.run(5)
        assert episode.outcome is Outcome.SOLVED
        assert skill.run(5).hash == episode.hash
        report = replay(
            skill.certificate, skill.task, skill.closure, executor=executor, handovers=handovers
        )
        assert report.verdict is ReplayVerdict.IDENTICAL
