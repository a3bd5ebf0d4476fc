"""The errors of the world, the judge and the sandbox.

One base class, small named subclasses; each docstring says *when* it is raised. An error holds
the actual values and the next thing to do. Three families:

* `VoyagerError`: something a user or caller did, or that the machine could not do.
* `ActionError`: what a robot call may raise inside a skill; carries numbers a skill can use.
* `SandboxError` / `SimulatorError`: the infrastructure failed. Never a verdict about a program.
"""

from __future__ import annotations

from collections.abc import Mapping


class VoyagerError(Exception):
    """Base of all errors that this project raises on purpose; printed as one sentence."""


class GoalError(VoyagerError):
    """A goal expression cannot be parsed or bound.

    Attributes:
        column: 1-based column in the expression at which it went wrong, or None.
    """

    def __init__(self, message: str, column: int | None = None) -> None:
        super().__init__(message)
        self.column = column


class KindError(VoyagerError):
    """An object kind is unknown, or a binding does not fit the kinds a task declares."""


class TaskError(VoyagerError):
    """A task is malformed or refused: unknown parameter, goal already true, controls solve it."""


class ProgramError(VoyagerError):
    """A program fails its static checks, before any physics (not a module, forbidden import...).

    Attributes:
        line: 1-based line in the program, or None when it concerns the whole.
    """

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class SceneError(VoyagerError):
    """A scene cannot be built as asked, for example because its objects do not fit the table."""


class SandboxError(VoyagerError):
    """The sandbox itself failed or cannot stand here; says nothing about the program."""


class SimulatorError(VoyagerError):
    """The simulator was lost (a crashed worker, a state that is not finite)."""


class ActionError(Exception):
    """Base of what a robot call raises inside a skill; a skill may catch it.

    Attributes:
        message: One sentence with the numbers in SI units.
        numbers: The same numbers by name (JSON-able), for example ``{"short_by": 0.12}``.
    """

    def __init__(self, message: str, **numbers: float | str | list[str]) -> None:
        super().__init__(message)
        self.message = message
        self.numbers: Mapping[str, float | str | list[str]] = numbers


class Unreachable(ActionError):
    """The gripper cannot get to the asked position; ``short_by`` says by how many metres."""


class Blocked(ActionError):
    """Something stopped the motion; ``by`` names what, ``short_by`` the metres left to go."""


class NothingHeld(ActionError):
    """The fingers closed and met nothing; ``width`` is the opening that is left in metres."""


class UnknownObject(ActionError):
    """A call named an object that is not in this scene; ``name`` is what was asked for."""


class BadArgument(ActionError):
    """An argument of a robot call has the wrong type or lies outside its range."""


ACTION_ERRORS: tuple[type[ActionError], ...] = (
    Unreachable,
    Blocked,
    NothingHeld,
    UnknownObject,
    BadArgument,
)
