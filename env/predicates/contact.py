"""Conditions on contacts, graded by force and kept secondary to distances.

While an object travels, the gripper presses it with tens of newtons, so the plain value of
"must not touch the gripper" would drown how far there is still to go. Unmet conditions on forces
are therefore squeezed into a margin between -0.02 and 0: still graded, but distances of more
than 2 mm lead.
"""

from __future__ import annotations

from env.predicates.base import Condition, Fact
from env.state import GRIPPER, State

MIN_FORCE = 0.01
"""Force above which a contact counts, newton: the weight of one gram, far above solver noise."""
LENGTH_SCALE = 0.1
"""A margin of 1 is ten centimetres."""
_SQUEEZE = 0.02


def secondary(
    value: float, reference: float, unit: str, missing: str, facts: dict[str, Fact] | None = None
) -> Condition:
    """A condition whose margin stays above -0.02 when it is not met.

    Args:
        value: Signed raw value.
        reference: Value at which a met condition has margin 1, above 0.
        unit: Unit of both.
        missing: See `Condition`.
        facts: See `Condition`.
    """
    scale = reference if value > 0.0 else (reference - value) / _SQUEEZE
    return Condition(value, scale, unit, missing, facts)


def force_between(state: State, name: str, other: str) -> float:
    """Sum of the normal forces between an object and `other`, newton; 0 without contact."""
    return sum(c.force for c in state.contacts.get(name, ()) if c.b == other)


def lifts(state: State, name: str, carrier: str) -> tuple[float, float]:
    """Newtons by which `carrier` and all else but the gripper push an object up."""
    carried = others = 0.0
    for contact in state.contacts.get(name, ()):
        if contact.b == carrier:
            carried += contact.lift
        elif contact.b != GRIPPER and contact.lift > 0.0:
            others += contact.lift
    return carried, others


def free_of_gripper(state: State, name: str, argument: str) -> Condition:
    """The condition that the gripper does not touch an object.

    Args:
        state: The world.
        name: The object.
        argument: What the predicate calls it, for the sentence.
    """
    value = MIN_FORCE - force_between(state, name, GRIPPER)
    return secondary(value, MIN_FORCE, "N", f"{{{argument}}} still touches the gripper")
