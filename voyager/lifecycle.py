"""The life of a skill after its admission: moved by how it does, or by hand.

By itself a skill moves on evidence drawn after its admission only:

- fresh scenes (deepening) that rule out a success rate of at most 70 % make it *active*;
- fresh scenes that rule out a rate of 70 % or more *retire* it;
- calls by other skills that rule out that it keeps its contract in 70 % of them put it back on
  *probation*. They do not retire it: callers may call it where it never promised anything.

A pinned skill is moved by hand only. Stale ones are the business of `skill_store.staleness`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from env.certificate import Deepening
from env.errors import VoyagerError
from env.statistics import CONFIDENCE, LOOKS, NULL_RATE, wilson_lower
from skill_store.errors import StorageError
from skill_store.library import Library
from skill_store.skill import Skill, SkillState
from skill_store.staleness import mark_stale
from skill_store.versions import Use

USE_ERROR: Final = Fraction(1, 100)
"""Error of the bound on kept calls; small, because it is looked at after every change."""


class LifeError(VoyagerError):
    """A skill cannot be moved as asked."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the evidence puts a skill.

    Attributes:
        state: Its state.
        why: One sentence; empty when it stays where it is.
    """

    state: SkillState
    why: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """A skill that its outcomes move.

    Attributes:
        skill: Its name.
        before: Where it stands.
        after: Where it belongs.
        why: One sentence.
    """

    skill: str
    before: SkillState
    after: SkillState
    why: str


def standing(
    state: SkillState, pinned: bool, deepening: Deepening | None, use: Use | None
) -> Standing:
    """Where outcomes put a skill; a pure function of them.

    Args:
        state: Where it stands.
        pinned: Whether it is moved by hand only.
        deepening: The newest one of its champion's certificate.
        use: Calls of its champion by other skills.

    Returns:
        Where it belongs, and why if that is elsewhere.
    """
    if pinned or not state.callable:
        return Standing(state)
    rate = float(NULL_RATE)
    if deepening is not None and _refuted(deepening):
        return Standing(
            SkillState.RETIRED,
            f"only {deepening.solved} of {deepening.look} fresh scenes were solved, which rules "
            f"out a success rate of {rate:.0%}",
        )
    if use is not None and _upper(use.kept, use.calls, USE_ERROR) < rate:
        earned = Standing(
            SkillState.PROBATION,
            f"it kept its contract in only {use.kept} of {use.calls} calls by other skills",
        )
    elif deepening is not None and deepening.lower > rate:
        earned = Standing(
            SkillState.ACTIVE,
            f"{deepening.solved} of {deepening.look} fresh scenes were solved, which rules out a "
            f"success rate of at most {rate:.0%}",
        )
    elif deepening is not None:
        earned = Standing(
            SkillState.PROBATION,
            f"{deepening.solved} of {deepening.look} fresh scenes leave open whether it succeeds "
            f"more than {rate:.0%} of the time",
        )
    else:
        return Standing(state)
    return Standing(state) if earned.state is state else earned


def proposals(library: Library, names: Iterable[str] | None = None) -> tuple[Move, ...]:
    """Which skills their outcomes would move; nothing is written.

    Args:
        library: What has been learned.
        names: Skills to look at; all of them when None.

    Returns:
        The moves, in the order of age.

    Raises:
        StorageError: If the library cannot be read.
    """
    wanted = None if names is None else set(names)
    uses = library.uses()
    found = []
    for entry in library.entries():
        if entry.pinned or not entry.state.callable:
            continue
        if wanted is not None and entry.name not in wanted:
            continue
        use = uses.get(entry.program)
        deepening = None
        if entry.bound is not None:
            try:
                deepening = library.get(entry.name).deepening
            except StorageError:
                raise
            except VoyagerError:
                continue  # it cannot be read back here, which is nothing that it did
        stands = standing(entry.state, entry.pinned, deepening, use)
        if stands.state is not entry.state:
            found.append(Move(entry.name, entry.state, stands.state, stands.why))
    return tuple(found)


def settle(library: Library, names: Iterable[str] | None = None) -> tuple[Move, ...]:
    """Move skills to where their outcomes put them.

    Args:
        library: Is written to.
        names: Skills to look at; all of them when None.

    Returns:
        The moves that were made.

    Raises:
        StorageError: If the library cannot be read or written.
    """
    moves = proposals(library, names)
    for move in moves:
        library.set_state(move.skill, move.after)
    return moves


def retire(library: Library, name: str) -> Skill:
    """Offer a skill no longer. Programs that call it keep it in their locks and keep working.

    Args:
        library: Is written to, pinned or not: a person asks.
        name: The skill.

    Returns:
        The skill as it is now.

    Raises:
        UnknownSkill: If there is no such skill.
        LifeError: If it is retired already.
        StorageError: If the library cannot be read or written.
    """
    if library.get(name).state is SkillState.RETIRED:
        raise LifeError(f"{name!r} is retired already; `voyager skills restore {name}` undoes it")
    library.set_state(name, SkillState.RETIRED)
    return library.get(name)


def restore(library: Library, name: str, version: int | None = None) -> Skill:
    """Bring a retired skill back, or let another of its versions stand for it.

    Its state is what that version has earned, or stale where its certificate says nothing about
    this judge, robot and engine. Programs that call the skill keep the version in their locks.

    Args:
        library: Is written to, pinned or not: a person asks.
        name: The skill.
        version: Number of the version; the one that stands for it when None.

    Returns:
        The skill as it is now.

    Raises:
        UnknownSkill: If there is no such skill, or no such version.
        LifeError: If nothing would change.
        StorageError: If the library cannot be read or written.
    """
    skill = library.get(name)
    number = skill.version if version is None else version
    if number == skill.version and skill.state is not SkillState.RETIRED:
        others = [str(v.number) for v in library.versions(name) if v.number != number]
        told = f"its other versions are {', '.join(others)}" if others else "it has no other one"
        raise LifeError(
            f"{name!r} is not retired, and version {number} stands for it already; {told}"
        )
    library.crown(name, number)
    mark_stale(library)
    return library.get(name)


def _refuted(deepening: Deepening) -> bool:
    # The same share of the error as `look_bound` has, so that all looks hold together.
    error = (1 - CONFIDENCE) / len(LOOKS)
    return _upper(deepening.solved, deepening.look, error) < float(NULL_RATE)


def _upper(k: int, n: int, error: Fraction) -> float:
    """Upper end of Wilson's interval: what is left of 1 by the lower one of the failures."""
    return 1.0 - wilson_lower(n - k, n, error)
