"""Goals just past what is certified: one atom more than a contract, or one atom from nothing.

Which atom, on which objects, and of which kinds: from the predicates' declarations, from the
contracts at hand and from what came true by accident, never from a list of tasks.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from curriculum.narrowing import Narrower, Narrowing
from curriculum.situation import Contract
from curriculum.wording import parameter_name, sentence
from env.errors import GoalError, TaskError
from env.goal_forms import Atom
from env.goals import Goal
from env.kinds import all_kinds, concrete_kinds, get_kind, is_a
from env.predicates.base import Predicate, all_predicates
from env.state import GRIPPER
from env.task import Task

MOST_ATOMS: Final = 4
MOST_PARAMETERS: Final = 4
_TAKEN: Final = "graspable"
_NOTHING: Final[Mapping[str, tuple[int, int]]] = {}
_NOWHERE: Final[Mapping[str, Narrowing]] = {}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A goal that could be tried next.

    Attributes:
        task: The goal with its parameters.
        base: Name of the skill whose contract it extends; None when it begins from nothing.
        kept: The contract's atoms.
        added: The atom that is new.
        promised: Whether some contract promises the new atom on objects of these kinds.
        akin: Whether some contract promises it on objects of any kinds.
        fresh: The combinations of concrete kinds that the new atom covers and on which no contract
            promises it, as instances.
        narrowed: How a program that failed now and then on more kinds of objects did on these; None
            where nothing was tried.
    """

    task: Task
    base: str | None
    kept: tuple[Atom, ...]
    added: Atom
    promised: bool
    akin: bool = False
    fresh: tuple[str, ...] = ()
    narrowed: Narrower | None = None

    @property
    def wider(self) -> bool:
        """Whether it asks for one atom on more or other kinds than it is promised on."""
        return self.base is None and self.akin and not self.promised

    @property
    def composed(self) -> bool:
        """Whether contracts promise all of it, piece by piece."""
        return self.base is not None and self.promised

    @property
    def at_hand(self) -> bool:
        """Whether contracts promise each piece of it, on these kinds of objects or on others."""
        return self.composed or self.wider

    def transfer(self, tried: Mapping[str, tuple[int, int]]) -> float | None:
        """How well programs that are known for other kinds did on those that are new here.

        Args:
            tried: Scenes solved and scenes tried, by `sightings.instance`.

        Returns:
            The least share over the combinations of kinds; None if one was not tried.
        """
        if not self.fresh or any(text not in tried for text in self.fresh):
            return None
        return min(solved / of for solved, of in map(tried.__getitem__, self.fresh))

    @property
    def new_objects(self) -> int:
        """How many objects the new atom brings in."""
        known = {term for atom in self.kept for term in atom.arguments}
        return len({*self.added.arguments} - known - {GRIPPER})

    @property
    def signature(self) -> tuple[str, ...]:
        """The kinds that the new atom is about, "gripper" for the gripper."""
        return tuple(self.task.kinds.get(term, term) for term in self.added.arguments)

    def accidents(self, seen: Mapping[str, int]) -> int:
        """How often the new atom came true by accident on objects of its kinds.

        Args:
            seen: Accidents by `sightings.instance`.
        """
        return sum(
            times for kinds, times in self._instances(seen).items() if covers(self.signature, kinds)
        )

    def evidence(self, seen: Mapping[str, int]) -> float:
        """How well accidents speak for the new atom on all kinds of objects that it covers.

        Args:
            seen: Accidents by `sightings.instance`.

        Returns:
            From 0 (on some combination of concrete kinds that was at hand it never came true) to
            1 (on all of them as often as where it came true most); 0 if it never came true.
        """
        times = self._instances(seen)
        covered = [count for kinds, count in times.items() if covers(self.signature, kinds)]
        most = max(times.values(), default=0)
        return min(covered) / most if covered and most else 0.0

    def _instances(self, seen: Mapping[str, int]) -> dict[tuple[str, ...], int]:
        found = {_kinds_in(text, self.added.predicate): times for text, times in seen.items()}
        return {kinds: times for kinds, times in found.items() if kinds is not None}


