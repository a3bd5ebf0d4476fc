# Copyright (c) 2026 The voyager-skill-library authors
# SPDX-License-Identifier: MIT-0
"""Tests an adapter call by call: `python -m PACKAGE.check_adapter MODULE:OBJECT`.

OBJECT is a robot that meets `RobotAPI`, or a function without arguments that returns one. Without
`--act` nothing moves: only calls that look are tried. With it the robot opens and closes its
gripper, moves above an object, grasps it, lifts it by 10 cm and puts it down again.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, Final

from .asking import SIGNATURES, ask
from .robot_api import (
    KINDS,
    LOOKS,
    ActionError,
    BadArgument,
    NothingHeld,
    RobotAPI,
    UnknownObject,
    Unreachable,
)

_NEAR: Final = 0.015
"""Metres by which a motion may miss where it was sent; skills were certified with 12 mm."""
_NOBODY: Final = "no_such_object"
_FAR_AWAY: Final = (1.9, 0.0, 0.3)


class Verdict(Enum):
    """How a check ended."""

    OK = "ok"
    FAILED = "FAILED"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class Check:
    """One check of an adapter.

    Attributes:
        call: What was called.
        verdict: How it ended.
        detail: What came and what should have; empty if it is as it should be.
    """

    call: str
    verdict: Verdict
    detail: str = ""


class _Wrong(Exception):
    """Says what came and what should have."""


def check(robot: RobotAPI, *, act: bool = False, thing: str | None = None) -> tuple[Check, ...]:
    """Test an adapter call by call.

    Args:
        robot: The adapter.
        act: Whether it may move.
        thing: Name of the object to grasp; the narrowest graspable one when None.

    Returns:
        The checks in the order in which they were made. One that fails does not end the rest,
        unless nothing could be asked at all.
    """
    return tuple(_Examination(robot, act, thing).run())


class _Examination:
    def __init__(self, robot: RobotAPI, act: bool, thing: str | None) -> None:
        self._robot = robot
        self._act = act
        self._wanted = thing

    def run(self) -> Iterator[Check]:
        shapes = [
            self._try(f"{name}({', '.join(takes.parameters)})", partial(self._has, name))
            for name, takes in SIGNATURES.items()
        ]
        yield from shapes
        if any(shape.verdict is Verdict.FAILED for shape in shapes):
            yield Check("everything else", Verdict.NOT_TRIED, "first mend the methods above")
            return
        refuses = partial(partial, self._raises, BadArgument)
        yield self._try("objects()", self._objects)
        yield self._try('objects("no such kind")', refuses("objects", kind="no such kind"))
        for name in self._names():
            yield self._try(f'what it says of "{name}"', partial(self._thing, name))
        for call in ("kind", "colour", "position", "yaw", "size"):
            unknown = partial(self._raises, UnknownObject, call, name=_NOBODY)
            yield self._try(f'{call}("{_NOBODY}")', unknown)
        yield self._try("gripper_position(), gripper_width(), holding()", self._gripper)
        near = (0.4, 0.0, 0.3)
        motions: list[tuple[str, Callable[[], None]]] = [
            ("open_gripper()", self._opens),
            ('say("checking"), wait(0.1)', self._idles),
            ("wait(-1)", refuses("wait", seconds=-1.0)),
            ("move_to(..., speed=99)", refuses("move_to", position=near, speed=99.0)),
            ('move_to(..., via="sideways")', refuses("move_to", position=near, via="sideways")),
            ("close_gripper(force=1000)", refuses("close_gripper", force=1000.0)),
            (f"move_to({_FAR_AWAY})", self._unreachable),
            ('move_to(above an object, via="high")', self._goes_above),
            ("move_by((0, 0, 0.03))", self._moves_by),
            ("close_gripper() on nothing", self._closes_on_nothing),
            ("close_gripper() on an object", self._grasps),
            ("move_by((0, 0, 0.1)) with it", self._lifts),
            ("open_gripper() to put it down", self._puts_down),
        ]
        for call, function in motions:
            if self._act:
                yield self._try(call, function)
            else:
                yield Check(call, Verdict.NOT_TRIED, "it moves the robot; add --act")

    def _try(self, call: str, function: Callable[[], None]) -> Check:
        try:
            function()
        except _Wrong as wrong:
            return Check(call, Verdict.FAILED, str(wrong))
        except Exception as error:
            told = f"raised {type(error).__name__}: {error}"
            return Check(call, Verdict.FAILED, told)
        return Check(call, Verdict.OK)

    def _ask(self, name: str, /, **arguments: Any) -> Any:
        full = SIGNATURES[name].bind(**arguments)
        full.apply_defaults()
        return ask(self._robot, name, full.arguments)

    # -- look -------------------------------------------------------------------------------

    def _has(self, name: str) -> None:
        method = getattr(self._robot, name, None)
        if not callable(method):
            raise _Wrong(f"the robot has no method {name!r}")
        try:
            own = inspect.signature(method)
        except (TypeError, ValueError):
            return  # written in C; the calls below will show
        everything = dict.fromkeys(SIGNATURES[name].parameters)
        try:
            own.bind(**everything)
        except TypeError as error:
            raise _Wrong(f"it takes {own}, which does not fit by name: {error}") from None

    def _names(self) -> list[str]:
        try:
            found: list[str] = self._ask("objects")
        except Exception:
            return []  # objects() was reported above
        return found

    def _objects(self) -> None:
        names = self._ask("objects")
        if not names:
            raise _Wrong("it knows no object; put one within reach, skills are about objects")
        if len(set(names)) < len(names):
            raise _Wrong(f"two objects have one name: {names}")
        for kind in KINDS:
            if spare := set(self._ask("objects", kind=kind)) - set(names):
                raise _Wrong(f"objects({kind!r}) names {sorted(spare)}, which objects() does not")

    def _thing(self, name: str) -> None:
        kind = self._ask("kind", name=name)
        if kind not in KINDS:
            raise _Wrong(f"its kind is {kind!r}; kinds are {', '.join(KINDS)}")
        for above in KINDS[kind]:
            if name not in self._ask("objects", kind=above):
                raise _Wrong(f"it is a {kind}, but objects({above!r}) leaves it out")
        if not self._ask("colour", name=name).strip():
            raise _Wrong("its colour is empty")
        (x, y, z), size = self._ask("position", name=name), self._ask("size", name=name)
        if kind != "place" and min(size) <= 0.0:
            raise _Wrong(f"its size is {size}; edge lengths are positive, in metres")
        if max(size) > 2.0 or math.hypot(x, y) > 5.0:
            raise _Wrong(f"it is {size} large at {(x, y, z)}; are these metres?")
        if z - size[2] / 2 < -0.02:
            raise _Wrong(
                f"its lower side is at {z - size[2] / 2:.3f} m; positions are centres, and z is 0 "
                "on the table top"
            )
        if abs(yaw := self._ask("yaw", name=name)) > 2 * math.pi + 0.01:
            raise _Wrong(f"its yaw is {yaw}; are these radians?")

    def _raises(self, wanted: type[ActionError], name: str, /, **arguments: Any) -> None:
        try:
            came = self._ask(name, **arguments)
        except wanted:
            return
        except Exception as error:
            raise _Wrong(
                f"it should raise {wanted.__name__}, and raised {type(error).__name__}: {error}"
            ) from None
        raise _Wrong(f"it should raise {wanted.__name__}, and returned {came!r}")

    def _gripper(self) -> None:
        x, y, z = self._at()
        if math.hypot(x, y, z) > 5.0:
            raise _Wrong(f"the gripper is at {(x, y, z)}; are these metres?")
        if not 0.0 <= (width := self._width()) <= 0.5:
            raise _Wrong(f"the gripper is {width} wide; are these metres?")
        held = self._ask("holding")
        if held is not None and held not in self._names():
            raise _Wrong(f"it holds {held!r}, which objects() does not name")

    def _at(self) -> tuple[float, float, float]:
        at: tuple[float, float, float] = self._ask("gripper_position")
        return at

    def _width(self) -> float:
        return float(self._ask("gripper_width"))

    # -- act --------------------------------------------------------------------------------

    def _opens(self) -> None:
        self._ask("open_gripper")
        if (width := self._width()) < 0.03:
            raise _Wrong(f"the gripper is {width:.3f} m wide after it was opened")
        if (held := self._ask("holding")) is not None:
            raise _Wrong(f"it still holds {held!r}")

    def _idles(self) -> None:
        self._ask("say", text="checking")
        self._ask("wait", seconds=0.1)

    def _unreachable(self) -> None:
        before = self._at()
        try:
            self._ask("move_to", position=_FAR_AWAY)
        except Unreachable as error:
            if "short_by" not in error.numbers:
                raise _Wrong("Unreachable comes without `short_by=METRES`") from None
        else:
            raise _Wrong("it should raise Unreachable: that is 1.9 m away")
        if (strayed := math.dist(before, self._at())) > _NEAR:
            raise _Wrong(f"it moved {strayed:.3f} m; Unreachable is raised before moving")

    def _target(self) -> str:
        graspable = self._ask("objects", kind="graspable")
        if self._wanted is not None:
            if self._wanted not in graspable:
                raise _Wrong(f"there is no graspable {self._wanted!r}; there are {graspable}")
            return self._wanted
        if not graspable:
            raise _Wrong("there is no graspable object to try it with")
        narrow: str = min(graspable, key=lambda name: min(self._ask("size", name=name)[:2]))
        return narrow

    def _goes_above(self) -> None:
        name = self._target()
        x, y, z = self._ask("position", name=name)
        above = (x, y, z + self._ask("size", name=name)[2] / 2 + 0.15)
        self._ask("move_to", position=above, via="high")
        self._arrived(above)

    def _moves_by(self) -> None:
        x, y, z = self._at()
        self._ask("move_by", offset=(0.0, 0.0, 0.03))
        self._arrived((x, y, z + 0.03))

    def _arrived(self, target: tuple[float, float, float]) -> None:
        if (left := math.dist(self._at(), target)) > _NEAR:
            raise _Wrong(
                f"the gripper is {left:.3f} m from where it was sent; more than 12 mm short is "
                "to raise Blocked"
            )

    def _closes_on_nothing(self) -> None:
        self._ask("open_gripper")
        try:
            held = self._ask("close_gripper")
        except NothingHeld as error:
            if "width" not in error.numbers:
                raise _Wrong("NothingHeld comes without `width=METRES`") from None
        else:
            raise _Wrong(f"there is nothing between the fingers, and it returned {held!r}")

    def _grasps(self) -> None:
        name = self._target()
        self._ask("open_gripper")
        place, yaw = self._ask("position", name=name), self._ask("yaw", name=name)
        self._ask("move_to", position=place, yaw=yaw, via="high")
        if (held := self._ask("close_gripper")) != name:
            raise _Wrong(f"it returned {held!r} with {name!r} between the fingers")
        if (told := self._ask("holding")) != name:
            raise _Wrong(f"close_gripper() returned {name!r}, and holding() {told!r}")

    def _lifts(self) -> None:
        name = self._target()
        before = self._ask("position", name=name)[2]
        self._ask("move_by", offset=(0.0, 0.0, 0.1))
        rose = self._ask("position", name=name)[2] - before
        if not 0.07 < rose < 0.13:
            raise _Wrong(f"{name!r} rose by {rose:.3f} m when the hand rose by 0.1 m")

    def _puts_down(self) -> None:
        name = self._target()
        self._ask("move_by", offset=(0.0, 0.0, -0.1))
        x, y, _ = self._ask("position", name=name)
        self._ask("open_gripper")
        if (held := self._ask("holding")) is not None:
            raise _Wrong(f"it still holds {held!r}")
        now = self._ask("position", name=name)
        if (strayed := math.dist(now[:2], (x, y))) > 0.03:
            raise _Wrong(f"{name!r} is {strayed:.3f} m from where it was let go")


def load_robot(spec: str) -> RobotAPI:
    """Find a robot by "MODULE:OBJECT"; a class or function is called for it, without arguments.

    Raises:
        SystemExit: With one sentence, if it is not there or cannot be made.
    """
    module_name, _, name = spec.partition(":")
    if not module_name or not name:
        raise SystemExit(f"{spec!r} is no MODULE:OBJECT, for example my_robot:make")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = importlib.import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise SystemExit(f"{spec!r} cannot be loaded: {error}") from error
    if inspect.isclass(found) or not hasattr(found, LOOKS[0]):
        if not callable(found):
            raise SystemExit(f"{spec!r} is {found!r}, which is no robot and makes none")
        found = found()
    robot: RobotAPI = found
    return robot


def check_adapter(argv: Sequence[str] | None = None) -> int:
    """Run the checks from the command line; 0 if none failed, 1 if one did, 2 for wrong usage."""
    told = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    told.add_argument("robot", metavar="MODULE:OBJECT")
    told.add_argument("--act", action="store_true", help="let it move, grasp and lift")
    told.add_argument("--object", metavar="NAME", help="what it is to grasp")
    told.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = told.parse_args(argv)
    checks = check(load_robot(chosen.robot), act=chosen.act, thing=chosen.object)
    failed = sum(one.verdict is Verdict.FAILED for one in checks)
    skipped = sum(one.verdict is Verdict.NOT_TRIED for one in checks)
    if chosen.json:
        rows = [
            {"call": c.call, "verdict": c.verdict.value.lower(), "detail": c.detail} for c in checks
        ]
        print_json({"schema": "voyager.adapter_check/1", "ok": failed == 0, "checks": rows})
        return int(failed > 0)
    for one in checks:
        detail = f"\n{'':11}{one.detail}" if one.verdict is Verdict.FAILED else ""
        sys.stdout.write(f"{one.verdict.value:9}  {one.call}{detail}\n")
    passed = len(checks) - failed - skipped
    sys.stdout.write(f"{passed} ok, {failed} failed, {skipped} not tried")
    sys.stdout.write(" (they move the robot; add --act)\n" if skipped and not chosen.act else "\n")
    return int(failed > 0)


def print_json(record: dict[str, Any]) -> None:
    """Print one JSON object on standard output, in one line."""
    sys.stdout.write(json.dumps(record, allow_nan=False) + "\n")


if __name__ == "__main__":
    sys.exit(check_adapter())
