"""Routing: what is run, what is adapted, what is written, and that asking writes nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from env.goals import Goal
from env.scene import SceneSpec
from env.task import Task
from skill_store import Library, SkillState, promised
from skill_store.routing import Decision, route, routes, solvers
from tests.skill_store.samples import certificate, plain

STACK = Task.make("on(top, bottom) and clear()", {"top": "block", "bottom": "block"})
LIFT = Task.make("lifted(thing, 0.1)", {"thing": "graspable"})
PUT_IN = Task.make("inside(thing, box) and clear()", {"thing": "graspable", "box": "container"})


def admit(library: Library, name: str, task: Task) -> None:
    closure = plain(name)
    ordinal = library.reserve(task, closure)
    library.add(task, closure, certificate(task, closure, ordinal))


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "home", learning=True) as library:
        admit(library, "stack", STACK)
        admit(library, "lift", LIFT)
        admit(library, "put_in", PUT_IN)
        yield library


# -- run ----------------------------------------------------------------------------------------


def test_the_same_task_under_other_names_is_run_with_its_parameters_bound(
    library: Library,
) -> None:
    found = route(library, Task.make("clear() and on(b, a)", {"a": "block", "b": "block"}))
    assert (found.decision, found.skill) == (Decision.RUN, "stack")
    assert found.bindings == {"top": "b", "bottom": "a"}
    assert found.why == "stack(top=b, bottom=a) promises 'on(top, bottom) and clear()', " + (
        "which covers the goal"
    )


def test_a_weaker_goal_about_a_narrower_kind_is_run(library: Library) -> None:
    found = route(library, Task.make("lifted(ball, 0.05)", {"ball": "ball"}))
    assert (found.skill, found.bindings) == ("lift", {"thing": "ball"})
    found = route(library, Task.make("inside(block, bowl)", {"bowl": "bowl", "block": "block"}))
    assert (found.skill, found.bindings) == ("put_in", {"thing": "block", "box": "bowl"})


@pytest.mark.parametrize(
    ("goal", "parameters"),
    [
        ("lifted(thing, 0.2)", {"thing": "graspable"}),  # harder
        ("on(top, bottom)", {"top": "graspable", "bottom": "block"}),  # a wider kind
        ("on(top, bottom) and on(bottom, top)", {"top": "block", "bottom": "block"}),
        ("on(ball, block) and clear()", {"ball": "ball", "block": "block"}),
    ],
)
def test_what_no_contract_covers_is_not_run(
    library: Library, goal: str, parameters: dict[str, str]
) -> None:
    assert route(library, Task.make(goal, parameters)).decision is Decision.ADAPT


def test_other_scenes_and_tighter_limits_are_not_covered(library: Library) -> None:
    parameters = {"thing": "graspable"}
    for task in (
        Task.make("lifted(thing)", parameters, scene=SceneSpec(distractors=(4, 6))),
        Task.make("lifted(thing)", parameters, time_limit=10.0),
        Task.make("lifted(thing)", parameters, call_limit=5),
    ):
        found = route(library, task)
        assert found.decision is Decision.ADAPT
        assert "in other scenes, limits" in found.why
    wider = Task.make("lifted(thing)", parameters, time_limit=90.0, call_limit=800)
    assert route(library, wider).decision is Decision.RUN


def test_a_skill_that_needs_one_more_object_is_adapted_not_run(library: Library) -> None:
    found = route(library, Task.make("clear()", {}))
    assert found.decision is Decision.WRITE  # clear() alone makes nothing kin
    tower = Task.make("on(a, b) and on(b, c)", {"a": "block", "b": "block", "c": "block"})
    admit(library, "tower", tower)
    library.set_state("stack", SkillState.RETIRED)
    found = route(library, Task.make("on(a, b)", {"a": "block", "b": "block"}))
    assert (found.decision, found.skill) == (Decision.ADAPT, "tower")


@pytest.mark.parametrize("state", [SkillState.STALE, SkillState.RETIRED])
def test_skills_out_of_use_are_told_but_never_run(library: Library, state: SkillState) -> None:
    library.set_state("stack", state)
    found = route(library, STACK)
    assert found.decision is not Decision.RUN
    assert found.skill != "stack"
    assert f"stack is {state.value}" in found.why
    assert solvers(library, STACK) == ()
    library.set_state("stack", SkillState.ACTIVE)
    assert route(library, STACK).skill == "stack"


def test_an_alternative_that_one_skill_brings_about_is_run(library: Library) -> None:
    task = Task.make("lifted(ball, 0.05) or held(ball)", {"ball": "ball"})
    assert route(library, task).skill == "lift"


def test_all_skills_that_could_be_run_are_solvers_oldest_first(library: Library) -> None:
    admit(library, "lift_higher", Task.make("lifted(b, 0.2) and held(b)", {"b": "block"}))
    assert solvers(library, Task.make("lifted(x)", {"x": "block"})) == ("lift", "lift_higher")
    # What promises little else is run.
    assert route(library, Task.make("lifted(x)", {"x": "block"})).skill == "lift"


# -- adapt and write ----------------------------------------------------------------------------


def test_adapt_names_the_nearest_and_what_they_lack(library: Library) -> None:
    task = Task.make(
        "on(a, b) and inside(b, c) and clear()", {"a": "block", "b": "block", "c": "tray"}
    )
    found = route(library, task)
    assert found.decision is Decision.ADAPT
    assert {option.skill: option.lacks for option in found.near} == {
        "stack": ("inside(b, c)",),
        "put_in": ("on(a, b)",),
    }
    assert found.skill == found.near[0].skill
    assert f"nearest is {found.skill}, which lacks " in found.why
    assert found.bindings == {}


def test_a_parameter_that_a_skill_does_not_have_is_never_taken_for_its_own(
    library: Library,
) -> None:
    # `thing` is a name in both, but only one of the two blocks can be what `lift` lifts.
    task = Task.make("lifted(thing) and lifted(other)", {"thing": "block", "other": "block"})
    (option,) = route(library, task).near
    assert option.skill == "lift"
    assert len(option.lacks) == 1


def test_skills_found_by_meaning_come_after_those_that_share_a_predicate(
    library: Library,
) -> None:
    task = Task.make("upright(block)", {"block": "block"})
    assert route(library, task).decision is Decision.WRITE
    found = route(library, task, near=("put_in", "gone"))
    assert (found.decision, found.skill) == (Decision.ADAPT, "put_in")
    assert found.near[0].lacks == ("upright(block)",)
    task = Task.make("lifted(block, 0.3)", {"block": "block"})
    assert [option.skill for option in route(library, task, near=("put_in",)).near] == [
        "lift",
        "put_in",
    ]


def test_an_empty_library_leaves_only_writing(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        found = route(library, STACK)
    assert (found.decision, found.skill, found.near) == (Decision.WRITE, None, ())


# -- the log ------------------------------------------------------------------------------------


def test_decisions_are_logged_and_asking_quietly_writes_nothing(library: Library) -> None:
    def changes() -> int:
        return int(library.database.one("SELECT total_changes()")[0])

    before = changes()
    unseen = Task.make("held(ball)", {"ball": "ball"})
    for task in (STACK, unseen):
        route(library, task, log=False)
        solvers(library, task)
    assert changes() == before
    assert routes(library) == ()
    run, other = route(library, STACK), route(library, unseen)
    assert [(r.decision, r.skill, r.why) for r in routes(library)] == [
        (run.decision, run.skill, run.why),
        (other.decision, other.skill, other.why),
    ]
    (record,) = routes(library, unseen.hash)
    assert record.decision is Decision.WRITE


# -- a library of many --------------------------------------------------------------------------


def fill(library: Library, count: int) -> None:
    """Rows of many skills, as `add` would write them but for what routing does not read."""
    database = library.database
    with database.transaction():
        for number in range(count):
            goal = Goal.parse(f"lifted(x, {0.3 + number / 10**6:.6f})", {"x": "block"})
            task = Task("Lift.", goal.parameters, goal)
            name = f"many_{number}"
            key, now = hashlib.sha256(name.encode()).hexdigest(), f"2020-01-01T{number:06d}"
            wording = json.dumps(task.to_json())
            library.journal.keep_task(task)
            database.execute("INSERT INTO programs VALUES (?, ?, '', ?)", (key, name, now))
            database.execute(
                "INSERT INTO certifications VALUES (?, 0, ?, ?, ?, NULL, ?, ?, 1)",
                (task.hash, key, key, wording, now, now),
            )
            database.execute(
                "INSERT INTO certificates VALUES (?, ?, 0, ?, 20, 20, '{}', ?)",
                (key, task.hash, key, now),
            )
            database.execute(
                "INSERT INTO skills (name, task, program, certificate, state, added_at, "
                "changed_at) VALUES (?, ?, ?, ?, 'probation', ?, ?)",
                (name, task.hash, key, key, now, now),
            )
            for word in promised(goal):
                database.execute("INSERT INTO promises VALUES (?, ?)", (task.hash, word))


def test_among_many_only_a_few_contracts_are_read(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(library, 400)
    read: list[str] = []
    parse = Goal.parse
    monkeypatch.setattr(
        Goal, "parse", lambda text, parameters: (read.append(text), parse(text, parameters))[1]
    )
    task = Task.make("lifted(b, 0.2)", {"b": "block"})
    read.clear()
    found = route(library, task)
    assert found.decision is Decision.RUN
    assert found.skill is not None and found.skill.startswith("many_")
    assert len(read) <= 64
    assert route(library, STACK).skill == "stack"
