"""The sentences about evidence claim what there is, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from skill_store import Library, SkillState
from skill_store.export.claims import (
    NO_HARDWARE,
    bound_record,
    failures,
    proof_sentence,
    short_claim,
    uncertified,
)
from tests.skill_store.export.homes import deepen, make_library
from tests.skill_store.samples import deepening


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with make_library(tmp_path / "home") as library:
        yield library


def test_before_a_deepening_no_rate_is_claimed(library: Library) -> None:
    lift = library.get("lift")
    told = proof_sentence(lift)
    assert told.startswith("Simulated in PyBullet with exact object poses, on the robot 'panda'")
    assert "objects of kind block, among 0 to 3 bystanders (ball, block, bowl, tray)" in told
    assert "solved 19 of 20 unseen scenes" in told
    assert "no bound yet" in told
    assert told.endswith(NO_HARDWARE)
    assert "%" not in told
    assert "bound not measured yet" in short_claim(lift)
    record = bound_record(lift)
    assert (record["admitted"], record["measured"]) == ({"k": 19, "n": 20}, None)
    # The bound of the admission itself was chosen by passing; it must not leave.
    assert str(lift.certificate.admission_bound) not in f"{told}{record}"


def test_a_measured_bound_is_told_with_its_scenes(library: Library) -> None:
    deepen(library, "lift", 40, 38)
    lift = library.get("lift")
    assert lift.bound is not None
    told = f"38 of 40 drawn after that (95 % lower bound {100 * lift.bound:.2f} %)"
    assert told in proof_sentence(lift)
    assert short_claim(lift) == "38 of 40 unseen simulated scenes, 95 % lower bound 79.80 %"
    assert bound_record(lift)["measured"] == {
        "k": 38,
        "n": 40,
        "lower_bound": lift.bound,
        "confidence": 0.95,
    }
    assert failures(lift) == (("failed", 3),)


def test_what_does_not_count_here_says_so_first(library: Library) -> None:
    leave, grasp = library.get("leave"), library.get("grasp")
    assert "another engine, machine" in (uncertified(leave) or "")
    assert "NOT CERTIFIED where it was exported" in proof_sentence(leave)
    assert short_claim(leave).startswith("not certified here: its certificate was made with")
    assert bound_record(leave)["certified"] is False
    assert "could have tampered" in proof_sentence(grasp)
    library.set_state("lift", SkillState.RETIRED)
    assert uncertified(library.get("lift")) == "it is retired"
    library.set_state("lift", SkillState.STALE)
    assert uncertified(library.get("lift")) == "it is stale"
    library.set_state("lift", SkillState.PROBATION)
    assert uncertified(library.get("lift")) is None


def test_a_bound_without_a_sandbox_spoils_the_certificate(library: Library) -> None:
    made = library.get("lift")
    assert uncertified(made) is None
    found = deepening(made.certificate, 20, 20)
    unsafe = replace(found, fingerprint=replace(made.certificate.fingerprint, sandbox="unsafe"))
    library.deepen("lift", unsafe)
    assert "without a sandbox" in (uncertified(library.get("lift")) or "")
