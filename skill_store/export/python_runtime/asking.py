# Copyright (c) 2026 The voyager-skill-library authors
# SPDX-License-Identifier: MIT-0
"""One call of a robot: what it takes, plain arguments in, a checked answer out."""

from __future__ import annotations

import inspect
import math
import typing
from collections.abc import Mapping
from typing import Any, Final

from .robot_api import ACTS, ERRORS, LOOKS, ActionError, BadArgument, RobotAPI

_Vector: Final = tuple[float, float, float]
SIGNATURES: Final[Mapping[str, inspect.Signature]] = {
    name: inspect.Signature(
        [
            parameter.replace(annotation=hints[parameter.name])
            for parameter in list(inspect.signature(method).parameters.values())[1:]
        ],
        return_annotation=hints["return"],
    )
    for name in (*LOOKS, *ACTS)
    for method in [getattr(RobotAPI, name)]
    for hints in [typing.get_type_hints(method)]
}
"""What each call takes and returns, without the robot itself."""


class AdapterError(Exception):
    """A robot returned something else than `RobotAPI` says; the message holds both."""


def ask(robot: RobotAPI, name: str, arguments: Mapping[str, Any]) -> Any:
    """Let a robot carry out one call.

    Args:
        robot: Which.
        name: Of the call, one of `LOOKS` and `ACTS`.
        arguments: By parameter name.

    Returns:
        Plain text, floats, tuples of three floats, or None, as skills were certified with.

    Raises:
        AdapterError: If the robot returned something else than `RobotAPI` says.
        ActionError: What the robot raised; an error of the same name that another copy of this
            package defined counts as ours, so that one adapter serves several packages.
        Exception: What else the robot raised.
    """
    try:
        given = getattr(robot, name)(**arguments)
    except ActionError:
        raise
    except Exception as error:
        if (known := _known_error(error)) is not None:
            raise known from error
        raise
    return _result(given, SIGNATURES[name].return_annotation, name)


def _known_error(error: Exception) -> ActionError | None:
    names = {known.__name__: known for known in ERRORS}
    for above in type(error).__mro__:
        numbers = getattr(error, "numbers", None)
        if above.__name__ in names and isinstance(numbers, Mapping):
            return names[above.__name__](str(error), **numbers)
    return None


def _number(value: Any) -> float | None:
    """A finite number as a float, also one of numpy; None for anything else."""
    if isinstance(value, bool | str) or not hasattr(value, "__float__"):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _three(value: Any) -> tuple[float, float, float] | None:
    try:
        x, y, z = (_number(item) for item in value)
    except (TypeError, ValueError):
        return None
    return None if x is None or y is None or z is None else (x, y, z)


def plain_argument(value: Any, annotation: Any, what: str) -> Any:
    """An argument as the robot gets it: plain text, floats, tuples of three.

    Raises:
        BadArgument: If it is something else; the skill sees it, as it did when certified.
    """
    if annotation == _Vector:
        if (vector := _three(value)) is None:
            raise BadArgument(f"{what} must be three numbers (x, y, z) in metres, not {value!r}")
        return vector
    wanted = typing.get_args(annotation) or (annotation,)
    if value is None and type(None) in wanted:
        return None
    if float in wanted:
        if (number := _number(value)) is None:
            raise BadArgument(f"{what} must be a finite number, not {value!r}")
        return number
    if not isinstance(value, str):
        raise BadArgument(f"{what} must be text, not {value!r}")
    return str(value)


def _result(value: Any, annotation: Any, call: str) -> Any:
    """What a robot returned, as skills were certified with it.

    Raises:
        AdapterError: If it is something else than the call promises.
    """
    wanted = typing.get_args(annotation) or (annotation,)
    found: Any = None
    if annotation is type(None) or (value is None and type(None) in wanted):
        return None
    if annotation == _Vector:
        found = _three(value)
    elif annotation is float:
        found = _number(value)
    elif annotation == list[str]:
        if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            found = [str(item) for item in value]
    elif isinstance(value, str):
        found = str(value)
    if found is None:
        written = inspect.formatannotation(annotation)
        raise AdapterError(f"{call}() returned {value!r}; RobotAPI says {written}")
    return found
