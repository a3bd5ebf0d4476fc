"""The world, and the only judge.

The facade is lazy: importing `env` loads no physics; taking a name from it loads what it needs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from env.bodies import Kind, Part, Shape, register_kind
    from env.certificate import Certificate, Deepening
    from env.certification import certify, deepen
    from env.episode import run_episode
    from env.executors import make_executor
    from env.goals import Goal, Verdict
    from env.outcome import Outcome
    from env.practice import practise
    from env.predicates import Condition, Threshold, predicate
    from env.program import Closure, Program
    from env.replays import replay
    from env.sandbox import open_sandbox
    from env.scene import SceneSpec
    from env.starts import Handover
    from env.task import Task
    from env.transcript import Episode, Start
    from env.world import World

_HOMES = {
    "Certificate": "env.certificate",
    "Closure": "env.program",
    "Condition": "env.predicates",
    "Deepening": "env.certificate",
    "Episode": "env.transcript",
    "Goal": "env.goals",
    "Handover": "env.starts",
    "Kind": "env.bodies",
    "Outcome": "env.outcome",
    "Part": "env.bodies",
    "Program": "env.program",
    "SceneSpec": "env.scene",
    "Shape": "env.bodies",
    "Start": "env.transcript",
    "Task": "env.task",
    "Threshold": "env.predicates",
    "Verdict": "env.goals",
    "World": "env.world",
    "certify": "env.certification",
    "deepen": "env.certification",
    "make_executor": "env.executors",
    "open_sandbox": "env.sandbox",
    "practise": "env.practice",
    "predicate": "env.predicates",
    "register_kind": "env.bodies",
    "replay": "env.replays",
    "run_episode": "env.episode",
}

__all__ = [
    "Certificate",
    "Closure",
    "Condition",
    "Deepening",
    "Episode",
    "Goal",
    "Handover",
    "Kind",
    "Outcome",
    "Part",
    "Program",
    "SceneSpec",
    "Shape",
    "Start",
    "Task",
    "Threshold",
    "Verdict",
    "World",
    "certify",
    "deepen",
    "make_executor",
    "open_sandbox",
    "practise",
    "predicate",
    "register_kind",
    "replay",
    "run_episode",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'env' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