def candidates(
    contracts: Sequence[Contract],
    seen: Mapping[str, int],
    failed: Collection[str] = (),
    tried: Mapping[str, tuple[int, int]] = _NOTHING,
    narrowings: Mapping[str, Narrowing] = _NOWHERE,
) -> Iterator[Candidate]:
    """All goals on the frontier, each once, in a fixed order.

    Args:
        contracts: Of callable skills.
        seen: Accidents by `sightings.instance`.
        failed: Goals of one atom that were tried in vain, by `sightings.instance`; they are
            offered with one kind made concrete.
        tried: How known programs did on other kinds, see `Candidate.transfer`.
        narrowings: With which kinds of objects programs went well that failed now and then, by
            task hash.

    Yields:
        Goals of one atom, and contracts (conjunctions of atoms) with one atom more; after one that
        went well on fewer kinds of objects, the same about those.
    """
    found: dict[str, Candidate] = {}
    signatures = promised_kinds(contracts)
    worked = [text for text, (solved, of) in sorted(tried.items()) if 2 * solved > of]
    bases: list[tuple[str | None, Task | None]] = [(None, None)]
    bases += [(contract.name, contract.task) for contract in contracts]
    for name, task in bases:
        for wide in _extend(name, task, signatures, seen, failed, worked):
            for candidate in _narrowing(wide, signatures, narrowings):
                before = found.setdefault(candidate.task.goal.canonical, candidate)
                if candidate.narrowed is not None and before.narrowed is None:
                    found[before.task.goal.canonical] = candidate  # of this one more is known
    yield from found.values()


def _narrowing(
    candidate: Candidate,
    signatures: Mapping[str, tuple[tuple[str, ...], ...]],
    narrowings: Mapping[str, Narrowing],
) -> Iterator[Candidate]:
    """A candidate, then the same on the kinds where it went well, and so on."""
    yield candidate
    found = narrowings.get(candidate.task.hash)
    kinds = None if found is None else found.kinds_for(candidate.task)
    if found is None or kinds is None:
        return
    if (task := _made(candidate.task.goal.text, tuple(kinds.items()))) is None:
        return
    less = replace(candidate, task=task, narrowed=found.found)
    fresh = _unpromised(less.added.predicate, less.signature, _offered(less, signatures))
    yield from _narrowing(replace(less, fresh=fresh), signatures, narrowings)


def _offered(
    candidate: Candidate, signatures: Mapping[str, tuple[tuple[str, ...], ...]]
) -> list[tuple[str, ...]]:
    """The kinds on which its new atom is promised, as far as they say where the gripper stands."""
    return [
        promise
        for promise in signatures.get(candidate.added.predicate, ())
        if _slots(promise) == _slots(candidate.signature)
    ]


def promised_kinds(contracts: Iterable[Contract]) -> dict[str, tuple[tuple[str, ...], ...]]:
    """The kinds on which each predicate is promised, most general first, without repetition."""
    found: dict[str, dict[tuple[str, ...], None]] = {}
    for contract in contracts:
        kinds = contract.task.kinds
        for part in contract.goal.conjuncts:
            if isinstance(part, Atom):
                signature = tuple(kinds.get(term, term) for term in part.arguments)
                found.setdefault(part.predicate, {})[signature] = None
    return {predicate: tuple(sorted(s, key=_narrowness)) for predicate, s in found.items()}


