"""The tabs of a skill. By itself, because a list is on the screen before any of them is."""

from __future__ import annotations

from enum import StrEnum


class Tab(StrEnum):
    """What is told about a skill."""

    CODE = "code"
    CONTRACT = "contract"
    CERTIFICATE = "certificate"
    GRAPH = "graph"
    VERSIONS = "versions"
    ATTEMPTS = "attempts"
    LESSONS = "lessons"
    RUNS = "runs"
