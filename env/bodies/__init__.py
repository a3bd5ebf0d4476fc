"""The object kinds; importing this package registers all of them."""

from env.bodies.ball import BALL
from env.bodies.block import BLOCK
from env.bodies.bowl import BOWL
from env.bodies.lattice import CONTAINER, GRASPABLE, OBJECT
from env.bodies.place import PLACE
from env.bodies.tray import TRAY

__all__ = ["BALL", "BLOCK", "BOWL", "CONTAINER", "GRASPABLE", "OBJECT", "PLACE", "TRAY"]
