"""What outcomes and people make of a skill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from skill_store import Library, Origin, SkillState, UnknownSkill, Use
from tests.env.skills import LIFT, LIFTING, PUT_ON, STACKING, closure
from tests.skill_store.samples import certificate, deepening
from tests.voyager.scripted import admit
from voyager.lifecycle import LifeError, proposals, restore, retire, settle, standing

BASE = certificate(LIFT, LIFTING)
PROBATION, ACTIVE, STALE, RETIRED = SkillState


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "home", learning=True) as library:
        admit(library, LIFT, LIFTING)
        admit(library, PUT_ON, STACKING)
        yield library


# -- by outcomes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "solved", "look", "after", "said"),
    [
        (PROBATION, 20, 20, ACTIVE, "20 of 20 fresh scenes were solved"),
        (PROBATION, 17, 20, PROBATION, ""),
        (ACTIVE, 15, 20, PROBATION, "leave open"),
        (ACTIVE, 40, 100, RETIRED, "only 40 of 100"),
        (PROBATION, 5, 20, RETIRED, "only 5 of 20"),
        (PROBATION, 60, 100, PROBATION, ""),
    ],
)
def test_fresh_scenes_move_a_skill(
    before: SkillState, solved: int, look: int, after: SkillState, said: str
) -> None:
    found = standing(before, False, deepening(BASE, look, solved), None)
    assert found.state is after
    assert said in found.why and bool(said) == bool(found.why)


def test_calls_by_others_put_it_back_on_probation_but_never_retire_it() -> None:
    good = deepening(BASE, 20, 20)
    assert standing(ACTIVE, False, good, Use(100, 95)).state is ACTIVE
    broken = standing(ACTIVE, False, good, Use(100, 40))
    assert broken.state is PROBATION
    assert "40 of 100 calls by other skills" in broken.why
    assert standing(PROBATION, False, good, Use(100, 0)).state is PROBATION
    # A handful of calls rules nothing out.
    assert standing(ACTIVE, False, good, Use(5, 2)).state is ACTIVE


@pytest.mark.parametrize("state", [STALE, RETIRED])
def test_skills_out_of_use_are_not_moved_by_outcomes(state: SkillState) -> None:
    assert standing(state, False, deepening(BASE, 100, 0), Use(100, 0)).state is state


def test_pinned_skills_are_not_moved_by_outcomes() -> None:
    assert standing(ACTIVE, True, deepening(BASE, 100, 0), Use(100, 0)).state is ACTIVE


def test_settling_moves_what_was_proposed_and_says_why(library: Library) -> None:
    assert proposals(library) == settle(library) == ()
    lift = library.get("lift")
    library.deepen("lift", deepening(lift.certificate, 20, 20))
    assert library.get("lift").state is PROBATION
    assert proposals(library, ["put_on"]) == ()
    (move,) = proposals(library)
    assert (move.skill, move.before, move.after) == ("lift", PROBATION, ACTIVE)
    assert settle(library) == (move,)
    assert library.get("lift").state is ACTIVE
    assert settle(library) == ()
    library.count_use(lift.closure.root, 60, 10)
    library.set_pinned("lift", True)
    assert settle(library) == ()
    library.set_pinned("lift", False)
    assert [m.after for m in settle(library)] == [PROBATION]


# -- by hand ------------------------------------------------------------------------------------


def test_a_retired_skill_stays_readable_and_comes_back_as_it_was(library: Library) -> None:
    lift = library.get("lift")
    library.deepen("lift", deepening(lift.certificate, 20, 20), ACTIVE)
    library.set_pinned("lift", True)
    assert retire(library, "lift").state is RETIRED
    assert library.get("put_on").closure.programs.keys() >= {lift.closure.root}
    assert [skill.name for skill in library.callees_for(PUT_ON)] == []
    with pytest.raises(LifeError, match="retired already"):
        retire(library, "lift")
    assert restore(library, "lift").state is ACTIVE


def test_restoring_what_stands_already_says_which_versions_there_are(library: Library) -> None:
    with pytest.raises(LifeError, match="it has no other one"):
        restore(library, "lift")
    other = closure(LIFTING.entry.source.replace("0.12", "0.14"))
    ordinal = library.reserve(LIFT, other)
    evidence = certificate(LIFT, other, ordinal)
    library.add_version("lift", other, evidence, Origin.EDITED, champion=True)
    with pytest.raises(LifeError, match="its other versions are 1"):
        restore(library, "lift", 2)
    skill = restore(library, "lift", 1)
    assert (skill.version, skill.state, skill.closure.root) == (1, PROBATION, LIFTING.root)
    # The second one was certified by another engine, as the samples are.
    assert restore(library, "lift", 2).state is STALE
    with pytest.raises(UnknownSkill, match="no version 7"):
        restore(library, "lift", 7)
