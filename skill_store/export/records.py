"""Reading JSON lines that anybody may have written: strict, bounded, and nothing is run.

What Python's own reader would let pass is refused: a key that comes twice, numbers that JSON does
not have or that no float holds, nesting without end, text that is no Unicode.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from skill_store.export.errors import ImportRefused

MOST_LINES: Final = 20_000
LONGEST_LINE: Final = 4 * 2**20
"""Bytes. A certificate of a hundred scenes has about 50,000."""
_DEEPEST: Final = 32
_LONGEST_NUMBER: Final = 40


def read_lines(content: bytes) -> list[Mapping[str, Any]]:
    """The objects of a text with one JSON object a line.

    Args:
        content: UTF-8 text, each line ended.

    Raises:
        ImportRefused: With the line, at the first thing that is wrong.
    """
    if not content:
        raise ImportRefused("it is empty")
    if not content.endswith(b"\n"):
        raise ImportRefused("its last line is cut off")
    lines = content.split(b"\n")[:-1]
    if len(lines) > MOST_LINES:
        raise ImportRefused(f"it has {len(lines)} lines; at most {MOST_LINES} are read")
    return [_record(line, number) for number, line in enumerate(lines, start=1)]


def _record(line: bytes, number: int) -> Mapping[str, Any]:
    if len(line) > LONGEST_LINE:
        raise ImportRefused(f"line {number} has {len(line)} bytes; at most {LONGEST_LINE} are read")
    try:
        record = json.loads(
            line.decode("utf-8"),
            object_pairs_hook=_distinct,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
        _check_depth(record)
    except UnicodeError as error:
        raise ImportRefused(f"line {number} is no UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise ImportRefused(f"line {number} is no JSON ({error.msg})") from error
    except ValueError as error:
        raise ImportRefused(f"line {number}: {error}") from error
    except RecursionError as error:
        raise ImportRefused(f"line {number} is nested too deep") from error
    if not isinstance(record, dict):
        raise ImportRefused(f"line {number} is no JSON object")
    return record


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the key {name[:40]!r} comes twice")
        found[name] = value
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number that JSON has")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:40]} is too large")
    return number


def _whole(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError(f"a number of {len(text)} digits is too long")
    return int(text)


def _check_depth(record: Any) -> None:
    """Refuse nesting that would cost readers their stack, and text that cannot be stored."""
    level = [record]
    for _ in range(_DEEPEST):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below += value.keys()
                below += value.values()
            elif isinstance(value, list):
                below += value
            elif isinstance(value, str):
                value.encode("utf-8")  # half of a surrogate pair is no text
        if not below:
            return
        level = below
    raise ValueError(f"it is nested deeper than {_DEEPEST} levels")