def _narrowness(signature: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    return -sum(_breadth(kind) for kind in signature), signature


def _breadth(kind: str) -> int:
    return 0 if kind == GRIPPER else sum(is_a(other.name, kind) for other in all_kinds())


def breadth(signature: Iterable[str]) -> int:
    """How many combinations of concrete kinds a signature covers."""
    return math.prod(len(concrete_kinds(kind)) for kind in signature if kind != GRIPPER)


def covers(signature: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether a promise about kinds holds for other, narrower kinds."""
    return all(
        mine == theirs if GRIPPER in (mine, theirs) else is_a(theirs, mine)
        for mine, theirs in zip(signature, wanted, strict=True)
    )


def _slots(signature: Iterable[str]) -> tuple[bool, ...]:
    """In which places the gripper stands."""
    return tuple(kind == GRIPPER for kind in signature)


def _unpromised(
    predicate: str, signature: Sequence[str], promises: Sequence[Sequence[str]]
) -> tuple[str, ...]:
    """The concrete kinds under a signature that no promise covers, as instances."""
    return tuple(
        f"{predicate}({', '.join(kinds)})"
        for kinds in _concrete(signature)
        if not any(covers(promise, kinds) for promise in promises)
    )


def _concrete(signature: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Every combination of concrete kinds that a signature covers."""
    slots = [
        [GRIPPER] if kind == GRIPPER else [concrete.name for concrete in concrete_kinds(kind)]
        for kind in signature
    ]
    return itertools.product(*slots)


def _sole_atom(task: Task) -> tuple[Atom, tuple[str, ...]] | None:
    """The atom that is all of a task's goal, and the kinds of its terms; None if it is not one."""
    parts = task.goal.conjuncts
    if len(parts) != 1 or not isinstance(parts[0], Atom):
        return None
    return parts[0], tuple(task.kinds.get(term, term) for term in parts[0].arguments)


def _asked_for(atom: Atom, kinds: Sequence[str]) -> tuple[str, dict[str, str]]:
    """An instance of an atom, and the kinds of its parameters."""
    terms = zip(atom.arguments, kinds, strict=True)
    bound = {term: kind for term, kind in terms if term != GRIPPER}
    return f"{atom.predicate}({', '.join(kinds)})", bound


def within(task: Task) -> Iterator[tuple[str, dict[str, str]]]:
    """The concrete kinds of objects that a goal of one atom covers, where it covers several.

    Args:
        task: A task.

    Yields:
        An instance of the atom, and kinds by the task's parameters; nothing if the goal has more
        than one atom.
    """
    if (sole := _sole_atom(task)) is None:
        return
    atom, own = sole
    if breadth(own) > 1:
        for kinds in _concrete(own):
            yield _asked_for(atom, kinds)


def elsewhere(task: Task) -> Iterator[tuple[str, dict[str, str]]]:
    """Other concrete kinds of objects that a goal of one atom could be asked for.

    Args:
        task: A task.

    Yields:
        An instance of the atom, and kinds by the task's parameters; nothing if the goal has more
        than one atom.
    """
    if (sole := _sole_atom(task)) is None:
        return
    atom, own = sole
    known: set[tuple[str, ...]] = set()
    for signature in declared_kinds(atom.declared):
        if _slots(signature) != _slots(own):
            continue
        for kinds in _concrete(signature):
            if kinds not in known and not covers(own, kinds):
                known.add(kinds)
                yield _asked_for(atom, kinds)


def generalised(signatures: Iterable[Sequence[str]]) -> tuple[str, ...] | None:
    """The least general kinds that cover all given ones, slot by slot; None if there are none.

    The least general generalisation of Plotkin (1970), on the lattice of kinds.
    """
    slots: list[tuple[str, ...]] = list(zip(*signatures, strict=True))
    found = []
    for slot in slots:
        if GRIPPER in slot:
            if set(slot) != {GRIPPER}:
                return None
            found.append(GRIPPER)
            continue
        above = [k.name for k in all_kinds() if all(is_a(kind, k.name) for kind in slot)]
        if not above:
            return None
        found.append(min(above, key=lambda name: (_breadth(name), name)))
    return tuple(found)


def _extend(
    name: str | None,
    task: Task | None,
    signatures: Mapping[str, tuple[tuple[str, ...], ...]],
    seen: Mapping[str, int],
    failed: Collection[str],
    worked: Collection[str],
) -> Iterator[Candidate]:
    parts = () if task is None else task.goal.conjuncts
    kept = tuple(part for part in parts if isinstance(part, Atom))
    if len(kept) < len(parts) or len(kept) >= MOST_ATOMS:
        return
    own = {} if task is None else task.kinds
    for declared in all_predicates():
        for terms, kinds in _arguments(declared, own, signatures, seen, failed, worked):
            atom = Atom(declared.name, terms, declared.defaults)
            new = _task(task, kinds, atom)
            if new is None or atom in kept:
                continue
            alone = Candidate(new, name, kept, atom, promised=False)
            offered = _offered(alone, signatures)
            yield replace(
                alone,
                promised=any(covers(promise, alone.signature) for promise in offered),
                akin=bool(offered),
                fresh=_unpromised(declared.name, alone.signature, offered),
            )


def _arguments(
    declared: Predicate,
    own: Mapping[str, str],
    signatures: Mapping[str, tuple[tuple[str, ...], ...]],
    seen: Mapping[str, int],
    failed: Collection[str],
    worked: Collection[str],
) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    """Terms for an atom and the parameters that the task has with it.

    A contract gets at most one new object; from nothing, all are new.
    """
    most_new = 1 if own else len(declared.arguments)
    for signature in _signatures(declared, signatures, seen, failed, worked):
        options = [
            [GRIPPER]
            if kind == GRIPPER
            else [*(term for term, has in own.items() if is_a(has, kind)), None]
            for kind in signature
        ]
        for chosen in itertools.product(*options):
            new = sum(term is None for term in chosen)
            named = [term for term in chosen if term is not None]
            if new > most_new or len(set(named)) < len(named):
                continue
            kinds = dict(own)
            terms = []
            for term, kind in zip(chosen, signature, strict=True):
                spoken = parameter_name(kind, kinds) if term is None else term
                if term is None:
                    kinds[spoken] = kind
                terms.append(spoken)
            if len(kinds) <= MOST_PARAMETERS:
                yield tuple(terms), kinds


def _signatures(
    declared: Predicate,
    signatures: Mapping[str, tuple[tuple[str, ...], ...]],
    seen: Mapping[str, int],
    failed: Collection[str],
    worked: Collection[str],
) -> tuple[tuple[str, ...], ...]:
    """Kinds on which a predicate is worth asking for, in order, without repetition.

    What contracts promise, so that they can be put together; where their programs worked
    besides, and all of that generalised; one step past it; what came true by accident, as it was
    and generalised; what the declaration allows.
    """
    promises = signatures.get(declared.name, ())
    allowed = tuple(declared_kinds(declared))
    found: dict[tuple[str, ...], None] = dict.fromkeys(promises)

    def widen(wider: Iterable[tuple[str, ...] | None]) -> None:
        """Add what goes past experience, as far as the declaration lets it."""
        for wide in wider:
            if wide is not None and any(
                _slots(wide) == _slots(most) and covers(most, wide) for most in allowed
            ):
                found[wide] = None

    others = [kinds for text in worked if (kinds := _kinds_in(text, declared.name)) is not None]
    for promise in promises:
        alike = [promise, *(kinds for kinds in others if _slots(kinds) == _slots(promise))]
        widen((generalised(alike), *_widened(promise)))
    if not promises:
        for slots in sorted({_slots(kinds) for kinds in others}):
            widen((generalised(kinds for kinds in others if _slots(kinds) == slots),))
    found.update(dict.fromkeys(others))
    for accidents in _accidents(declared.name, seen):
        widen((generalised(accidents),))
        found.update(dict.fromkeys(accidents))
    for text in sorted(failed):
        found.update(dict.fromkeys(_narrowed(_kinds_in(text, declared.name) or ())))
    found.update(dict.fromkeys(allowed))
    return tuple(found)


def _narrowed(signature: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every way to make one of the kinds concrete."""
    for slot, kind in enumerate(signature):
        for concrete in () if kind == GRIPPER else concrete_kinds(kind):
            if concrete.name != kind:
                yield (*signature[:slot], concrete.name, *signature[slot + 1 :])


def _widened(signature: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every way to make one of the kinds one step more general."""
    for slot, kind in enumerate(signature):
        for parent in () if kind == GRIPPER else get_kind(kind).parents:
            yield (*signature[:slot], parent, *signature[slot + 1 :])


def _accidents(predicate: str, seen: Mapping[str, int]) -> Iterator[list[tuple[str, ...]]]:
    """The kinds on which a predicate came true, those with the gripper apart."""
    groups: dict[tuple[bool, ...], list[tuple[str, ...]]] = {}
    for text in sorted(text for text, times in seen.items() if times):
        if kinds := _kinds_in(text, predicate):
            groups.setdefault(_slots(kinds), []).append(kinds)
    yield from groups.values()


def _kinds_in(text: str, predicate: str) -> tuple[str, ...] | None:
    """The kinds in an `instance` of a predicate; None if it is one of another."""
    name, _, rest = text.partition("(")
    if name != predicate:
        return None
    return tuple(rest.rstrip(")").split(", ")) if rest != ")" else ()


def declared_kinds(declared: Predicate) -> Iterator[tuple[str, ...]]:
    """Each way to read a predicate's declaration; what must be carried is taken to be graspable.

    That is what the gripper has to meet; and where two objects have to meet, and the gripper
    neither of them, the first.
    """
    met = {other for one, other in declared.meets if one == GRIPPER}
    met |= {one for one, other in declared.meets if one != GRIPPER and not met & {one, other}}
    options = [
        [_carried(kind) if argument in met else kind for kind in kinds.split("|")]
        for argument, kinds in declared.arguments
    ]
    yield from itertools.product(*options)


def _carried(kind: str) -> str:
    return _TAKEN if kind != GRIPPER and is_a(_TAKEN, kind) else kind


def _task(base: Task | None, kinds: Mapping[str, str], atom: Atom) -> Task | None:
    """The task with one atom more, or None if it cannot be asked for."""
    text = atom.text if base is None else f"{base.goal.text} and {atom.text}"
    return _made(text, tuple(kinds.items()))


@lru_cache(maxsize=20_000)
def _made(text: str, parameters: tuple[tuple[str, str], ...]) -> Task | None:
    try:
        goal = Goal.parse(text, dict(parameters))
        return Task.make(text, dict(parameters), instruction=sentence(goal))
    except (GoalError, TaskError):
        return None
