"""Reads everything that the browser tells about one skill, a tab at a time.

Each tab is read when it is looked at. Reading one takes milliseconds, but the first takes as long
as loading what can read programs and certificates.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from voyager.browsing.tabs import Tab
from voyager.browsing.told import (
    AttemptLine,
    Attempts,
    Cell,
    Code,
    Contract,
    DraftLine,
    DuelLine,
    Graph,
    Grid,
    LessonLine,
    Lessons,
    Node,
    Proof,
    RunLine,
    Runs,
    Told,
    VersionLine,
    Versions,
)

if TYPE_CHECKING:
    from env.certificate import SceneRecord
    from skill_store import Library, Skill

MOST_ATTEMPTS: Final = 100
MOST_RUNS: Final = 300
MOST_LESSONS: Final = 30
_DEEPEST: Final = 12  # levels of a tree that are shown


def read_tab(home: Path, name: str, tab: Tab) -> Told:
    """Read what one tab tells about a skill.

    Args:
        home: The home folder.
        name: The skill.
        tab: Which.

    Raises:
        UnknownSkill: If there is no such skill.
        VoyagerError: If it cannot be read back.
        StorageError: If the library cannot be read.
    """
    from skill_store import Library

    with Library.open(home) as library:
        return _READERS[tab](library, library.get(name))


def _code(library: Library, skill: Skill) -> Code:
    return Code(skill.source, len(skill.source.splitlines()), skill.callees)


def _contract(library: Library, skill: Skill) -> Contract:
    from skill_store.evidence import learned_from

    task, scene = skill.task, skill.task.scene
    found = learned_from(library, skill.name)
    facts = [
        ("in words", task.instruction),
        ("goal", task.goal.text),
        ("parameters", ", ".join(f"{name}: {kind}" for name, kind in task.parameters) or "none"),
        ("limits", f"{task.time_limit:g} simulated seconds, {task.call_limit} robot calls"),
    ]
    if found.effects:
        told = ", ".join(found.effects)
        facts.append(("also brings", f"{told} (in nearly all of {found.solved} solved episodes)"))
    if found.precondition is not None and found.support is not None:
        seen = found.support
        facts.append(
            (
                "holds when",
                f"{found.precondition} (solved {seen.solved} of {seen.of} with it, "
                f"{seen.solved_without} of {seen.of_without} without)",
            )
        )
    low, high = scene.distractors
    facts += [
        ("scenes", f"{low} to {high} bystanders ({', '.join(scene.distractor_kinds)})"),
        *(("needs too", f"{low} to {high} of {kind}") for kind, low, high in scene.extras),
        ("masses", f"nominal, more or less up to {scene.mass_spread:.0%}"),
        ("friction", f"{scene.friction[0]:g} to {scene.friction[1]:g}"),
        ("reach", f"{scene.reach[0]:g} to {scene.reach[1]:g} m from the base"),
        ("robot", scene.robot),
        ("task", task.hash),
        ("in use since", f"{skill.added_at:%Y-%m-%d %H:%M} UTC"),
    ]
    return Contract(tuple(facts))


def _proof(library: Library, skill: Skill) -> Proof:
    from env.fingerprint import fingerprint
    from voyager.wording import certificate_facts, fingerprint_words

    certificate, deepening = skill.certificate, skill.deepening
    names = _names_of_closures(library, [*certificate.scenes, *_scenes(skill)])
    grids = [Grid("held-out scenes of the certificate", _cells(certificate.scenes, names))]
    if deepening is not None:
        title = f"fresh scenes after admission ({deepening.look})"
        grids.append(Grid(title, _cells(deepening.scenes, names)))
    differs = certificate.fingerprint.differences(fingerprint(skill.task.scene.robot))
    made = certificate.fingerprint.to_json()
    return Proof(
        version=skill.version,
        certificate=certificate.hash,
        facts=(
            *certificate_facts(skill),
            ("scenes drawn", f"{certificate.drawn}, {certificate.discarded} could not be begun in"),
            ("steps", f"{certificate.steps:,} simulated"),
            ("certificate", certificate.hash),
        ),
        grids=tuple(grids),
        fingerprint=tuple(
            (name, fingerprint_words(value), name in differs) for name, value in made.items()
        ),
    )


def _scenes(skill: Skill) -> tuple[SceneRecord, ...]:
    return () if skill.deepening is None else skill.deepening.scenes


def _names_of_closures(library: Library, scenes: list[SceneRecord]) -> dict[str, str]:
    """Name by closure hash of the skills that scenes begin after."""
    wanted = {scene.start.handover.closure for scene in scenes if scene.start.handover is not None}
    if not wanted:
        return {}
    rows = library.database.rows(
        "SELECT certifications.closure, programs.name FROM certifications "
        "JOIN programs ON programs.hash = certifications.program"
    )
    return {row["closure"]: row["name"] for row in rows if row["closure"] in wanted}


def _cells(scenes: tuple[SceneRecord, ...], names: Mapping[str, str]) -> tuple[Cell, ...]:
    return tuple(
        Cell(
            number=number,
            start=scene.start,
            outcome=scene.outcome.value,
            solved=scene.outcome.value == "solved",
            margin=scene.margin,
            steps=scene.steps,
            after=""
            if scene.start.handover is None
            else names.get(scene.start.handover.closure, scene.start.handover.closure[:12]),
            episode=scene.episode,
        )
        for number, scene in enumerate(scenes, start=1)
    )


def _graph(library: Library, skill: Skill) -> Graph:
    rows = library.database.rows("SELECT name, program, goal FROM skills")
    standing = {row["program"]: (row["name"], row["goal"]) for row in rows}
    closure = skill.closure

    def below(key: str, depth: int) -> tuple[Node, ...]:
        nodes = []
        for name, callee in sorted(closure.programs[key].lock.items()):
            contract = closure.contracts.get(callee)
            promise = "" if contract is None else contract.goal.text
            more = below(callee, depth + 1) if depth < _DEEPEST else ()
            cut = depth >= _DEEPEST and bool(closure.programs[callee].lock)
            nodes.append(Node(name, promise, callee, callee in standing, more, cut))
        return tuple(nodes)

    def above(key: str, depth: int) -> tuple[Node, ...]:
        callers = library.database.rows("SELECT caller FROM locks WHERE callee = ?", (key,))
        nodes = []
        for row in callers:
            if row["caller"] not in standing:
                continue
            name, goal = standing[row["caller"]]
            more = above(row["caller"], depth + 1) if depth < _DEEPEST else ()
            nodes.append(Node(name, goal, row["caller"], True, more))
        return tuple(sorted(nodes, key=lambda node: node.name))

    use = library.uses().get(closure.root)
    told = "" if use is None else f"kept its contract in {use.kept} of {use.calls} calls by others"
    return Graph(below(closure.root, 1), above(closure.root, 1), told)


def _versions(library: Library, skill: Skill) -> Versions:
    lines = []
    before: Skill | None = None
    for version in library.versions(skill.name):
        whole = library.version(skill.name, version.number)
        diff = ""
        locks: tuple[tuple[str, str, str], ...] = ()
        if before is not None:
            diff = _diff(before, whole)
            locks = _locks(before, whole)
        lines.append(
            VersionLine(
                number=version.number,
                origin=version.origin.value,
                champion=version.champion,
                k=version.k,
                n=version.n,
                bound=version.bound,
                program=version.program,
                added_at=version.added_at,
                diff=diff,
                locks=locks,
            )
        )
        before = whole
    duels = tuple(
        DuelLine(duel.fought_at, duel.scenes, duel.won, duel.lost, duel.replaced)
        for duel in reversed(library.duels(skill.name))
    )
    return Versions(tuple(reversed(lines)), duels)


def _diff(before: Skill, after: Skill) -> str:
    return "\n".join(
        difflib.unified_diff(
            before.source.splitlines(),
            after.source.splitlines(),
            f"version {before.version}",
            f"version {after.version}",
            lineterm="",
        )
    )


def _locks(before: Skill, after: Skill) -> tuple[tuple[str, str, str], ...]:
    old, new = before.program.lock, after.program.lock
    return tuple(
        (name, old.get(name, "")[:12] or "nothing", new.get(name, "")[:12] or "nothing")
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    )


def _attempts(library: Library, skill: Skill) -> Attempts:
    found = library.journal.attempts(skill.task.hash)[-MOST_ATTEMPTS:]
    first = min((attempt.id for attempt in found), default=0) - 1
    chosen = {one.attempt: one for one in library.journal.decisions(after=max(first, 0))}
    lines = []
    for attempt in reversed(found):
        decision = chosen.get(attempt.id)
        ended = attempt.ended_at
        without = "open" if ended is None else "interrupted"
        lines.append(
            AttemptLine(
                id=attempt.id,
                began=attempt.started_at,
                seconds=None if ended is None else (ended - attempt.started_at).total_seconds(),
                outcome=without if attempt.outcome is None else attempt.outcome.value,
                reason=attempt.reason or "",
                steps=attempt.simulated_steps,
                proposer="" if decision is None else decision.proposer,
                why="" if decision is None else decision.why,
                facts=_short_facts(attempt.detail),
                drafts=tuple(
                    DraftLine(
                        draft.id,
                        draft.parent,
                        draft.value,
                        draft.outcome,
                        draft.feedback,
                        draft.source,
                    )
                    for draft in library.drafts.of(attempt.id)
                ),
            )
        )
    return Attempts(tuple(lines))


def _short_facts(detail: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What can be told in a line: numbers, words, and how episodes ended."""
    facts = [
        (name, f"{value:,}" if isinstance(value, int) else str(value))
        for name, value in detail.items()
        if isinstance(value, int | float | str) and str(value)
    ]
    for purpose, ends in detail.get("episodes", {}).items():
        told = ", ".join(f"{number} {outcome}" for outcome, number in ends.items())
        facts.append((purpose, told or "none"))
    return tuple(facts)


