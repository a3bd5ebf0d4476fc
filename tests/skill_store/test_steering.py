from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from skill_store.database import DATABASE, Database
from skill_store.steering import Steering, Wish

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def test_nobody_has_asked_for_anything_in_a_new_home(tmp_path: Path) -> None:
    with Database(tmp_path / DATABASE) as database:
        assert Steering(database).wish() == Wish(paused=False, changed_at=None)
        assert Steering(database).resume() is False
        assert Steering(database).wish().changed_at is None


def test_a_pause_is_seen_by_another_process_until_it_is_over(tmp_path: Path) -> None:
    clock = lambda: NOW  # noqa: E731
    with Database(tmp_path / DATABASE, clock=clock) as mine, Database(tmp_path / DATABASE) as other:
        assert Steering(mine).pause() is True
        assert Steering(mine).pause() is False
        assert Steering(other).wish() == Wish(paused=True, changed_at=NOW)
        assert Steering(other).resume() is True
        assert Steering(mine).paused is False
