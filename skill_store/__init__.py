"""What has been learned: one library a home, kept in one SQLite file.

The facade is lazy: a program that only lists skills loads neither physics nor numpy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skill_store.catalogue import Catalogue
    from skill_store.database import ARTIFACTS, BACKUPS, DATABASE, SETTINGS, Database
    from skill_store.drafts import Draft, Drafts
    from skill_store.errors import AdmissionError, HomeBusy, StorageError, UnknownSkill
    from skill_store.exchanges import Allowance, Exchange, Exchanges, ExchangeState, Totals
    from skill_store.home_lock import LOCK_FILE, HomeLock
    from skill_store.journal import Attempt, Decision, EpisodeRecord, Journal
    from skill_store.lessons import Lesson, Lessons, LessonState, UnknownLesson
    from skill_store.library import Library
    from skill_store.promises import needed, promised
    from skill_store.queue import Queue, Request, RequestState, UnknownRequest
    from skill_store.retrieval import Hit, Retrieval
    from skill_store.skill import Origin, Skill, SkillEntry, SkillState, Version
    from skill_store.staleness import mark_stale
    from skill_store.versions import Duel, Use

_HOMES = {
    "ARTIFACTS": "skill_store.database",
    "BACKUPS": "skill_store.database",
    "DATABASE": "skill_store.database",
    "LOCK_FILE": "skill_store.home_lock",
    "SETTINGS": "skill_store.database",
    "AdmissionError": "skill_store.errors",
    "Allowance": "skill_store.exchanges",
    "Attempt": "skill_store.journal",
    "Catalogue": "skill_store.catalogue",
    "Database": "skill_store.database",
    "Decision": "skill_store.journal",
    "Draft": "skill_store.drafts",
    "Drafts": "skill_store.drafts",
    "Duel": "skill_store.versions",
    "EpisodeRecord": "skill_store.journal",
    "Exchange": "skill_store.exchanges",
    "ExchangeState": "skill_store.exchanges",
    "Exchanges": "skill_store.exchanges",
    "Hit": "skill_store.retrieval",
    "HomeBusy": "skill_store.errors",
    "HomeLock": "skill_store.home_lock",
    "Journal": "skill_store.journal",
    "Lesson": "skill_store.lessons",
    "LessonState": "skill_store.lessons",
    "Lessons": "skill_store.lessons",
    "Library": "skill_store.library",
    "Origin": "skill_store.skill",
    "Queue": "skill_store.queue",
    "Request": "skill_store.queue",
    "RequestState": "skill_store.queue",
    "Retrieval": "skill_store.retrieval",
    "Skill": "skill_store.skill",
    "SkillEntry": "skill_store.skill",
    "SkillState": "skill_store.skill",
    "StorageError": "skill_store.errors",
    "Totals": "skill_store.exchanges",
    "UnknownLesson": "skill_store.lessons",
    "UnknownRequest": "skill_store.queue",
    "UnknownSkill": "skill_store.errors",
    "Use": "skill_store.versions",
    "Version": "skill_store.skill",
    "mark_stale": "skill_store.staleness",
    "needed": "skill_store.promises",
    "promised": "skill_store.promises",
}

__all__ = [
    "ARTIFACTS",
    "BACKUPS",
    "DATABASE",
    "LOCK_FILE",
    "SETTINGS",
    "AdmissionError",
    "Allowance",
    "Attempt",
    "Catalogue",
    "Database",
    "Decision",
    "Draft",
    "Drafts",
    "Duel",
    "EpisodeRecord",
    "Exchange",
    "ExchangeState",
    "Exchanges",
    "Hit",
    "HomeBusy",
    "HomeLock",
    "Journal",
    "Lesson",
    "LessonState",
    "Lessons",
    "Library",
    "Origin",
    "Queue",
    "Request",
    "RequestState",
    "Retrieval",
    "Skill",
    "SkillEntry",
    "SkillState",
    "StorageError",
    "Totals",
    "UnknownLesson",
    "UnknownRequest",
    "UnknownSkill",
    "Use",
    "Version",
    "mark_stale",
    "needed",
    "promised",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'skill_store' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
