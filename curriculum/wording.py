"""Names and sentences for tasks that nobody has worded."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Collection

from env.goals import Atom, Goal
from env.state import GRIPPER


def parameter_name(kind: str, taken: Collection[str]) -> str:
    """A name for a parameter of a kind: the kind's own, with a number from the second on.

    Args:
        kind: The kind.
        taken: Names that are used already.
    """
    usable = not keyword.iskeyword(kind) and not hasattr(builtins, kind)
    base = kind if usable else f"some_{kind}"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    return name


def sentence(goal: Goal) -> str:
    """What a conjunction of atoms asks for, from the verbs that its predicates declare.

    A verb is split around its first object: ``put_on(a, b)`` reads "put a on b".
    """
    parts = [_clause(atom) for atom in goal.conjuncts if isinstance(atom, Atom)]
    text = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
    return text[:1].upper() + text[1:]


def _clause(atom: Atom) -> str:
    verb, *rest = atom.declared.verb.split("_")
    objects = [term for term in atom.arguments if term != GRIPPER]
    return " ".join([verb, *objects[:1], *rest, *objects[1:]])
