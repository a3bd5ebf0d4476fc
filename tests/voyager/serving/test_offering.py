from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from skill_store.errors import StorageError, UnknownSkill
from tests.voyager.serving.served import make_home
from voyager.serving.errors import NotCallable, Stopped
from voyager.serving.offering import Offering

REASONS = {
    "retired_one": "it is retired",
    "stale_one": "it is stale",
    "foreign_one": "made with another judge",
    "unsafe_one": "without a sandbox",
}


@pytest.fixture(scope="module")
def offering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offering]:
    with Offering(make_home(tmp_path_factory.mktemp("served") / "home")) as opened:
        yield opened


def test_only_what_is_certified_here_may_be_called(offering: Offering) -> None:
    may, may_not = offering.callable()
    assert [one.skill.name for one in may] == ["lift", "reach", "put_on"]
    assert may_not.keys() == REASONS.keys()
    for name, reason in REASONS.items():
        with pytest.raises(NotCallable, match=reason):
            offering.named(name)
        described = offering.describe(name)
        assert not described["callable"] and reason in described["why_not"]
        assert "NOT CERTIFIED" in described["proof"]


def test_a_proof_says_what_was_measured_and_what_not(offering: Offering) -> None:
    lift, reach = offering.named("lift"), offering.named("reach")
    assert "20 of 20 unseen scenes" in lift.proof and "19 of 20 drawn after" in lift.proof
    assert "lower bound" in lift.proof
    assert "not been measured" in reach.proof and "%" not in reach.proof
    assert all("No claim about real hardware." in one.proof for one in (lift, reach))


def test_a_description_is_whole(offering: Offering) -> None:
    told = offering.describe("put_on")
    assert told["callable"] and told["why_not"] == ""
    assert told["goal"] == "on(top, bottom) and clear()"
    assert told["calls"] == ["lift"]
    assert list(told["parameters"]["properties"]) == ["top", "bottom"]
    assert told["bound"]["hardware"] == "no claim"


def test_skills_are_found_by_name_by_words_or_listed(offering: Offering) -> None:
    assert offering.search("put_on")[0].name == "put_on"
    listed = offering.search("", 50)
    assert {one.name for one in listed} == {"lift", "reach", "put_on", *REASONS}
    assert {one.name: one.why_not for one in listed if not one.callable}.keys() == REASONS.keys()
    assert len(offering.search("", 2)) == 2


def test_an_unknown_name_names_the_nearest(offering: Offering) -> None:
    with pytest.raises(UnknownSkill, match="did you mean 'put_on'"):
        offering.named("put_onn")


def test_many_threads_may_ask(offering: Offering) -> None:
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: offering.named("lift").skill.name, range(12)))
    assert found == ["lift"] * 12


def test_a_home_without_a_library_is_no_home(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there is no library in"):
        Offering(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_closed_one_says_so(tmp_path: Path) -> None:
    opened = Offering(make_home(tmp_path / "home"))
    opened.close()
    opened.close()
    with pytest.raises(Stopped, match="closed"):
        opened.named("lift")
