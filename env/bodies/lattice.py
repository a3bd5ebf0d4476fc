"""The abstract kinds: what goals and tasks may ask for without naming a shape."""

from __future__ import annotations

from env.kinds import Kind, register_kind

OBJECT = register_kind(Kind("object", (), None, "Anything with a body that lies on the table."))
GRASPABLE = register_kind(
    Kind("graspable", ("object",), None, "An object that the gripper can take and carry.")
)
CONTAINER = register_kind(
    Kind("container", ("object",), None, "An object with a rim that other things can lie in.")
)
