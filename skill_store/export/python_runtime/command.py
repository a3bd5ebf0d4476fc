# Copyright (c) 2026 The voyager-skill-library authors
# SPDX-License-Identifier: MIT-0
"""Skills from the command line: list, show, run, and test an adapter. JSON on standard output."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .asking import AdapterError
from .check_adapter import check_adapter, load_robot, print_json
from .kinematic import example
from .robot_api import ActionError, RobotAPI
from .running import Call, CallLimitReached, SkillPackageError, Skills

_NOT_JUDGED: Final = (
    "Returning is no proof of success: nobody judged the goal here. Compare `goal` with `objects`."
)
_NO_PHYSICS: Final = "The example robot has no physics; this shows calls, not that the skill works."
_ROBOT: Final = "your robot (an object that meets RobotAPI), or a function that makes it"


def run_command(
    skills: Skills, argv: Sequence[str] | None = None, *, program: str | None = None
) -> int:
    """List, show and run the skills of a package.

    Args:
        skills: Of the package.
        argv: The command line; that of the process when None.
        program: What the command is called in its help.

    Returns:
        0 when it went well, 1 when a skill or a check did not.
    """
    top = argparse.ArgumentParser(prog=program, description="Certified robot skills.")
    commands = top.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="names, goals and what was proved")
    show = commands.add_parser("show", help="everything that is known of a skill")
    show.add_argument("skill", choices=skills.names, metavar="NAME")
    run = commands.add_parser("run", help="run a skill on a robot")
    run.add_argument("skill", choices=skills.names, metavar="NAME")
    _add_run_options(run)
    check = commands.add_parser("check-adapter", help="test an adapter call by call")
    check.add_argument("rest", nargs=argparse.REMAINDER, metavar="MODULE:OBJECT [--act] [--json]")
    chosen = _parsed(top, argv)
    if chosen.command == "list":
        print_json({"skills": [_line(skills.describe(name)) for name in skills.names]})
        return 0
    if chosen.command == "show":
        print_json(skills.describe(chosen.skill))
        return 0
    if chosen.command == "check-adapter":
        return check_adapter(chosen.rest)
    return _run(skills, chosen.skill, chosen, run)


def run_one(skills: Skills, name: str, argv: Sequence[str] | None = None) -> int:
    """The command line of a script that runs one skill.

    Args:
        skills: Of which it is one.
        name: Its name.
        argv: The command line; that of the process when None.

    Returns:
        0 when the skill returned, 1 when it did not.
    """
    known = skills.describe(name)
    takes = "\n".join(
        f"  {p['name']}=...  name of an object of kind {p['kind']}" for p in known["parameters"]
    )
    told = argparse.ArgumentParser(
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=f"{known['instruction']}\n\nGoal: {known['goal']}\n\n{known['proof']}",
        epilog=f"arguments of the skill:\n{takes}\n\nJSON on standard output, notes on standard "
        "error; exit code 0 when the skill returned, 1 when it did not, 2 for wrong usage.",
    )
    told.add_argument("--describe", action="store_true", help="print the contract and end")
    told.add_argument("--check", action="store_true", help="test the robot's calls; looks only")
    _add_run_options(told)
    chosen = _parsed(told, argv)
    if chosen.describe:
        print_json(known)
        return 0
    if chosen.check:
        if chosen.robot is None:
            told.error("--check needs --robot MODULE:OBJECT")
        return check_adapter([chosen.robot, "--json"])
    return _run(skills, name, chosen, told)


def _parsed(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line, with arguments of the skill before, between and behind options."""
    chosen, rest = parser.parse_known_args(argv)
    odd = [word for word in rest if word.startswith("-")]
    if odd or (rest and not hasattr(chosen, "arguments")):
        parser.error(f"unrecognized arguments: {' '.join(odd or rest)}")
    if rest:
        chosen.arguments = [*chosen.arguments, *rest]
    return chosen


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--robot", metavar="MODULE:OBJECT", help=_ROBOT)
    which.add_argument("--example", action="store_true", help="a made-up table without physics")
    parser.add_argument("arguments", nargs="*", metavar="PARAMETER=OBJECT")


def _line(known: Mapping[str, Any]) -> dict[str, Any]:
    return {key: known[key] for key in ("name", "instruction", "goal", "parameters", "claim")}


def _run(
    skills: Skills, name: str, chosen: argparse.Namespace, parser: argparse.ArgumentParser
) -> int:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    known = skills.describe(name)
    try:
        arguments = _arguments(known, chosen.arguments)
    except ValueError as error:
        parser.error(str(error))
    if chosen.robot is None and not chosen.example:
        parser.error("say which robot: --robot MODULE:OBJECT, or --example")
    robot = example() if chosen.example else load_robot(chosen.robot)
    calls: list[Call] = []
    problem: dict[str, Any] | None = None
    try:
        skills.run(name, robot, arguments, watch=calls.append)
    except SkillPackageError as wrong:
        parser.error(str(wrong))
    except ActionError as raised:
        problem = {
            "type": type(raised).__name__,
            "message": raised.message,
            "numbers": dict(raised.numbers),
        }
    except (AdapterError, CallLimitReached) as raised:
        problem = {"type": type(raised).__name__, "message": str(raised), "numbers": {}}
    record = {
        "schema": "voyager.skill_run/1",
        "skill": name,
        "arguments": arguments,
        "returned": problem is None,
        "error": problem,
        "calls": [_told(call) for call in calls],
        "goal": known["goal"],
        "objects": _seen(robot),
        "judged": False,
        "notes": [_NOT_JUDGED, *([_NO_PHYSICS] if chosen.example else []), known["proof"]],
    }
    print_json(record)
    return int(problem is not None)


def _arguments(known: Mapping[str, Any], pairs: Sequence[str]) -> dict[str, str]:
    takes = [parameter["name"] for parameter in known["parameters"]]
    listed = ", ".join(f"{name}=..." for name in takes) or "none"
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name not in takes:
            raise ValueError(f"{pair!r} is no argument of {known['name']}; it takes {listed}")
        found[name] = value
    if missing := [f"{name}=..." for name in takes if name not in found]:
        raise ValueError(f"{known['name']} also needs {', '.join(missing)}")
    return found


def _told(call: Call) -> dict[str, Any]:
    return {
        "name": call.name,
        "arguments": dict(call.arguments),
        "result": call.result,
        "error": None if call.error is None else f"{type(call.error).__name__}: {call.error}",
    }


def _seen(robot: RobotAPI) -> dict[str, Any] | None:
    """Where things are after the run; None if the robot cannot say any more."""
    try:
        return {
            name: {
                "kind": robot.kind(name),
                "position": [float(value) for value in robot.position(name)],
            }
            for name in robot.objects()
        }
    except Exception as error:
        logging.getLogger(__name__).warning("the robot cannot be asked any more: %r", error)
        return None
