"""The normal form of a goal, its canonical text, and implication between goals.

Normalising pushes `not` inwards (De Morgan; `not eventually` is `always not`), flattens `and` and
`or`, and drops repetitions: none of this changes a truth or a margin. The canonical text also
renames the parameters, by colour refinement with individualisation (the method of McKay's
"Practical graph isomorphism", 1981, in its simplest form), so that it depends neither on their
names nor on any order in which things were written. Equal goals are those with equal texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from env.errors import GoalError
from env.goal_forms import And, Atom, Form, Not, Or
from env.goal_operators import Always, Count, Eventually, Every, HeldFor, Then

_MARK = "*"
"""Stands for the parameter that is being described; no parameter can be called so."""


def normalise(form: Form, *, negate: bool = False) -> Form:
    """The normal form; a form is equivalent to it in truth and in margin.

    Args:
        form: As parsed.
        negate: Normalise the negation instead.
    """
    if isinstance(form, Not):
        return normalise(form.inner, negate=not negate)
    if isinstance(form, And | Or):
        members = [normalise(member, negate=negate) for member in form.members]
        return _join(isinstance(form, And) != negate, members)
    if isinstance(form, Eventually | Always):
        inner = normalise(form.parts()[0], negate=negate)
        return Eventually(inner) if isinstance(form, Eventually) != negate else Always(inner)
    plain: Form = form
    if isinstance(form, Atom) and form.declared.symmetric:
        first, second, *rest = form.arguments
        ordered = (min(first, second), max(first, second), *rest)
        plain = Atom(form.predicate, ordered, form.thresholds)
    elif isinstance(form, Count):
        plain = Count(form.kind, normalise(form.body), form.at_least)
    elif isinstance(form, Every):
        plain = Every(form.kind, normalise(form.body))
    elif isinstance(form, HeldFor):
        plain = HeldFor(normalise(form.inner), form.seconds)
    elif isinstance(form, Then):
        plain = Then(tuple(normalise(stage) for stage in form.stages))
    return Not(plain) if negate else plain


def _join(conjunction: bool, members: Iterable[Form]) -> Form:
    """One flat `and` or `or`, each member once, in the order given."""
    sort = And if conjunction else Or
    flat: dict[Form, None] = {}
    seen: set[str] = set()
    for member in members:
        for piece in member.members if isinstance(member, sort) else (member,):
            # Compared by sorted text, so that `a and b` and `b and a` inside are one.
            text = piece.write({}, full=True, tidy=True)
            if text not in seen:
                seen.add(text)
                flat[piece] = None
    return next(iter(flat)) if len(flat) == 1 else sort(tuple(flat))


def conjuncts(form: Form) -> tuple[Form, ...]:
    """The top-level conjuncts of a normal form."""
    return form.members if isinstance(form, And) else (form,)


def canonical(form: Form, parameters: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The canonical text of a goal and the canonical name of each parameter.

    Args:
        form: In normal form.
        parameters: Kind by parameter name.

    Returns:
        The text (kinds of the parameters, then the expression with sorted members and all
        thresholds) and the new names ``p0``, ``p1``... by parameter. Where parameters can be
        exchanged without changing the goal, one such choice is returned.
    """
    colours = _refine(form, {name: f"{kind}:" for name, kind in parameters.items()})
    _, order = _least(form, parameters, colours)
    renaming = {name: f"p{index}" for index, name in enumerate(order)}
    return _with_kinds(form, parameters, order), renaming


def _with_kinds(form: Form, parameters: Mapping[str, str], order: list[str]) -> str:
    names = {name: f"p{index}" for index, name in enumerate(order)}
    kinds = ", ".join(f"p{index}: {parameters[name]}" for index, name in enumerate(order))
    return f"{kinds} | {form.write(names, full=True, tidy=True)}"


def _refine(form: Form, colours: dict[str, str]) -> dict[str, str]:
    """Tell parameters apart by where they stand among the others, until nothing is gained.

    Colours begin with the kind, so they order parameters by kind first.
    """
    while True:
        described = {
            name: (colour, form.write({**colours, name: _MARK}, full=True, tidy=True))
            for name, colour in colours.items()
        }
        ranks = {key: rank for rank, key in enumerate(sorted(set(described.values())))}
        finer = {
            name: f"{colours[name].split(':')[0]}:{ranks[key]}" for name, key in described.items()
        }
        if len(ranks) == len(set(colours.values())):
            return finer
        colours = finer


