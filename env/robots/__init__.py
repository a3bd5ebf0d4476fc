"""Robots: the protocol, and one file for each body."""

from env.robots.base import Motion, Robot, RobotStart, make_robot, register_robot
from env.robots.panda import Panda

DEFAULT_ROBOT = Panda.name
"""The robot of a scene that names none."""

__all__ = [
    "DEFAULT_ROBOT",
    "Motion",
    "Panda",
    "Robot",
    "RobotStart",
    "make_robot",
    "register_robot",
]
