"""An adapter is tested call by call, and each fault is named where it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from skill_store.export.python_runtime.check_adapter import Verdict, check, check_adapter
from skill_store.export.python_runtime.kinematic import KinematicRobot, Thing, example
from skill_store.export.python_runtime.robot_api import BadArgument

HERE = "skill_store.export.python_runtime.kinematic:example"


class Faulty(KinematicRobot):
    """A robot with one thing wrong: methods by name take the place of its own."""

    def __init__(self, **wrong: Callable[..., Any]) -> None:
        super().__init__(
            [
                Thing("cube", "block", "red", (0.45, 0.1, 0.02), (0.04, 0.04, 0.04)),
                Thing("mark", "place", "blue", (0.5, -0.1, 0.0), (0.1, 0.1, 0.0)),
            ]
        )
        self._wrong = wrong

    def __getattribute__(self, name: str) -> Any:
        wrong = object.__getattribute__(self, "__dict__").get("_wrong", {})
        if name in wrong:
            own = super().__getattribute__(name)
            return lambda *args, **kwargs: wrong[name](own, *args, **kwargs)
        return super().__getattribute__(name)


def failed(robot: Any, *, act: bool = True) -> dict[str, str]:
    return {c.call: c.detail for c in check(robot, act=act) if c.verdict is Verdict.FAILED}


def test_the_example_robot_passes_all() -> None:
    checks = check(example(), act=True)
    assert {one.verdict for one in checks} == {Verdict.OK}
    assert len(checks) > 40


def test_nothing_moves_unless_it_is_allowed() -> None:
    robot = example()
    checks = check(robot)
    assert robot.gripper_position() == (0.4, 0.0, 0.3)
    assert robot.time == 0.0
    untried = [one for one in checks if one.verdict is Verdict.NOT_TRIED]
    assert all("--act" in one.detail for one in untried)
    assert len(untried) == 13


def test_a_missing_method_is_named_and_nothing_is_asked() -> None:
    class Half:
        def objects(self) -> list[str]:
            raise AssertionError("nobody asks")

    found = check(Half(), act=True)  # type: ignore[arg-type]
    assert found[-1].verdict is Verdict.NOT_TRIED
    told = {one.call: one.detail for one in found if one.verdict is Verdict.FAILED}
    assert told["kind(name)"] == "the robot has no method 'kind'"
    assert "does not fit by name" in told["objects(kind)"]


@pytest.mark.parametrize(
    ("wrong", "call", "detail"),
    [
        ({"objects": lambda own, kind=None: []}, "objects()", "it knows no object"),
        (
            {"objects": lambda own, kind=None: own(None)},
            'objects("no such kind")',
            "it should raise BadArgument, and returned",
        ),
        (
            {"kind": lambda own, name: "cup" if name == "cube" else own(name)},
            'what it says of "cube"',
            "its kind is 'cup'; kinds are object",
        ),
        (
            {"position": lambda own, name: tuple(1000 * v for v in own(name))},
            'what it says of "cube"',
            "are these metres?",
        ),
        (
            {"position": lambda own, name: (0.45, 0.1, -0.02)},
            'what it says of "cube"',
            "its lower side is at -0.040 m; positions are centres",
        ),
        (
            {"yaw": lambda own, name: 45.0 if own(name) == 0.0 else 0.0},
            'what it says of "cube"',
            "are these radians?",
        ),
        (
            {"size": lambda own, name: [0.04, 0.04]},
            'what it says of "cube"',
            "size() returned [0.04, 0.04]; RobotAPI says tuple[float, float, float]",
        ),
        (
            {"colour": lambda own, name: "red"},
            'colour("no_such_object")',
            "it should raise UnknownObject, and returned 'red'",
        ),
        (
            {"gripper_width": lambda own: 80.0},
            "gripper_position(), gripper_width(), holding()",
            "the gripper is 80.0 wide; are these metres?",
        ),
        (
            {"open_gripper": lambda own: None if own.__self__.holding() else own()},
            "open_gripper() to put it down",
            "still holds 'cube'",
        ),
        (
            {"move_by": lambda own, offset, yaw=None, speed=0.8: None},
            "move_by((0, 0, 0.03))",
            "the gripper is 0.030 m from where it was sent",
        ),
        (
            {"close_gripper": lambda own, force=40.0: "cube" if 5 <= force <= 70 else own(force)},
            "close_gripper() on nothing",
            "there is nothing between the fingers, and it returned 'cube'",
        ),
        (
            {"wait": lambda own, seconds: None},
            "wait(-1)",
            "it should raise BadArgument, and returned None",
        ),
        (
            {
                "move_to": lambda own, position, yaw=None, speed=0.8, via="straight": own(
                    tuple(0.4 * v for v in position), yaw, speed, via
                )
            },
            "move_to((1.9, 0.0, 0.3))",
            "it should raise Unreachable: that is 1.9 m away",
        ),
    ],
)
def test_a_fault_is_found_where_it_is(
    wrong: dict[str, Callable[..., Any]], call: str, detail: str
) -> None:
    found = failed(Faulty(**wrong))
    assert call in found
    assert detail in found[call]


def test_a_fault_that_raises_is_told_with_its_error() -> None:
    def broken(own: Any, name: str) -> float:
        raise OSError("the camera is off")

    assert (
        failed(Faulty(yaw=broken))['what it says of "cube"'] == "raised OSError: the camera is off"
    )


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_adapter([HERE, "--act"]) == 0
    assert capsys.readouterr().out.endswith("43 ok, 0 failed, 0 not tried\n")
    assert check_adapter([HERE, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["schema"] == "voyager.adapter_check/1"
    assert record["ok"]
    assert {row["verdict"] for row in record["checks"]} == {"ok", "not tried"}
    assert check_adapter([HERE, "--act", "--object", "bowl"]) == 1
    assert "there is no graspable 'bowl'" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("nowhere", "is no MODULE:OBJECT"),
        ("nowhere.at_all:robot", "cannot be loaded: No module named 'nowhere'"),
        ("math:robot", "cannot be loaded: module 'math' has no attribute 'robot'"),
        ("math:pi", "which is no robot and makes none"),
    ],
)
def test_a_robot_that_is_not_there(spec: str, told: str) -> None:
    with pytest.raises(SystemExit) as caught:
        check_adapter([spec])
    assert told in str(caught.value)


def test_the_example_robot_says_what_is_out_of_range() -> None:
    with pytest.raises(BadArgument, match=r"wait|seconds"):
        example().wait(11.0)