def _lessons(library: Library, skill: Skill) -> Lessons:
    return Lessons(
        tuple(
            LessonLine(
                id=lesson.id,
                own=lesson.task == skill.task.hash,
                failure=lesson.failure,
                goal=lesson.goal,
                evidence=lesson.evidence,
                lesson=lesson.lesson,
                advice=lesson.advice,
                used=lesson.used,
                helped=lesson.helped,
            )
            for lesson in library.lessons.find(None, skill.task, MOST_LESSONS)
        )
    )


def _runs(library: Library, skill: Skill) -> Runs:
    from env.transcript import Start

    rows = library.database.rows(
        "SELECT id, purpose, seed, outcome, margin, at FROM episodes WHERE program = ? "
        "ORDER BY id DESC LIMIT ?",
        (skill.closure.root, MOST_RUNS),
    )
    counted = library.database.rows(
        "SELECT purpose, count(*) AS number, sum(outcome = 'solved') AS solved FROM episodes "
        "WHERE program = ? GROUP BY purpose ORDER BY purpose",
        (skill.closure.root,),
    )
    tally = {row["purpose"]: (row["number"], row["solved"]) for row in counted}
    known = {
        scene.start.seed: scene.start for scene in (*skill.certificate.scenes, *_scenes(skill))
    }
    return Runs(
        tuple(
            RunLine(
                id=row["id"],
                purpose=row["purpose"],
                start=known.get(row["seed"], Start(row["seed"])),
                outcome=row["outcome"],
                solved=row["outcome"] == "solved",
                margin=row["margin"],
                at=datetime.fromisoformat(row["at"]),
            )
            for row in rows
        ),
        sum(number for number, _ in tally.values()),
        tally,
        skill.version,
        skill.certificate.hash,
    )


_READERS: Final[Mapping[Tab, Callable[[Library, Skill], Told]]] = {
    Tab.CODE: _code,
    Tab.CONTRACT: _contract,
    Tab.CERTIFICATE: _proof,
    Tab.GRAPH: _graph,
    Tab.VERSIONS: _versions,
    Tab.ATTEMPTS: _attempts,
    Tab.LESSONS: _lessons,
    Tab.RUNS: _runs,
}
