"""Runs programs that nobody trusts, in child processes that can only compute and ask."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from env.errors import SandboxError
from env.sandbox.base import (
    CallHandler,
    CallSite,
    LimitReached,
    LimitReport,
    Limits,
    RunResult,
    RunStatus,
    Sandbox,
    SandboxDescription,
    SkillErrorReport,
    SkillFrame,
)
from env.sandbox.report import render_error

__all__ = [
    "CallHandler",
    "CallSite",
    "LimitReached",
    "LimitReport",
    "Limits",
    "RunResult",
    "RunStatus",
    "Sandbox",
    "SandboxDescription",
    "SkillErrorReport",
    "SkillFrame",
    "open_sandbox",
    "render_error",
]


def open_sandbox(
    api: Callable[[], Mapping[str, Any]] | None = None, *, numpy: bool = False
) -> Sandbox:
    """The sandbox for this machine, not started yet.

    Args:
        api: Gives the table that programs' `robot` module is made of; by default that of
            `env.robot_api`.
        numpy: Whether programs can import numpy.

    Returns:
        A sandbox; `start` it, or use it in a `with` statement.

    Raises:
        SandboxError: If there is none for this operating system.
    """
    if sys.platform != "linux":
        raise SandboxError(
            f"there is no sandbox for {sys.platform} yet; run in Linux, for example by the "
            "shipped Dockerfile"
        )
    from env.sandbox.hardened import HardenedSandbox  # needs what only Linux has

    if api is None:
        from env.robot_api import table  # the sandbox itself knows no robot

        api = table
    return HardenedSandbox(api, numpy=numpy)
