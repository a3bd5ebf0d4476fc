# Copyright (c) 2026 The voyager-skill-library authors
# SPDX-License-Identifier: MIT-0
"""Runs certified skills against any robot that has the methods of `RobotAPI`.

A skill's source says `from robot import move_to` and `from skills.lift import lift`. Neither is a
module that Python could find. Each run loads the skill's modules anew, with the calls of the robot
that was handed in as `robot`, and with exactly those programs as `skills.NAME` that the skill's
lock pins by hash. So sources stay as they were certified, two robots can be used side by side, two
versions of a skill can stand in one package, and nothing is kept between two runs.

This is no wall: a skill runs with the rights of your process.
"""

from __future__ import annotations

import builtins
import itertools
import linecache
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, ModuleType
from typing import Any, Final, NoReturn

from .asking import SIGNATURES, ask, plain_argument
from .robot_api import ERRORS, KIND_TYPES, KINDS, ActionError, RobotAPI

_log = logging.getLogger(__name__)
_HIDDEN: Final = ("open", "input", "breakpoint", "exit", "quit", "help")
"""Names that programs did not have either when they were certified."""
_numbers = itertools.count()


class SkillPackageError(Exception):
    """A skill cannot be run: no such skill, or arguments that it does not take."""


class CallLimitReached(Exception):
    """A skill made more robot calls than it was certified with; nothing of it runs any more."""


class _Stop(BaseException):
    """Ends a skill from within a robot call, past anything that it might catch."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__()
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Call:
    """One robot call that a skill made.

    Attributes:
        name: Of the call.
        arguments: By parameter name, defaults included.
        result: What came back; None if nothing did.
        error: What it raised, or None.
    """

    name: str
    arguments: Mapping[str, Any]
    result: Any
    error: BaseException | None


class Skills:
    """The skills of one package.

    Safe to use from several threads, each with a robot of its own.
    """

    def __init__(self, index: Mapping[str, Any], sources: Callable[[str], tuple[str, str]]) -> None:
        """Take a package's index; nothing is compiled or run yet.

        Args:
            index: ``{"skills": [...], "programs": {hash: {"name", "lock", ...}}}``.
            sources: From a program's hash to its text and the file that this stands in.
        """
        self._programs: Mapping[str, Mapping[str, Any]] = index["programs"]
        self._skills = {skill["name"]: skill for skill in index["skills"]}
        self._modules = frozenset(index["modules"])
        self._sources = sources
        self._codes: dict[str, CodeType] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the skills, callees before their callers."""
        return tuple(self._skills)

    def describe(self, name: str) -> dict[str, Any]:
        """What is known of a skill: contract, evidence in short, and what was not shown.

        Raises:
            SkillPackageError: If there is no such skill.
        """
        found = self._skills.get(name)
        if found is None:
            raise SkillPackageError(f"there is no skill {name!r}; there are: {self._listed()}")
        return dict(found)

    def _listed(self) -> str:
        return ", ".join(self._skills)

    def run(
        self,
        name: str,
        robot: RobotAPI,
        arguments: Mapping[str, Any],
        *,
        watch: Callable[[Call], None] | None = None,
    ) -> None:
        """Run a skill. That it returns does not mean that it succeeded: look.

        Args:
            name: Of the skill.
            robot: What carries out its calls.
            arguments: By parameter name; object parameters take names of objects.
            watch: Is told of each robot call after it ended.

        Raises:
            SkillPackageError: If there is no such skill, or the arguments do not fit it: another
                kind of object than it was certified with, or one object twice.
            ActionError: What the robot raised and the skill did not catch.
            AdapterError: If the robot returned something else than `RobotAPI` says.
            CallLimitReached: If it made more calls than it was certified with.
            Exception: Any other error of the robot, unchanged and past the skill; or of the skill.
        """
        known = self.describe(name)
        _check_objects(known, robot, arguments)
        run = _Run(self, robot, known["call_limit"], watch)
        with run.loaded():
            try:
                run.function(known["program"])(**arguments)
            except _Stop as stop:
                raise stop.cause from None

    def code(self, key: str) -> CodeType:
        """The compiled module of a program."""
        if key not in self._codes:
            source, file = self._sources(key)
            if file.startswith("<"):  # tracebacks can only show what has a file, or is told them
                lines = source.splitlines(keepends=True)
                linecache.cache[file] = (len(source), None, lines, file)
            self._codes[key] = compile(source, file, "exec", dont_inherit=True)
        return self._codes[key]

    def program(self, key: str) -> Mapping[str, Any]:
        """A program's name and lock."""
        return self._programs[key]

    def may_import(self, module: str) -> bool:
        """Whether programs may import a module beside `robot` and `skills.NAME`."""
        return module in self._modules