def _least(
    form: Form, parameters: Mapping[str, str], colours: dict[str, str]
) -> tuple[str, list[str]]:
    """The smallest text over all orders that the colours allow, and its order."""
    cells: dict[str, list[str]] = {}
    for name in sorted(colours):
        cells.setdefault(colours[name], []).append(name)
    shared = [colour for colour in sorted(cells, key=_rank) if len(cells[colour]) > 1]
    if not shared:
        order = sorted(colours, key=lambda name: _rank(colours[name]))
        return _with_kinds(form, parameters, order), order
    colour = shared[0]
    best: tuple[str, list[str]] | None = None
    tried: list[str] = []
    for name in cells[colour]:
        # Twins (exchanging them changes nothing) lead to the same texts: one of them is enough.
        if any(_twins(form, name, other) for other in tried):
            continue
        tried.append(name)
        # The chosen one becomes its own cell, just before the rest of its cell.
        kind, rank = colour.split(":")
        split = {
            other: f"{other_colour.split(':')[0]}:{2 * int(other_colour.split(':')[1]) + 1}"
            for other, other_colour in colours.items()
        }
        split[name] = f"{kind}:{2 * int(rank)}"
        found = _least(form, parameters, _refine(form, split))
        if best is None or found[0] < best[0]:
            best = found
    if best is None:
        raise GoalError("the canonical form of a goal needs at least one order of its parameters")
    return best


def _rank(colour: str) -> int:
    return int(colour.split(":")[1])


def _twins(form: Form, first: str, second: str) -> bool:
    exchanged = form.write({first: second, second: first}, full=True, tidy=True)
    return exchanged == form.write({}, full=True, tidy=True)


def form_implies(mine: Form, wanted: Form, renaming: Mapping[str, str]) -> bool:
    """Whether `mine` being true guarantees `wanted`: sound, but "no" may be wrong.

    Args:
        mine: In normal form.
        wanted: In normal form.
        renaming: My parameter for each parameter of `wanted`.
    """
    available = conjuncts(mine)
    return all(
        any(_conjunct_implies(given, needed, renaming) for given in available)
        for needed in conjuncts(wanted)
    )


def _conjunct_implies(given: Form, needed: Form, renaming: Mapping[str, str]) -> bool:
    if _same(given, needed, renaming):
        return True
    if given.temporal or needed.temporal:
        # One instantaneous member of a mixed `or` is enough; else temporal parts must be equal.
        return (
            isinstance(needed, Or)
            and not given.temporal
            and any(
                _conjunct_implies(given, member, renaming)
                for member in needed.members
                if not member.temporal
            )
        )
    if isinstance(given, Or):
        return all(_conjunct_implies(member, needed, renaming) for member in given.members)
    if isinstance(needed, Or):
        return any(_conjunct_implies(given, member, renaming) for member in needed.members)
    if isinstance(needed, And):
        return all(_conjunct_implies(given, member, renaming) for member in needed.members)
    if isinstance(given, And):
        return any(_conjunct_implies(member, needed, renaming) for member in given.members)
    if isinstance(given, Not) and isinstance(needed, Not):
        return _positive_implies(needed.inner, given.inner, renaming, reverse=True)
    return _positive_implies(given, needed, renaming, reverse=False)


def _positive_implies(
    given: Form, needed: Form, renaming: Mapping[str, str], *, reverse: bool
) -> bool:
    """Implication of atoms and counts; `reverse`: the renaming maps terms of `given`."""
    if isinstance(given, Count) and isinstance(needed, Count):
        return (
            given.kind == needed.kind
            and given.at_least >= needed.at_least
            and (
                _same(needed.body, given.body, renaming)
                if reverse
                else _same(given.body, needed.body, renaming)
            )
        )
    if not isinstance(given, Atom) or not isinstance(needed, Atom):
        return False
    if given.predicate != needed.predicate:
        return False
    mine, wanted = (needed, given) if reverse else (given, needed)
    terms = tuple(renaming.get(term, term) for term in wanted.arguments)
    if given.declared.symmetric:
        same = {*mine.arguments[:2]} == {*terms[:2]} and mine.arguments[2:] == terms[2:]
    else:
        same = mine.arguments == terms
    return same and all(
        threshold.implies(has, needs)
        for threshold, has, needs in zip(
            given.declared.thresholds, given.thresholds, needed.thresholds, strict=True
        )
    )


def _same(given: Form, needed: Form, renaming: Mapping[str, str]) -> bool:
    return given.write({}, full=True, tidy=True) == needed.write(renaming, full=True, tidy=True)
