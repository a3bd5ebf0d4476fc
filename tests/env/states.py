"""Hand-built world states, and random ones, for tests of everything that judges."""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import strategies as st

import env.bodies  # noqa: F401  (registers the kinds)
from env.state import ARM, GRIPPER, TABLE, BodyState, Contact, GripperState, State, Vec3

SIZES: dict[str, Vec3] = {
    "block": (0.04, 0.04, 0.04),
    "ball": (0.05, 0.05, 0.05),
    "bowl": (0.17, 0.17, 0.05),
    "tray": (0.20, 0.16, 0.025),
    "place": (0.06, 0.06, 0.0),
}
AWAY = GripperState((0.3, -0.3, 0.4), 0.0, 0.08, True)


def body(
    name: str,
    kind: str,
    position: Vec3,
    *,
    size: Vec3 | None = None,
    yaw: float = 0.0,
    roll: float = 0.0,
    velocity: Vec3 = (0.0, 0.0, 0.0),
    turning: Vec3 = (0.0, 0.0, 0.0),
) -> BodyState:
    """One body; turned about x by `roll`, or about z by `yaw`."""
    turn = (
        (math.sin(roll / 2), 0.0, 0.0, math.cos(roll / 2))
        if roll
        else (0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2))
    )
    return BodyState(name, kind, position, turn, velocity, turning, size or SIZES[kind], "red")


def world(
    *bodies: BodyState,
    gripper: GripperState = AWAY,
    contacts: tuple[Contact, ...] = (),
    start: dict[str, Vec3] | None = None,
    time: float = 0.0,
) -> State:
    """A state; contacts between two objects are listed under both, distances are rough."""
    touched: dict[str, tuple[Contact, ...]] = {}
    for contact in contacts:
        touched[contact.a] = (*touched.get(contact.a, ()), contact)
        if contact.b not in (GRIPPER, TABLE, ARM):
            back = Contact(contact.b, contact.a, contact.force, -contact.lift)
            touched[contact.b] = (*touched.get(contact.b, ()), back)
    return State(
        time=time,
        bodies={b.name: b for b in bodies},
        gripper=gripper,
        contacts=touched,
        distances={
            b.name: math.dist(b.position, gripper.position) - 0.05
            for b in bodies
            if b.kind != "place"
        },
        start=start or {b.name: b.position for b in bodies},
    )


def stacked(
    dx: float = 0.0, dy: float = 0.0, dz: float = 0.0, gripper: GripperState = AWAY
) -> State:
    """`upper` on `lower` on the table, displaced; it only rests on `lower` where it can."""
    upper = body("upper", "block", (0.5 + dx, dy, 0.06 + dz))
    lower = body("lower", "block", (0.5, 0.0, 0.02))
    contacts = [Contact("lower", TABLE, 1.4, 1.4)]
    if dz <= 0.0 and max(abs(dx), abs(dy)) < 0.04:
        contacts.append(Contact("upper", "lower", 0.7, 0.7))
    if gripper.holding == "upper":
        contacts.append(Contact("upper", GRIPPER, 80.0, 0.7))
    return world(upper, lower, gripper=gripper, contacts=tuple(contacts))


def later(state: State, **changes: object) -> State:
    """The same state with other fields."""
    return replace(state, **changes)  # type: ignore[arg-type]


OBJECTS = {"o1": "block", "o2": "block", "o3": "block", "o4": "ball", "o5": "bowl", "o6": "place"}
PARAMETERS = {"a": "block", "b": "block", "c": "ball", "d": "bowl", "e": "place"}
BINDING = {"a": "o1", "b": "o2", "c": "o4", "d": "o5", "e": "o6"}

_small = st.sampled_from([-0.2, -0.06, -0.05, -0.02, -0.01, 0.0, 0.01, 0.02, 0.05, 0.06, 0.2])
_length = st.one_of(_small, st.floats(-0.2, 0.2))
_force = st.sampled_from([0.0, 0.005, 0.01, 0.3, 0.7, 40.0])
_quaternion = st.one_of(
    st.just((0.0, 0.0, 0.0, 1.0)),
    st.tuples(*[st.floats(-1.0, 1.0)] * 4)
    .filter(lambda q: sum(v * v for v in q) > 0.01)
    .map(lambda q: tuple(v / math.sqrt(sum(u * u for u in q)) for v in q)),
)


