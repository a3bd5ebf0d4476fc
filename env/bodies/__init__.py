"""The object kinds; importing this package registers all of them.

What a kind of one's own is made of stands here too, so that whoever takes it from here has the
lattice to hang it in.
"""

from env.bodies.ball import BALL
from env.bodies.block import BLOCK
from env.bodies.bowl import BOWL
from env.bodies.lattice import CONTAINER, GRASPABLE, OBJECT
from env.bodies.place import PLACE
from env.bodies.tray import TRAY
from env.kinds import Kind, Part, Shape, register_kind

__all__ = [
    "BALL",
    "BLOCK",
    "BOWL",
    "CONTAINER",
    "GRASPABLE",
    "OBJECT",
    "PLACE",
    "TRAY",
    "Kind",
    "Part",
    "Shape",
    "register_kind",
]
