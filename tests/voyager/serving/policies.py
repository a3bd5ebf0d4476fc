"""A policy that was not learned: it lifts a block through the actions of the environment alone."""

from __future__ import annotations

import numpy as np

from voyager.serving.control import STRIDE, TURN, half_turn
from voyager.serving.observation import Layout, Vector


class Lifter:
    """Goes above the block, down, closes, and up; sees nothing but observations."""

    def __init__(self, layout: Layout, block: str = "block") -> None:
        self._at = {field.name: index for index, field in enumerate(layout.fields)}
        self._block = block
        self._phase = "above"
        self._closing = 0

    def act(self, seen: Vector) -> Vector:
        gripper = self._vector(seen, "gripper")
        block = self._vector(seen, self._block)
        lead = np.array([seen[self._at[f"control.lead_{axis}"]] for axis in "xyz"])
        turn = self._turn(seen)
        above = block + np.array([0.0, 0.0, 0.15])
        if self._phase == "above":
            near = np.linalg.norm((gripper - above)[:2]) < 0.004 and abs(turn) < 0.03
            self._phase = "down" if near else "above"
        elif self._phase == "down" and np.linalg.norm(gripper - block) < 0.006:
            self._phase = "close"
        elif self._phase == "close":
            self._closing += 1
            self._phase = "up" if self._closing > 10 else "close"
        goal = {"above": above, "up": np.array([*(gripper + lead)[:2], 0.25])}
        offset = (goal.get(self._phase, block) - gripper - lead) / STRIDE
        if self._phase == "up":
            offset *= 0.3
        open_ = self._phase in ("above", "down")
        wanted = [*offset, turn / TURN if open_ else 0.0, 1.0 if open_ else -1.0]
        return np.clip(np.array(wanted, dtype=np.float32), -1.0, 1.0)

    def _vector(self, seen: Vector, owner: str) -> np.ndarray:
        return np.array([seen[self._at[f"{owner}.{axis}"]] for axis in "xyz"], dtype=float)

    def _turn(self, seen: Vector) -> float:
        """Radians by which the target still has to turn to meet the block's sides squarely."""
        twice = [seen[self._at[f"gripper.{name}"]] for name in ("sin_2yaw", "cos_2yaw")]
        rows = [
            [seen[self._at[f"{self._block}.r{row}{column}"]] for column in range(2)]
            for row in range(3)
        ]
        first, second = np.array(rows, dtype=float).T
        axes = [first, second, np.cross(first, second)]
        upright = max(range(3), key=lambda axis: abs(axes[axis][2]))
        side = axes[(upright + 1) % 3]
        yaw = float(np.arctan2(*twice)) / 2 + float(seen[self._at["control.lead_yaw"]])
        return half_turn(float(np.arctan2(side[1], side[0])) - yaw)
