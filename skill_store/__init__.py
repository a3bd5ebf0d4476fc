"""What has been learned: one library a home, kept in one SQLite file."""

from skill_store.database import BACKUPS, DATABASE, Database
from skill_store.errors import AdmissionError, HomeBusy, StorageError, UnknownSkill
from skill_store.home_lock import LOCK_FILE, HomeLock
from skill_store.journal import Attempt, EpisodeRecord, Journal
from skill_store.library import Library
from skill_store.skill import Skill, SkillEntry, SkillState
from skill_store.staleness import mark_stale

__all__ = [
    "BACKUPS",
    "DATABASE",
    "LOCK_FILE",
    "AdmissionError",
    "Attempt",
    "Database",
    "EpisodeRecord",
    "HomeBusy",
    "HomeLock",
    "Journal",
    "Library",
    "Skill",
    "SkillEntry",
    "SkillState",
    "StorageError",
    "UnknownSkill",
    "mark_stale",
]
