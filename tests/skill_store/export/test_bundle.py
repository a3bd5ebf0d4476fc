"""What leaves a home: choosing, closing over callees, names of files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from skill_store import Library, SkillState, UnknownSkill
from skill_store.export import ExportError, gather
from skill_store.export.bundle import effects
from tests.skill_store.export.homes import CLOSER, LIFTING, NOW, REACHING, deepen, make_library
from tests.skill_store.samples import STACK


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with make_library(tmp_path / "home") as library:
        yield library


def test_a_skill_leaves_with_the_version_that_it_calls(library: Library) -> None:
    bundle = gather(library, names=["lift"], clock=lambda: NOW)
    (lift,) = bundle.skills
    assert (lift.skill.name, lift.certified, lift.champion) == ("lift", True, True)
    assert lift.failures == (("failed", 1),)
    assert lift.handovers == (library.version("reach", 1).handover,)
    (reach,) = bundle.callees
    assert (reach.skill.name, reach.skill.version, reach.champion) == ("reach", 1, False)
    assert reach.skill.bound == library.version("reach", 1).bound is not None
    assert list(bundle.programs) == [REACHING.root, LIFTING.root]
    assert bundle.made_at == NOW
    assert bundle.named("lift") is lift
    with pytest.raises(ExportError, match="'reach' is in this export"):
        bundle.named("reach")


def test_two_programs_of_one_name_get_two_file_names(library: Library) -> None:
    bundle = gather(library, names=["lift", "reach", "lift"])
    # By dependency: what is called stands before its caller, and nobody twice.
    assert sorted(e.skill.name for e in bundle.skills) == ["lift", "reach"]
    assert bundle.file_names == {
        REACHING.root: f"reach_{REACHING.root[:12]}",
        LIFTING.root: "lift",
        CLOSER.root: "reach",
    }


def test_callees_stand_before_their_callers(tmp_path: Path) -> None:
    with make_library(tmp_path / "home") as library:
        library.crown("reach", 1)
        bundle = gather(library, names=["lift", "reach"])
        assert [e.skill.name for e in bundle.skills] == ["reach", "lift"]
        assert bundle.callees == ()


def test_an_uncertified_skill_leaves_only_by_choice(library: Library) -> None:
    with pytest.raises(ExportError, match=r"'leave' is not certified here.*allow-uncertified"):
        gather(library, names=["reach", "leave"])
    with pytest.raises(ExportError, match="without a sandbox"):
        gather(library, names=["grasp"])
    (grasp,) = gather(library, names=["grasp"], allow_uncertified=True).skills
    assert not grasp.certified


def test_all_means_the_certified_ones_and_says_who_was_left_out(library: Library) -> None:
    bundle = gather(library, everything=True)
    assert {e.skill.name for e in bundle.skills} == {"reach", "lift"}
    assert {name for name, _ in bundle.left_out} == {"leave", "grasp"}
    bundle = gather(library, everything=True, allow_uncertified=True)
    assert {e.skill.name for e in bundle.skills} == {"reach", "lift", "leave", "grasp"}
    library.set_state("lift", SkillState.RETIRED)
    bundle = gather(library, everything=True, allow_uncertified=True)
    assert "lift" not in {e.skill.name for e in bundle.skills}
    with pytest.raises(ExportError, match="'lift' is not certified here: it is retired"):
        gather(library, names=["lift"])


def test_a_bound_chooses_what_was_measured(library: Library) -> None:
    deepen(library, "lift", 100, 97)
    assert [e.skill.name for e in gather(library, min_bound=0.85).skills] == ["lift"]
    with pytest.raises(ExportError, match=r"no skill has a measured bound of 0\.95"):
        gather(library, min_bound=0.95)
    with pytest.raises(ExportError, match="between 0 and 1, not 90"):
        gather(library, min_bound=90)


def test_the_choice_must_be_one(library: Library) -> None:
    for chosen in ({}, {"names": ["lift"], "everything": True}, {"names": []}):
        with pytest.raises(ExportError, match="in one way"):
            gather(library, **chosen)
    with pytest.raises(UnknownSkill, match="did you mean 'lift'"):
        gather(library, names=["lit"])


def test_a_library_without_a_certified_skill_exports_nothing(
    library: Library, tmp_path: Path
) -> None:
    for name in ("reach", "lift"):
        library.set_state(name, SkillState.STALE)
    with pytest.raises(ExportError, match=r"no certified skill is left to export: .*, for example"):
        gather(library, everything=True)
    with (
        Library.open(tmp_path / "empty") as empty,
        pytest.raises(ExportError, match="has no skill to export"),
    ):
        gather(empty, everything=True)


def test_effects_are_the_predicates_own_words() -> None:
    on, clear = effects(STACK)
    assert on.startswith("on(top, bottom): The weight of a rests on top of b")
    assert on.endswith("(a is top, b is bottom)")
    assert clear.endswith("(gap is 0.05)")
