"""What leaves a home: chosen skills with their closures, contracts and evidence.

    bundle = gather(library, names=("put_on",))
    for exported in bundle.skills:
        print(exported.skill.name, exported.certified)

Every format is written from a bundle, and from nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import metadata
from typing import Final

from env.goal_forms import Atom, Form
from env.program import Program
from env.seeds import short
from env.starts import Handover
from env.task import Task
from skill_store.clock import Clock, utc_now
from skill_store.evidence import learned_from
from skill_store.export.claims import failures, uncertified
from skill_store.export.errors import ExportError
from skill_store.library import Library
from skill_store.skill import Skill, SkillState

_DISTRIBUTION: Final = "voyager-skill-library"
_NEWEST_VERSION: Final = (
    "SELECT skill, number FROM versions WHERE program = ? ORDER BY number DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Exported:
    """One skill that leaves.

    Attributes:
        skill: Its closure, task, certificate, deepening, state, version.
        effects: What its goal asks for, one sentence for each part, from the predicates' own
            words.
        certified: Whether it is in use, and its certificate is valid here and was made in a
            sandbox.
        failures: (outcome, count) over the scenes of certificate and deepening that were not
            solved, most first.
        precondition: Goal expression under which it was seen to hold more often, or None.
        handovers: The skills that scenes of its certificate begin after: a replay needs them.
        champion: Whether the skill's name means this program now; false for an earlier version
            that a caller keeps.
    """

    skill: Skill
    effects: tuple[str, ...]
    certified: bool
    failures: tuple[tuple[str, int], ...]
    precondition: str | None
    handovers: tuple[Handover, ...] = ()
    champion: bool = True


@dataclass(frozen=True, slots=True)
class Bundle:
    """What one export holds.

    Attributes:
        skills: The chosen ones, none twice, callees before their callers.
        callees: Skills that those call and that were not chosen themselves, perhaps in a version
            that is no champion any more; callees first. Formats that need evidence about
            everything (an archive) write them too.
        programs: All programs of all their closures, by hash, callees first.
        made_at: When, UTC.
        version: Of this project.
        left_out: (name, why) of skills that `everything` or a bound would have chosen, but that
            are not certified.
    """

    skills: tuple[Exported, ...]
    callees: tuple[Exported, ...]
    programs: Mapping[str, Program] = field(hash=False)
    made_at: datetime
    version: str
    left_out: tuple[tuple[str, str], ...] = ()

    def named(self, name: str) -> Exported:
        """The chosen skill of this name.

        Raises:
            ExportError: If it is not in this bundle.
        """
        for exported in self.skills:
            if exported.skill.name == name:
                return exported
        raise ExportError(f"no skill {name!r} is in this export")

    @property
    def file_names(self) -> dict[str, str]:
        """A name for each program, no two the same, by hash.

        A program is called after its function. Where two have one name (a caller keeps the
        version that it was certified with), the chosen skill's own keeps it, and the others get
        the first digits of their hashes behind theirs.
        """
        champions = {e.skill.name: e.skill.closure.root for e in self.skills}
        count: dict[str, int] = {}
        for program in self.programs.values():
            count[program.name] = count.get(program.name, 0) + 1
        return {
            key: p.name
            if count[p.name] == 1 or champions.get(p.name) == key
            else f"{p.name}_{short(key)}"
            for key, p in self.programs.items()
        }


def gather(
    library: Library,
    *,
    names: Sequence[str] | None = None,
    everything: bool = False,
    min_bound: float | None = None,
    allow_uncertified: bool = False,
    clock: Clock = utc_now,
) -> Bundle:
    """Choose skills and bring together all that leaves with them. Nothing is written.

    Exactly one of `names`, `everything` and `min_bound` chooses.

    Args:
        library: Where they are.
        names: These skills; retired ones only with `allow_uncertified`.
        everything: All that are certified; with `allow_uncertified` all but retired ones.
        min_bound: Those whose published bound is at least this, in [0, 1].
        allow_uncertified: Whether skills may leave whose certificate does not count here.
        clock: Source of the present moment.

    Returns:
        The bundle, with one skill at least.

    Raises:
        ExportError: If the choice makes no sense or comes out empty, or a named skill is not
            certified.
        UnknownSkill: If there is no such skill.
        VoyagerError: If a named skill cannot be read back.
        StorageError: If the library cannot be read.
    """
    chosen, left_out = _choose(library, names, everything, min_bound, allow_uncertified)
    if not chosen:
        raise ExportError(_nothing(min_bound, left_out))
    programs: dict[str, Program] = {}
    for skill in chosen:
        for key, program in _ordered(skill):
            programs.setdefault(key, program)
    place = {key: index for index, key in enumerate(programs)}
    roots = {skill.closure.root for skill in chosen}
    chosen.sort(key=lambda skill: place[skill.closure.root])
    called = [_standing(library, key) for key in programs if key not in roots]
    return Bundle(
        skills=tuple(_exported(library, skill) for skill in chosen),
        callees=tuple(_exported(library, skill) for skill in called),
        programs=programs,
        made_at=clock(),
        version=_version(),
        left_out=tuple(left_out),
    )


def _version() -> str:
    try:
        return metadata.version(_DISTRIBUTION)
    except metadata.PackageNotFoundError:  # a copy of the sources that was never installed
        return "unknown"


def effects(task: Task) -> tuple[str, ...]:
    """What a goal asks for, part by part: the part, and what its predicates mean."""
    return tuple(_meaning(part) for part in task.goal.conjuncts)


def _choose(
    library: Library,
    names: Sequence[str] | None,
    everything: bool,
    min_bound: float | None,
    allow_uncertified: bool,
) -> tuple[list[Skill], list[tuple[str, str]]]:
    if (bool(names), everything, min_bound is not None).count(True) != 1:
        raise ExportError(
            "say which skills leave, in one way: name them (--skill), all (--all), or those with "
            "a measured bound (--min-bound)"
        )
    if min_bound is not None and not 0.0 <= min_bound <= 1.0:
        raise ExportError(f"a bound is a share between 0 and 1, not {min_bound:g}")
    if names:
        chosen = [library.get(name) for name in dict.fromkeys(names)]
        for skill in chosen:
            why = uncertified(skill)
            if why is not None and not allow_uncertified:
                raise ExportError(
                    f"the skill {skill.name!r} is not certified here: {why}; prove it again "
                    f"(`voyager skills renew {skill.name}`), or export it all the same with "
                    "--allow-uncertified"
                )
        return chosen, []
    chosen, left_out = [], []
    for entry in library.entries():
        if entry.state is SkillState.RETIRED:
            continue
        if min_bound is not None and (entry.bound is None or entry.bound < min_bound):
            continue
        skill = library.get(entry.name)
        why = uncertified(skill)
        if why is None or allow_uncertified:
            chosen.append(skill)
        else:
            left_out.append((skill.name, why))
    return chosen, left_out


def _nothing(min_bound: float | None, left_out: list[tuple[str, str]]) -> str:
    if left_out:
        name, why = left_out[0]
        return (
            f"no certified skill is left to export: {name!r}, for example, is not certified "
            f"here: {why}; `voyager skills renew --all`, or --allow-uncertified"
        )
    if min_bound is None:
        return "this library has no skill to export; `voyager learn` fills it"
    return (
        f"no skill has a measured bound of {min_bound:g} or more; `voyager skills deepen NAME` "
        "measures one"
    )


def _ordered(skill: Skill) -> list[tuple[str, Program]]:
    """The programs of a closure by hash, callees before callers; a lock has no cycles."""
    programs = skill.closure.programs
    found: dict[str, Program] = {}

    def visit(key: str) -> None:
        if key not in found:
            for callee in programs[key].lock.values():
                visit(callee)
            found[key] = programs[key]

    visit(skill.closure.root)
    return list(found.items())


def _standing(library: Library, program: str) -> Skill:
    """The skill as the newest version with this program has it."""
    row = library.database.first(_NEWEST_VERSION, (program,))
    if row is None:
        raise ExportError(
            f"the program {short(program)} is called, but is no version of any skill; run "
            "`voyager doctor`"
        )
    return library.version(row["skill"], row["number"])


def _exported(library: Library, skill: Skill) -> Exported:
    champion = library.get(skill.name).closure.root == skill.closure.root
    return Exported(
        skill=skill,
        effects=effects(skill.task),
        certified=uncertified(skill) is None,
        failures=failures(skill),
        precondition=learned_from(library, skill.name).precondition if champion else None,
        handovers=library.handovers_of(skill.certificate),
        champion=champion,
    )


def _meaning(part: Form) -> str:
    """A part of a goal, and what its predicates mean in the words of their declarations."""
    meant: dict[str, None] = {}
    for piece in part.walk():
        if isinstance(piece, Atom):
            declared = piece.declared
            said = [
                f"{name} is {term}"
                for (name, _), term in zip(declared.arguments, piece.arguments, strict=True)
                if name != term
            ]
            said += [
                f"{threshold.name} is {number:g}"
                for threshold, number in zip(declared.thresholds, piece.thresholds, strict=True)
            ]
            about = f" ({', '.join(said)})" if said else ""
            meant.setdefault(f"{declared.doc}{about}")
    return f"{part.text}: {' '.join(meant)}" if meant else part.text
