"""Robots: the protocol, and one file for each body."""

from env.robots.base import Motion, Robot, RobotStart, make_robot, register_robot
from env.robots.panda import Panda

__all__ = ["Motion", "Panda", "Robot", "RobotStart", "make_robot", "register_robot"]
