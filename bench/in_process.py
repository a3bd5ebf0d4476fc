"""The yardstick: a program as a plain function of this process, without walls, log or judge."""

from __future__ import annotations

import builtins
import functools
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from env.actions import ACTIONS, invoke
from env.errors import ACTION_ERRORS, ActionError
from env.kinds import all_kinds
from env.program import Closure, kind_annotation
from env.world import World


def function_of(closure: Closure, world: World) -> Callable[..., None]:
    """The public function of a program without callees, its robot calls made directly.

    Args:
        closure: One of our own programs (`bench.programs`); it runs without any protection.
        world: Where its calls are carried out.

    Returns:
        The function; calling it acts in the world.
    """
    robot = types.ModuleType("robot")
    for name in ACTIONS:
        setattr(robot, name, functools.partial(_call, world, name))
    errors: Sequence[type[ActionError]] = (ActionError, *ACTION_ERRORS)
    for error in errors:
        setattr(robot, error.__name__, error)
    for kind in all_kinds():
        setattr(robot, kind_annotation(kind.name), str)

    def load(name: str, *rest: Any) -> Any:
        return robot if name == "robot" else builtins.__import__(name, *rest)

    space: dict[str, Any] = {"__builtins__": {**vars(builtins), "__import__": load}}
    program = closure.entry
    exec(compile(program.source, program.name, "exec"), space)  # noqa: S102 - our own programs
    function: Callable[..., None] = space[program.name]
    return function


def _call(world: World, name: str, *args: Any, **kwargs: Any) -> Any:
    return invoke(world, name, args, kwargs)


class Direct:
    """A sandbox's handler that carries calls out and does nothing else."""

    def __init__(self, world: World) -> None:
        """Act in a world."""
        self._world = world

    def call(self, name: str, args: list[Any], kwargs: dict[str, Any], site: object) -> Any:
        """Carry out a robot call; see `env.sandbox.base.CallHandler.call`."""
        return invoke(self._world, name, args, kwargs)

    def enter(self, program_hash: str, arguments: Mapping[str, Any]) -> None:
        """Let a skill call pass."""

    def leave(self, program_hash: str, ok: bool) -> None:
        """Let its end pass."""


class Echo(Direct):
    """A handler that answers at once, so that only the way there and back is left."""

    def __init__(self, answer: Any) -> None:
        """Always give the same answer."""
        self._answer = answer

    def call(self, name: str, args: list[Any], kwargs: dict[str, Any], site: object) -> Any:
        """Give the answer."""
        return self._answer
