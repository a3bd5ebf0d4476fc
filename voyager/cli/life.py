"""The life of a skill in words: what its episodes showed, its versions, who calls it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from voyager.cli import screen

if TYPE_CHECKING:
    from rich.console import Console

    from skill_store import Library, Skill, Use, Version
    from skill_store.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Life:
    """What a library knows about a skill beside its certificate.

    Attributes:
        versions: All its versions.
        dependents: Names of the skills that call its champion.
        use: Calls of its champion in certified episodes of others.
        evidence: What its recorded episodes showed.
        pinned: Whether only a person moves it.
    """

    versions: tuple[Version, ...]
    dependents: tuple[str, ...]
    use: Use
    evidence: Evidence
    pinned: bool

    @classmethod
    def of(cls, library: Library, skill: Skill) -> Life:
        """Read it.

        Raises:
            StorageError: If the library cannot be read.
        """
        from skill_store import Use
        from skill_store.evidence import learned_from

        root = skill.closure.root
        return cls(
            versions=library.versions(skill.name),
            dependents=library.dependents(root),
            use=library.uses().get(root, Use(0, 0)),
            evidence=learned_from(library, skill.name),
            pinned=skill.pinned,
        )

    def to_json(self) -> dict[str, Any]:
        """Fields of the skill's record."""
        return {
            "version": next(v.number for v in self.versions if v.champion),
            "pinned": self.pinned,
            "dependents": list(self.dependents),
            "uses": {"calls": self.use.calls, "kept": self.use.kept},
            "effects": list(self.evidence.effects),
            "precondition": self.evidence.precondition,
            "seen": {"episodes": self.evidence.of, "solved": self.evidence.solved},
            "versions": [
                {
                    "number": version.number,
                    "origin": version.origin.value,
                    "champion": version.champion,
                    "program": version.program,
                    "certificate": version.certificate,
                    "k": version.k,
                    "n": version.n,
                    "bound": version.bound,
                    "added_at": version.added_at.isoformat(),
                }
                for version in self.versions
            ],
        }


def life_facts(skill: Skill, life: Life) -> list[tuple[str, str]]:
    """The life of a skill as named sentences.

    Args:
        skill: The skill.
        life: What the library knows about it.

    Returns:
        (name, sentence) pairs for `screen.show_facts`.
    """
    use = life.use
    called = ", ".join(life.dependents) or "no skill"
    if use.calls:
        called += f" (kept its contract in {use.kept} of {use.calls} calls)"
    of = f"{skill.version} of {len(life.versions)}"
    return [
        ("version", f"{of}, pinned" if life.pinned else of),
        ("called by", called),
        ("effects", _effects(life.evidence)),
        ("holds when", _precondition(life.evidence)),
    ]


def show_versions(life: Life, out: Console) -> None:
    """Print a table of the versions, if there are several."""
    if len(life.versions) == 1:
        return
    made = screen.table("", "version", "origin", "certified", "bound", "program", title="Versions")
    for version in life.versions:
        screen.add_row(
            made,
            "*" if version.champion else "",
            version.number,
            version.origin.value,
            f"{version.k}/{version.n}",
            "-" if version.bound is None else f"{version.bound:.1%}",
            version.program[:12],
        )
    out.print(made)


def _effects(found: Evidence) -> str:
    if not found.of:
        return "no episodes are recorded"
    told = ", ".join(found.effects) or "none that is new in nearly all of them"
    return f"{told} (seen in {found.solved} solved episodes)"


def _precondition(found: Evidence) -> str:
    support = found.support
    if found.precondition is None or support is None:
        return f"no condition was seen in {found.of} episodes" if found.of else "not known"
    return (
        f"{found.precondition} (solved {support.solved} of {support.of} with it, "
        f"{support.solved_without} of {support.of_without} without, p = {support.p:.2g})"
    )