class _Run:
    """One run: fresh modules, bound to one robot."""

    def __init__(
        self, skills: Skills, robot: RobotAPI, calls: int, watch: Callable[[Call], None] | None
    ) -> None:
        self._skills = skills
        self._object = robot
        self._left = self._limit = calls
        self._watch = watch
        self._stop: _Stop | None = None
        self._number = next(_numbers)
        self._modules: dict[str, ModuleType] = {}
        self._robot = self._robot_module()

    @contextmanager
    def loaded(self) -> Iterator[None]:
        """Have the modules of this run known to Python, as dataclasses in them need it."""
        try:
            yield
        finally:
            for module in self._modules.values():
                sys.modules.pop(module.__name__, None)

    def function(self, key: str) -> Callable[..., object]:
        """The public function of a program, its module loaded."""
        name = self._skills.program(key)["name"]
        if key not in self._modules:
            module = ModuleType(f"skills.{name}@{key[:12]}#{self._number}")
            own = {k: v for k, v in vars(builtins).items() if k not in _HIDDEN}
            own["__import__"] = self._importer(self._skills.program(key)["lock"])
            own["print"] = _note
            module.__dict__["__builtins__"] = own
            code = self._skills.code(key)
            self._modules[key] = sys.modules[module.__name__] = module
            exec(code, module.__dict__)  # noqa: S102 - a module of this package, as it was shipped
        found: Callable[..., object] = getattr(self._modules[key], name)
        return found

    def _importer(self, lock: Mapping[str, str]) -> Callable[..., object]:
        def importer(
            name: str,
            globals: Mapping[str, object] | None = None,
            locals: Mapping[str, object] | None = None,
            fromlist: tuple[str, ...] | None = (),
            level: int = 0,
        ) -> object:
            root, _, callee = name.partition(".")
            if level == 0 and name == "robot":
                return self._robot
            if level == 0 and root == "skills" and callee in lock:
                module = ModuleType(name)
                setattr(module, callee, self.function(lock[callee]))
                return module
            if level == 0 and self._skills.may_import(root):
                return builtins.__import__(name, globals, locals, fromlist or (), 0)
            raise ModuleNotFoundError(f"this skill was certified without a module {name!r}")

        return importer

    def _robot_module(self) -> ModuleType:
        module = ModuleType("robot", RobotAPI.__doc__)
        errors: tuple[type[ActionError], ...] = (ActionError, *ERRORS)
        for error in errors:
            setattr(module, error.__name__, error)
        for annotation in KIND_TYPES.values():
            setattr(module, annotation, str)
        for name in SIGNATURES:
            setattr(module, name, self._bound(name))
        return module

    def _bound(self, name: str) -> Callable[..., object]:
        signature = SIGNATURES[name]

        def call(*args: object, **kwargs: object) -> object:
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{name}(): {error}") from None
            bound.apply_defaults()
            arguments = {
                key: plain_argument(value, signature.parameters[key].annotation, f"{name}(): {key}")
                for key, value in bound.arguments.items()
            }
            return self._ask(name, arguments)

        call.__name__ = call.__qualname__ = name
        call.__doc__ = getattr(RobotAPI, name).__doc__
        return call

    def _ask(self, name: str, arguments: Mapping[str, Any]) -> object:
        if self._stop is not None:
            raise self._stop
        if self._left == 0:
            self._end(CallLimitReached(f"the skill made more than {self._limit} robot calls"))
        self._left -= 1
        try:
            result = ask(self._object, name, arguments)
        except ActionError as error:
            self._tell(name, arguments, None, error)
            raise
        except Exception as error:
            self._tell(name, arguments, None, error)
            self._end(error)
        self._tell(name, arguments, result, None)
        return result

    def _end(self, cause: Exception) -> NoReturn:
        self._stop = _Stop(cause)
        raise self._stop

    def _tell(
        self, name: str, arguments: Mapping[str, Any], result: Any, error: BaseException | None
    ) -> None:
        if self._watch is not None:
            self._watch(Call(name, arguments, result, error))


def _check_objects(known: Mapping[str, Any], robot: RobotAPI, arguments: Mapping[str, Any]) -> None:
    """Check that a skill is given what its certificate speaks about."""
    name, takes = known["name"], {p["name"]: p["kind"] for p in known["parameters"]}
    if takes.keys() != arguments.keys():
        raise SkillPackageError(
            f"{name}() takes {', '.join(takes) or 'nothing'}, and got "
            f"{', '.join(arguments) or 'nothing'}"
        )
    for parameter, kind in takes.items():
        found = ask(robot, "kind", {"name": arguments[parameter]})
        if kind not in KINDS.get(found, (found,)):
            given = arguments[parameter]
            raise SkillPackageError(
                f"{name}() takes a {kind} as {parameter!r}, and {given!r} is a {found}"
            )
    if len(set(arguments.values())) < len(arguments):
        raise SkillPackageError(
            f"{name}() was certified with a different object for each parameter"
        )


def _note(*args: object, sep: str | None = " ", **_: Any) -> None:
    """What a skill prints goes to the log: standard output belongs to whoever called it."""
    _log.info((" " if sep is None else sep).join(str(item) for item in args))