@st.composite
def states(draw: st.DrawFn) -> State:
    """States with every object of `OBJECTS`, close together, in any contact."""
    bodies = []
    for name, kind in OBJECTS.items():
        position = (0.5 + draw(_length), draw(_length), abs(draw(_length)))
        moving = draw(st.booleans())
        still = (0.0, 0.0, 0.0)
        built = body(name, kind, position)
        bodies.append(
            replace(
                built,
                orientation=draw(_quaternion),
                velocity=(draw(_small), 0.0, 0.0) if moving else still,
                angular_velocity=(0.0, draw(_small), 0.0) if moving else still,
            )
        )
    names = [name for name, kind in OBJECTS.items() if kind != "place"]
    contacts = []
    for name in names:
        for other in draw(st.sets(st.sampled_from([*names, GRIPPER, TABLE, ARM]), max_size=2)):
            if other != name:
                force = draw(_force)
                contacts.append(
                    Contact(name, other, force, draw(st.sampled_from([-1, 0, 1])) * force)
                )
    holding = draw(st.sampled_from([None, None, "o1", "o2", "o4"]))
    gripper = GripperState(
        (0.5 + draw(_length), draw(_length), abs(draw(_length))),
        0.0,
        0.04,
        draw(st.booleans()),
        holding,
    )
    start = {name: (0.5 + draw(_length), draw(_length), 0.02) for name in OBJECTS}
    return world(*bodies, gripper=gripper, contacts=tuple(contacts), start=start)


def _atom_texts() -> list[str]:
    from env.goals import ground

    return [atom.text for atom in ground(PARAMETERS)]


_thresholds = st.sampled_from(["0.01", "0.05", "0.1", "0.2"])
_atoms = st.one_of(
    st.deferred(lambda: st.sampled_from(_atom_texts())),
    st.builds("lifted({}, {})".format, st.sampled_from("abc"), _thresholds),
    st.builds("near(a, {}, within={})".format, st.sampled_from("bcd"), _thresholds),
    st.builds("left_of({}, e, {})".format, st.sampled_from("abc"), _thresholds),
    st.builds("still({}, turning={})".format, st.sampled_from("abc"), _thresholds),
)
_bodies = st.sampled_from(
    [
        "lifted(it)",
        "near(it, a)",
        "on(it, b) or not held(it)",
        "inside(it, d)",
        "at(gripper, it, 0.1)",
    ]
)
_quantifiers = st.one_of(
    st.builds(
        'count("{}", {}) {} {}'.format,
        st.sampled_from(["block", "graspable"]),
        _bodies,
        st.sampled_from([">=", ">", "<=", "<", "==", "!="]),
        st.integers(1, 4),
    ),
    st.builds('{}("block", {})'.format, st.sampled_from(["every", "some"]), _bodies),
    st.just('every("ball", touching(it, c))'),
)


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("not ({})".format, inner),
        st.lists(inner, min_size=2, max_size=3).map(lambda m: "(" + " and ".join(m) + ")"),
        st.lists(inner, min_size=2, max_size=3).map(lambda m: "(" + " or ".join(m) + ")"),
    )


instant_goals = st.recursive(st.one_of(_atoms, _atoms, _quantifiers), _compound, max_leaves=6)
"""Expressions over `PARAMETERS` that are true or false at an instant."""

_temporals = st.one_of(
    st.builds("{}({})".format, st.sampled_from(["eventually", "always"]), instant_goals),
    st.builds("held_for({}, {})".format, instant_goals, st.sampled_from([0.01, 0.03, 0.05])),
    st.builds("then({}, {})".format, instant_goals, instant_goals),
    st.builds("then({}, then({}, {}))".format, _atoms, _atoms, _atoms),
)
goals = st.recursive(st.one_of(_atoms, _temporals), _compound, max_leaves=5)
"""Expressions over `PARAMETERS`, temporal ones among them."""
