"""Skills run against any robot: bound for one run, past nothing that a skill could swallow."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from env.program import Program
from skill_store.export.python_runtime.asking import AdapterError
from skill_store.export.python_runtime.kinematic import KinematicRobot, Thing, example
from skill_store.export.python_runtime.robot_api import Blocked, NothingHeld, UnknownObject
from skill_store.export.python_runtime.running import (
    Call,
    CallLimitReached,
    SkillPackageError,
    Skills,
)

GO = '''\
from robot import Block, move_to, position


def {name}(block: Block) -> None:
    """Go there."""
    x, y, z = position(block)
    move_to((x, y, z + {height}))
'''
TWICE = '''\
from robot import Block
from skills.{callee} import {callee}


def {name}(block: Block) -> None:
    """Do it twice."""
    {callee}(block)
    {callee}(block)
'''


def skills_of(*programs: Program, roots: tuple[Program, ...] = (), calls: int = 400) -> Skills:
    """Programs as a package holds them; those of `roots` (else the last) are its skills."""
    index = {
        "modules": ["math", "dataclasses", "typing", "__future__"],
        "programs": {p.hash: {"name": p.name, "lock": dict(p.lock)} for p in programs},
        "skills": [
            {
                "name": p.name,
                "program": p.hash,
                "call_limit": calls,
                "parameters": [
                    {"name": n.name, "kind": n.annotation.lower()} for n in p.parameters
                ],
            }
            for p in roots or programs[-1:]
        ],
    }
    sources = {p.hash: (p.source, f"<{p.hash[:8]}>") for p in programs}
    return Skills(index, sources.__getitem__)


def go(name: str = "go", height: float = 0.1) -> Program:
    return Program.parse(GO.format(name=name, height=height))


def twice(name: str, callee: Program) -> Program:
    source = TWICE.format(name=name, callee=callee.name)
    return Program.parse(source, {callee.name: callee.hash})


def written(body: str, head: str = "") -> Program:
    source = f'{head}\n\ndef act(block: Block) -> None:\n    """Act."""\n{body}\n'
    return Program.parse(source)


def test_calls_reach_the_robot_with_plain_arguments() -> None:
    robot, seen = example(), list[Call]()
    skills_of(go()).run("go", robot, {"block": "red_block"}, watch=seen.append)
    assert robot.gripper_position() == pytest.approx((0.45, 0.15, 0.12))
    assert [call.name for call in seen] == ["position", "move_to"]
    assert seen[1].arguments == {
        "position": pytest.approx((0.45, 0.15, 0.12)),
        "yaw": None,
        "speed": 0.8,
        "via": "straight",
    }


def test_two_programs_of_one_name_each_call_their_own() -> None:
    old, new = go(height=0.1), go(height=0.2)
    below, above = twice("below", old), twice("above", new)
    skills = skills_of(old, new, below, above, roots=(below, above, new))
    robot = example()
    heights = {}
    for name in ("below", "above", "go", "below"):
        skills.run(name, robot, {"block": "red_block"})
        heights[name] = robot.gripper_position()[2]
    assert heights == {
        "below": pytest.approx(0.12),
        "above": pytest.approx(0.22),
        "go": pytest.approx(0.22),
    }


def test_nothing_is_left_behind_by_a_run() -> None:
    before = set(sys.modules)
    counting = written(
        "    TALLY.append(1)\n    move_to((0.4, 0.0, 0.1 * len(TALLY)))",
        "from robot import Block, move_to\n\nTALLY: list = []",
    )
    robot, skills = example(), skills_of(counting)
    for _ in range(2):
        skills.run("act", robot, {"block": "red_block"})
        assert robot.gripper_position()[2] == pytest.approx(0.1)
    assert set(sys.modules) == before


def test_each_thread_moves_its_own_robot() -> None:
    meeting = threading.Barrier(2, timeout=30)

    class Patient(KinematicRobot):
        def position(self, name: str) -> tuple[float, float, float]:
            meeting.wait()  # both are in the middle of their run
            return super().position(name)

    def table(x: float) -> Patient:
        return Patient([Thing("cube", "block", "red", (x, 0.0, 0.02), (0.04, 0.04, 0.04))])

    callee = go()
    skills = skills_of(callee, twice("again", callee))
    robots = [table(0.4), table(0.6)]
    threads = [
        threading.Thread(target=skills.run, args=("again", robot, {"block": "cube"}))
        for robot in robots
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [robot.gripper_position()[0] for robot in robots] == [0.4, 0.6]


def test_a_dataclass_in_a_program_finds_its_module() -> None:
    program = written(
        "    move_to(_Way(0.2).target())",
        "from __future__ import annotations\n\nfrom dataclasses import dataclass\n"
        "from typing import ClassVar\n\nfrom robot import Block, move_to\n\n\n"
        "@dataclass\nclass _Way:\n    z: float\n    x: ClassVar[float] = 0.4\n\n"
        "    def target(self) -> tuple[float, float, float]:\n"
        "        return (self.x, 0.0, self.z)",
    )
    robot = example()
    skills_of(program).run("act", robot, {"block": "red_block"})
    assert robot.gripper_position() == (0.4, 0.0, 0.2)


def test_what_is_printed_goes_to_the_log(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    program = written('    print("at", 3)', "from robot import Block")
    skills_of(program).run("act", example(), {"block": "red_block"})
    assert capsys.readouterr().out == ""
    assert caplog.messages == ["at 3"]


def test_a_traceback_shows_the_line_of_the_skill() -> None:
    program = written("    return 1 / 0", "from robot import Block")
    with pytest.raises(ZeroDivisionError) as caught:
        skills_of(program).run("act", example(), {"block": "red_block"})
    assert str(caught.traceback[-1].statement).strip() == "return 1 / 0"


def test_a_skill_catches_what_it_may_and_nothing_else() -> None:
    swallow = written(
        "    for _ in range(3):\n        try:\n            move_to((0.4, 0.0, 0.1))\n"
        "        except Exception as error:\n            say(type(error).__name__)",
        "from robot import Block, move_to, say",
    )

    class Foreign(Exception):
        """An error of the robot that no skill knows."""

    class Failing(KinematicRobot):
        error: Exception = Blocked("a box", by=["box"], short_by=0.1)

        def move_to(self, *args: Any, **kwargs: Any) -> None:
            raise self.error

    robot = Failing([Thing("cube", "block", "red", (0.4, 0.0, 0.02), (0.04, 0.04, 0.04))])
    skills_of(swallow).run("act", robot, {"block": "cube"})
    assert robot.notes == ["Blocked"] * 3
    robot.error = Foreign("the line is dead")
    with pytest.raises(Foreign, match="the line is dead"):
        skills_of(swallow).run("act", robot, {"block": "cube"})
    assert len(robot.notes) == 3


def test_an_error_of_the_same_name_counts_as_ours() -> None:
    class Base(Exception):
        def __init__(self, message: str, **numbers: float) -> None:
            super().__init__(message)
            self.numbers = numbers

    foreign = type("NothingHeld", (Base,), {})

    class Empty(KinematicRobot):
        def close_gripper(self, force: float = 40.0) -> str:
            raise foreign("empty", width=0.01)

    program = written("    close_gripper()", "from robot import Block, close_gripper")
    robot = Empty([Thing("cube", "block", "red", (0.4, 0.0, 0.02), (0.04, 0.04, 0.04))])
    with pytest.raises(NothingHeld) as caught:
        skills_of(program).run("act", robot, {"block": "cube"})
    assert caught.value.numbers == {"width": 0.01}


def test_too_many_calls_end_a_skill_that_would_go_on() -> None:
    stubborn = written(
        "    while True:\n        try:\n            wait(0.1)\n        except Exception:\n"
        "            pass",
        "from robot import Block, wait",
    )
    robot = example()
    with pytest.raises(CallLimitReached, match="more than 25 robot calls"):
        skills_of(stubborn, calls=25).run("act", robot, {"block": "red_block"})
    assert robot.time == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("call", "returned", "told"),
    [
        ("position", (1.0, 2.0), "position() returned (1.0, 2.0); RobotAPI says tuple"),
        ("position", (1.0, 2.0, float("nan")), "position() returned"),
        ("yaw", None, "yaw() returned None; RobotAPI says float"),
        ("objects", "cube", "objects() returned 'cube'; RobotAPI says list[str]"),
        ("holding", 3, "holding() returned 3"),
    ],
)
def test_an_answer_of_the_wrong_kind_names_call_and_answer(
    call: str, returned: object, told: str
) -> None:
    asked = f"{call}({'' if call in ('objects', 'holding') else 'block'})"
    program = written(f"    {asked}", f"from robot import Block, {call}")
    robot = example()
    setattr(robot, call, lambda **_: returned)
    with pytest.raises(AdapterError) as caught:
        skills_of(program).run("act", robot, {"block": "red_block"})
    assert told in str(caught.value)


def test_numbers_of_numpy_are_taken_and_given_as_plain_ones() -> None:
    class Arrays(KinematicRobot):
        def position(self, name: str) -> Any:
            return np.array(super().position(name), dtype=np.float32)

    program = written(
        "    x, y, z = position(block)\n    assert type(x) is float\n    move_to([x, y, 0.2])",
        "from robot import Block, move_to, position",
    )
    robot = Arrays([Thing("cube", "block", "red", (0.5, 0.0, 0.02), (0.04, 0.04, 0.04))])
    seen: list[Call] = []
    skills_of(program).run("act", robot, {"block": "cube"}, watch=seen.append)
    assert seen[-1].arguments["position"] == (0.5, 0.0, 0.2)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, r"go\(\) takes block, and got nothing"),
        ({"block": "red_block", "more": "bowl"}, "and got block, more"),
        ({"block": "bowl"}, "takes a block as 'block', and 'bowl' is a bowl"),
    ],
)
def test_arguments_that_were_never_certified_are_refused(
    arguments: dict[str, str], told: str
) -> None:
    robot = example()
    with pytest.raises(SkillPackageError, match=told):
        skills_of(go()).run("go", robot, arguments)
    assert robot.gripper_position() == (0.4, 0.0, 0.3)


def test_an_object_that_is_not_there_and_a_skill_that_is_not() -> None:
    with pytest.raises(UnknownObject, match="no object 'cup'"):
        skills_of(go()).run("go", example(), {"block": "cup"})
    with pytest.raises(SkillPackageError, match="no skill 'fly'; there are: go"):
        skills_of(go()).run("fly", example(), {})


def test_one_object_cannot_stand_for_two_parameters() -> None:
    program = Program.parse(
        'from robot import Block\n\n\ndef both(a: Block, b: Block) -> None:\n    """Do."""\n'
    )
    with pytest.raises(SkillPackageError, match="a different object for each parameter"):
        skills_of(program).run("both", example(), {"a": "red_block", "b": "red_block"})


def test_a_program_sees_only_what_its_lock_and_the_list_name(tmp_path: Path) -> None:
    outside = Program.parse(
        'import os\nfrom robot import Block\n\n\ndef act(block: Block) -> None:\n    """Act."""\n',
        modules=frozenset({"os"}),
    )
    with pytest.raises(ModuleNotFoundError, match="certified without a module 'os'"):
        skills_of(outside).run("act", example(), {"block": "red_block"})
