"""Certificates of another judge, robot or engine are shown as stale, and nothing builds on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from env.fingerprint import fingerprint
from skill_store import Library, SkillState, mark_stale
from skill_store.staleness import differing
from tests.skill_store.samples import LIFT, REACH, certificate, plain


def states(library: Library) -> dict[str, SkillState]:
    return {entry.name: entry.state for entry in library.entries()}


def test_what_was_proved_elsewhere_is_stale_and_not_offered(tmp_path: Path) -> None:
    with Library.open(tmp_path, learning=True) as library:
        for name, task, made in (
            ("reach", REACH, fingerprint("panda")),
            ("lift", LIFT, replace(fingerprint("panda"), judge="an older one")),
        ):
            closure = plain(name)
            ordinal = library.reserve(task, closure)
            evidence = replace(certificate(task, closure, ordinal=ordinal), fingerprint=made)
            library.add(task, closure, evidence)
        assert mark_stale(library) == ("lift",)
        assert states(library) == {"reach": SkillState.PROBATION, "lift": SkillState.STALE}
        task = replace(LIFT, time_limit=30.0)
        assert [skill.name for skill in library.callees_for(task)] == ["reach"]
        # With the old code back at hand, the old state is back as well.
        library.set_state("reach", SkillState.STALE)
        mark_stale(library)
        assert states(library)["reach"] is SkillState.PROBATION
        library.set_state("lift", SkillState.RETIRED)
        assert mark_stale(library) == ()
        assert states(library)["lift"] is SkillState.RETIRED


def test_an_extension_that_came_later_does_not_matter_but_a_lost_one_does() -> None:
    plain_one = fingerprint("panda")
    extended = replace(plain_one, extensions=(("pucks", "f00d"),))
    assert differing(plain_one, extended) == ()
    assert differing(extended, plain_one) == ("extensions",)
    assert differing(plain_one, replace(plain_one, engine="x")) == ("engine",)
