"""What a client of the Model Context Protocol is told about arguments that do not fit.

The protocol's SDK checks arguments with pydantic, whose words are for programmers: here its
findings become one sentence that names the argument, what is wrong with it and what is allowed.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pydantic_core import ErrorDetails

_MOST: Final = 3
"""Findings that are told; a caller who sent dozens of bad names has enough with a few."""
_SHOWN: Final = 60
"""Letters of a value that are shown."""
_KEY: Final = "[key]"
"""How pydantic says that a name in a mapping is meant, and not what stands under it."""


def refusal(findings: Sequence[ErrorDetails], arguments: Sequence[str]) -> str:
    """What is wrong with the arguments of a call, in one sentence.

    Args:
        findings: Of pydantic, at least one.
        arguments: Names of the tool's arguments.

    Returns:
        A sentence without a full stop, such as "seed: -1 is below 0".
    """
    told = list(dict.fromkeys(_told(finding, arguments) for finding in findings))
    more = len(told) - _MOST
    return "; ".join([*told[:_MOST], *([f"and {more} more"] if more > 0 else [])])


def unknown_tool(name: str, tools: Sequence[str]) -> str:
    """What is wrong with a call of a tool that there is not, in one sentence.

    Args:
        name: As it was asked for.
        tools: Names of those that there are.
    """
    return f"there is no tool {_value(name)}; {_instead(name, tools)}"


def _told(finding: ErrorDetails, arguments: Sequence[str]) -> str:
    place = [part for part in finding["loc"] if part != _KEY]
    kind = finding["type"]
    if kind == "extra_forbidden":
        name = str(place[-1])
        return f"unknown argument {_value(name)}; {_instead(name, arguments)}"
    where = "".join(str(p) if i == 0 else f"[{_value(p)}]" for i, p in enumerate(place))
    if kind == "missing":
        return f"{where} is missing"
    if finding["loc"][-1:] == (_KEY,):
        where = str(place[0])  # the bad name is told as the value
    say = _SAID.get(kind)
    shown = _value(finding["input"])
    if say is None:
        return f"{where}: {shown} does not fit; the tool's schema says what does"
    return f"{where}: {say(shown, finding.get('ctx', {}))}"


_SAID: Final[Mapping[str, Callable[[str, Mapping[str, Any]], str]]] = {
    "greater_than_equal": lambda shown, limit: f"{shown} is below {limit['ge']}",
    "less_than_equal": lambda shown, limit: f"{shown} is above {limit['le']}",
    "string_pattern_mismatch": lambda shown, _: (
        f"{shown} cannot be a name; names have 1 to 64 letters (a to z, A to Z), digits, _ and -"
    ),
    "string_too_long": lambda _, limit: f"the text is longer than {limit['max_length']} letters",
    "too_long": lambda _, limit: f"too many entries, at most {limit['max_length']} are allowed",
    "int_type": lambda shown, _: f"{shown} is no whole number",
    "bool_type": lambda shown, _: f"{shown} is neither true nor false",
    "string_type": lambda shown, _: f"{shown} is no text",
    "string_unicode": lambda _, __: "the text is no valid Unicode",
    "dict_type": lambda shown, _: f"{shown} is no JSON object",
}
"""What is said about each kind of finding, from the value as it is shown and pydantic's limits."""


def _instead(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name[:_SHOWN], known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"


def _value(value: object) -> str:
    """A value as its sender wrote it, or what it is if that would be long."""
    if isinstance(value, str):
        return repr(value if len(value) <= _SHOWN else f"{value[: _SHOWN - 3]}...")
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    try:
        shown = json.dumps(value)
    except (TypeError, ValueError):  # an integer of thousands of digits, for one
        return f"a value of type {type(value).__name__}"
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 3]}..."
