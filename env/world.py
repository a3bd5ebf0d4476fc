"""World: one scene in one physics client, with a clock; wires robot and scene, little else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from env.bullet import HZ, Bullet, Touch, quaternion, rotation
from env.errors import Blocked, SimulatorError
from env.kinds import Part
from env.robots import Motion, Robot, make_robot
from env.scene import COLOURS, PlacedBody, Scene
from env.state import FLOOR, GRIPPER, TABLE, BodyState, Contact, State, Vec3

SAMPLE_EVERY: Final = 4
"""Physics steps between samples of the trace: 60 Hz."""
_FIXTURES: Final = (
    (FLOOR, Part("box", (6.0, 6.0, 0.2)), (0.0, 0.0, -0.8), 1.0, (0.86, 0.87, 0.88, 1.0)),
    (TABLE, Part("box", (1.15, 1.30, 0.05)), (0.325, 0.0, -0.025), 0.8, (0.80, 0.72, 0.60, 1.0)),
)
_BEGIN: Final = 60
"""Steps of rest after building, in which contacts form; the clock starts after them."""
_REACH: Final = 0.25
_BLOCKED: Final = 0.012
_STRAY: Final = 0.30
"""Radians by which a joint may trail its target before a motion counts as blocked."""
_ARRIVED: Final = 0.002
_AT_REST: Final = 0.02
"""Radians, and radians per second, under which a motion has arrived."""
_SETTLE: Final = 72
_LOST: Final = 50.0


@dataclass(frozen=True, slots=True)
class _Snapshot:
    handle: int
    steps: int
    memory: object


class World:
    """One scene in one physics client.

    Life: `reset` builds a scene (and must come first); actions advance it (`env.actions`);
    `observe` reads it. A reset world is bitwise the same in any process of the same platform.
    """

    def __init__(self, *, gui: bool = False, visuals: bool = False) -> None:
        """Open a physics client.

        Args:
            gui: Show PyBullet's window.
            visuals: Load what can be seen, for `env.render`.

        Raises:
            SimulatorError: If the client cannot be opened.
        """
        self.bullet = Bullet(gui=gui, visuals=visuals)
        self.scene: Scene | None = None
        self._robot: Robot | None = None
        self.steps = 0
        self.total_steps = 0
        self._needs: frozenset[str] | None = None
        self.trace: list[State] = []
        self._start: dict[str, Vec3] = {}
        self._snapshots: dict[int, _Snapshot] = {}

    def __enter__(self) -> World:
        """Use as a context manager that closes the client."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the client."""
        self.close()

    def close(self) -> None:
        """Close the physics client."""
        self.bullet.close()

    @property
    def robot(self) -> Robot:
        """The robot of the scene.

        Raises:
            SimulatorError: Before the first `reset`.
        """
        if self._robot is None:
            raise SimulatorError("the world is empty; call reset first")
        return self._robot

    @property
    def time(self) -> float:
        """Simulated seconds since the scene began."""
        return self.steps / HZ

    def reset(self, scene: Scene) -> State:
        """Build a scene from nothing.

        Args:
            scene: What to build, see `env.scene.sample`.

        Returns:
            The state at time 0, after a quarter of a second of rest.

        Raises:
            SceneError: If the robot cannot stand at the scene's start.
            SimulatorError: If the engine refuses a body.
        """
        for handle in self._snapshots:
            self.bullet.drop(handle)
        self._snapshots.clear()
        self.bullet.reset()
        self.scene = scene
        for name, part, position, friction, rgba in _FIXTURES:
            self.bullet.add_parts(
                name,
                [part],
                mass=0.0,
                friction=friction,
                rolling_friction=0.0,
                position=position,
                orientation=(0.0, 0.0, 0.0, 1.0),
                rgba=rgba,
            )
        robot = make_robot(scene.robot)
        robot.load(self.bullet)
        self._robot = robot
        for body in scene.bodies:
            rgba = (*COLOURS[body.spec.colour], 1.0)
            if not body.spec.parts:
                self.bullet.add_marker(body.name, body.spec.size, body.position, rgba)
                continue
            self.bullet.add_parts(
                body.name,
                body.spec.parts,
                mass=body.spec.mass,
                friction=body.spec.friction,
                rolling_friction=body.spec.rolling_friction,
                position=body.position,
                orientation=quaternion(0.0, 0.0, body.yaw),
                rgba=rgba,
            )
        robot.reset(scene.start)
        self._needs = None
        self.trace = []
        self._start = {}
        for _ in range(_BEGIN):
            self.bullet.step()
        self.total_steps += _BEGIN
        return self.begin()

    def begin(self) -> State:
        """Start the clock here: time 0, and `moved` is measured from now on.

        Returns:
            The state at time 0.
        """
        self.steps = 0
        self.trace = []
        self._start = {}
        state = self.observe()
        self._start = {name: body.position for name, body in state.bodies.items()}
        return self.observe()

    # -- time -------------------------------------------------------------------------------

    def tick(self) -> None:
        """Advance the physics by one step; sample the trace when it is being recorded."""
        self.bullet.step()
        self.steps += 1
        self.total_steps += 1
        if self._needs is not None and self.steps % SAMPLE_EVERY == 0:
            self.trace.append(self.observe(self._needs))

    def record(self, needs: frozenset[str] | None) -> None:
        """Sample the trace at 60 Hz from now on, or stop with None.

        Args:
            needs: What the states must hold beyond poses and contacts (`Predicate.needs`).
        """
        self._needs = needs

    def settle(self, seconds: float, needs: frozenset[str] = frozenset()) -> list[State]:
        """Hold the motor targets for a while.

        Args:
            seconds: Simulated.
            needs: As in `record`.

        Returns:
            The states at 60 Hz.
        """
        kept, begin = self._needs, len(self.trace)
        self.record(needs if kept is None else kept | needs)
        for _ in range(round(seconds * HZ)):
            self.tick()
        self.record(kept)
        window = self.trace[begin:]
        if kept is None:
            del self.trace[begin:]
        return window

    # -- acting -----------------------------------------------------------------------------

    def follow(self, motion: Motion) -> None:
        """Let the robot carry out a motion.

        Args:
            motion: From `Robot.plan`.

        Raises:
            Blocked: If it stops more than 12 mm short, with what it touches; the robot then
                holds where it is and no longer pushes.
        """
        robot = self.robot
        for row in motion.targets:
            robot.command(row)
            self.tick()
            if self.steps % 8 == 0 and robot.tracking()[0] > _STRAY:
                break
        else:
            for _ in range(_SETTLE):
                lag, speed = robot.tracking()
                if lag < _ARRIVED and speed < _AT_REST:
                    break
                self.tick()
        left = math.dist(robot.gripper(()).position, motion.goal)
        if left > _BLOCKED:
            robot.hold()
            by = sorted(self._obstacles())
            what = ", ".join(by) if by else "nothing in contact any more"
            raise Blocked(f"stopped {left:.3f} m short, against {what}", by=by, short_by=left)

    def _obstacles(self) -> set[str]:
        """What the robot touches, and what the thing it holds touches."""
        state = self.observe()
        held = state.gripper.holding
        mine = {t for t in self.bullet.touches() if self.robot.name in (t.a, t.b)}
        names = {t.b if t.a == self.robot.name else t.a for t in mine} - {held}
        if held is not None:
            names |= state.touching(held) - {GRIPPER}
        return names

    def grip(self, *, opening: bool, force: float) -> float:
        """Open or close the gripper and wait until the fingers rest.

        Returns:
            The opening that is left, metres.
        """
        robot = self.robot
        robot.grip(opening=opening, force=force)
        still = 0
        for _ in range(HZ):
            self.tick()
            still = still + 1 if robot.gripping_speed() < 0.002 else 0
            if still >= 12:
                break
        return robot.gripper(()).width

    # -- reading ----------------------------------------------------------------------------

    def observe(self, needs: frozenset[str] = frozenset()) -> State:
        """The world as it is now.

        Args:
            needs: ``{"distances"}`` to measure the gripper's distance to every object.

        Returns:
            The state.

        Raises:
            SimulatorError: If a number is not finite (the engine has blown up).
        """
        if self.scene is None:
            raise SimulatorError("the world is empty; call reset first")
        touches = self.bullet.touches()
        bodies = {placed.name: self._body(placed) for placed in self.scene.bodies}
        distances = {}
        if "distances" in needs:
            links = self.robot.gripper_links()
            for placed in self.scene.bodies:
                if placed.spec.parts:
                    distances[placed.name] = self.bullet.distance(
                        self.robot.name, links, placed.name, _REACH
                    )
        return State(
            time=self.time,
            bodies=bodies,
            gripper=self.robot.gripper(touches),
            contacts=self._contacts(touches, bodies),
            distances=distances,
            start=self._start,
        )

    def body(self, name: str) -> BodyState | None:
        """One object as it is now, or None if the scene has none of that name."""
        for placed in self.scene.bodies if self.scene is not None else ():
            if placed.name == name:
                return self._body(placed)
        return None

    def _body(self, placed: PlacedBody) -> BodyState:
        spec = placed.spec
        position, orientation = placed.position, quaternion(0.0, 0.0, placed.yaw)
        linear = angular = (0.0, 0.0, 0.0)
        if spec.parts:
            position, orientation = self.bullet.pose(placed.name)
            linear, angular = self.bullet.velocity(placed.name)
            if not math.isfinite(sum(position) + sum(linear) + sum(angular)):
                raise SimulatorError(f"the state of {placed.name!r} is not finite")
        return BodyState(
            placed.name,
            spec.kind,
            position,
            orientation,
            linear,
            angular,
            spec.size,
            spec.colour,
        )

    def _contacts(
        self, touches: Sequence[Touch], bodies: dict[str, BodyState]
    ) -> dict[str, tuple[Contact, ...]]:
        """Contacts of each object, summed over points, seen from that object."""
        robot = self.robot
        sums: dict[tuple[str, str], list[float]] = {}
        for t in touches:
            a = robot.label(t.link_a) if t.a == robot.name else t.a
            b = robot.label(t.link_b) if t.b == robot.name else t.b
            for mine, other, lift in ((a, b, t.lift), (b, a, -t.lift)):
                if mine in bodies:
                    total = sums.setdefault((mine, other), [0.0, 0.0])
                    total[0] += t.force
                    total[1] += lift
        found: dict[str, list[Contact]] = {}
        for (mine, other), (force, lift) in sums.items():
            found.setdefault(mine, []).append(Contact(mine, other, force, lift))
        return {name: tuple(contacts) for name, contacts in found.items()}

    # -- snapshots --------------------------------------------------------------------------

    def snapshot(self) -> int:
        """Keep the present state for `restore`; what is found so is confirmed by a rebuild."""
        handle = self.bullet.save()
        self._snapshots[handle] = _Snapshot(handle, self.steps, self.robot.memory())
        return handle

    def restore(self, handle: int) -> None:
        """Return to a snapshot: bodies, motor targets, clock.

        Raises:
            SimulatorError: If the snapshot was dropped.
        """
        if handle not in self._snapshots:
            raise SimulatorError(f"snapshot {handle} was dropped; keep it until it is not needed")
        kept = self._snapshots[handle]
        self.bullet.restore(handle)
        self.steps = kept.steps
        self.robot.remember(kept.memory)
        self.trace = []

    def drop(self, handle: int) -> None:
        """Free a snapshot; dropping one twice does nothing."""
        if self._snapshots.pop(handle, None) is not None:
            self.bullet.drop(handle)

    @property
    def lost(self) -> bool:
        """Whether an object has left the neighbourhood for good (thrown or squeezed out)."""
        return any(
            max(abs(v) for v in body.position) > _LOST for body in self.observe().bodies.values()
        )


def lying(body: BodyState) -> tuple[Vec3, float]:
    """Edge lengths as a body lies (3,) metres, upright axis last, and its yaw in radians."""
    m = rotation(body.orientation)
    upright = max(range(3), key=lambda axis: abs(m[6 + axis]))
    first, second = (upright + 1) % 3, (upright + 2) % 3
    size = (body.size[first], body.size[second], body.size[upright])
    yaw = math.atan2(m[3 + first], m[first])
    return size, yaw
