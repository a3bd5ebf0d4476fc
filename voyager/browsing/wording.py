"""How calls are written for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def called(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """A call as it would be written."""
    told = [written(value) for value in args]
    told += [f"{key}={written(value)}" for key, value in kwargs.items()]
    return f"{name}({', '.join(told)})"


def written(value: Any) -> str:
    """A value as it would be written, numbers to a thousandth."""
    if isinstance(value, bool) or value is None or isinstance(value, int):
        return repr(value)
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, list | tuple):
        return f"({', '.join(written(item) for item in value)})"
    return repr(value)
