"""Skills as tools for an agent of any framework: definitions, and one way to call them.

    with Toolbox(home) as box:
        box.call("look_at_scene", {}).record["objects"]
        box.call("put_in", {"graspable": "mutip", "container": "fusaf"}).record["solved"]

All tools of one box work on one scene, which stays as each left it: an agent puts one thing down
and goes on with the next. What a model asks for is checked against the schema first.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import jsonschema

from env.kinds import all_kinds
from skill_store.export.schemas import description, parameters_schema, tool_names
from skill_store.library import Library
from voyager.serving.errors import NotCallable, NotServed
from voyager.serving.offering import Offered, Offering
from voyager.serving.performing import MOST_OBJECTS, MOST_SEED, Performer
from voyager.serving.simulator import Ticket
from voyager.serving.views import Run, View

MOST_TOOLS: Final = 100
"""Tools that are made without naming skills: models choose badly among more, and some refuse."""
NEW_SCENE: Final = "new_scene"
LOOK: Final = "look_at_scene"
_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What an agent is told about one tool.

    Attributes:
        name: Its name, fit for every protocol.
        description: What it does; for a skill also what is proved about it.
        parameters: JSON Schema of its arguments, strict.
        skill: The skill that it runs; None for what sets up and shows the scene.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    skill: Offered | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call gave.

    Attributes:
        record: JSON-able.
        picture: PNG of the scene afterwards, or nothing.
    """

    record: dict[str, Any]
    picture: bytes


class Call:
    """A call under way."""

    def __init__(self, ticket: Ticket[View] | Ticket[Run]) -> None:
        """Made by `Toolbox.begin`."""
        self._ticket = ticket

    def result(self) -> Answer:
        """Wait for what it gives.

        Raises:
            VoyagerError: If it was not carried out, with the reason.
        """
        found = self._ticket.result()
        view = found if isinstance(found, View) else found.view
        return Answer(found.to_json(), view.sight.picture)

    def cancel(self) -> None:
        """Stop it; the scene is then as it was."""
        self._ticket.cancel()


class Toolbox:
    """Certified skills of one home, a scene, and the simulator that runs them.

    Attributes:
        specs: The tools: two for the scene, then one a skill.
        left_out: Why other skills of the home are no tools, by name.
    """

    def __init__(
        self,
        home: str | Path | Library,
        *,
        names: Sequence[str] | None = None,
        programs: Mapping[str, str] | None = None,
        seed: int = 0,
        picture: bool = False,
        performer: Performer | None = None,
    ) -> None:
        """Read the skills and set up the usual table.

        Args:
            home: A home folder, or its open library.
            names: Skills to make tools of; all that may be called when None.
            programs: Program hash by skill name, 64 hex digits: a skill whose program is another
                by now is refused. For names that are not in `names` it means nothing.
            seed: Draws the first scene.
            picture: Whether calls give pictures.
            performer: Becomes this object's to close; one of its own when None.

        Raises:
            StorageError: If there is no library, or it cannot be read.
            UnknownSkill: If there is no skill of a name.
            NotCallable: If a named skill may not be called.
            NotServed: If there are too many skills, or none.
        """
        folder = home.database.path.parent if isinstance(home, Library) else Path(home)
        with Offering(folder) as offering:
            if names is not None:
                skills = tuple(offering.named(name) for name in dict.fromkeys(names))
                self.left_out: dict[str, str] = {}
            else:
                skills, self.left_out = offering.callable()
        if not skills:
            why = next(iter(self.left_out.values()), f"there is no skill in {folder}")
            raise NotServed(f"no skill may be called: {why}")
        if names is None and len(skills) > MOST_TOOLS:
            raise NotServed(
                f"{len(skills)} skills may be called, more than {MOST_TOOLS} tools; name those "
                "that are wanted, or let the agent search them with `voyager serve mcp`"
            )
        for one in skills:
            wanted = (programs or {}).get(one.skill.name, one.skill.closure.root)
            if wanted != one.skill.closure.root:
                raise NotCallable(
                    f"the skill {one.skill.name!r} is another program here than was asked for "
                    f"({one.skill.closure.root[:12]}, not {wanted[:12]})"
                )
        called = tool_names((one.skill.name for one in skills), taken=(NEW_SCENE, LOOK))
        self.specs = (*_scene_tools(), *(_skill_tool(one, called) for one in skills))
        self._named = {spec.name: spec for spec in self.specs}
        self._picture = picture
        self._seed = seed
        self._scene: str | None = None
        self._guard = threading.Lock()
        self._performer = Performer() if performer is None else performer

    def close(self) -> None:
        """Stop what is under way and end the simulator; twice is harmless."""
        self._performer.close()

    def __enter__(self) -> Toolbox:
        """Leaving the block closes it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def call(self, name: str, arguments: Mapping[str, Any]) -> Answer:
        """Call a tool and wait; see `begin`."""
        return self.begin(name, arguments).result()

    def begin(self, name: str, arguments: Mapping[str, Any]) -> Call:
        """Call a tool; from any thread.

        Args:
            name: Of the tool.
            arguments: As its schema says; checked.

        Returns:
            What to wait for.

        Raises:
            NotServed: If there is no such tool, or the arguments do not fit its schema.
            VoyagerError: If it cannot be asked for like this, with the reason.
        """
        spec = self._named.get(name)
        if spec is None:
            raise NotServed(
                f"there is no tool {name[:_SHOWN]!r}; there are: {', '.join(self._named)}"
            )
        _check(spec, arguments)
        if spec.name == NEW_SCENE:
            return Call(self._begin_scene(int(arguments["seed"]), arguments["objects"]))
        scene = self._current()
        if spec.skill is None:
            return Call(self._performer.look(scene, picture=self._picture))
        kinds = spec.skill.skill.task.kinds
        objects = {name: value for name, value in arguments.items() if name in kinds}
        return Call(self._performer.run(spec.skill, objects, scene=scene, picture=self._picture))

    # The scene that all tools share

    def _current(self) -> str:
        with self._guard:
            if self._scene is None:
                self._scene = self._performer.new_scene(self._seed, picture=False).result().scene
            return self._scene

    def _begin_scene(self, seed: int, objects: Sequence[Mapping[str, Any]]) -> Ticket[View]:
        counts: dict[str, int] = {}
        for one in objects:
            counts[one["kind"]] = counts.get(one["kind"], 0) + int(one["count"])
        with self._guard:
            ticket = self._performer.new_scene(seed, counts=counts, picture=self._picture)
            # Calls that come after this one mean the new scene, so it must be known now.
            self._scene = ticket.result().scene
        return ticket


def _check(spec: ToolSpec, arguments: object) -> None:
    if not isinstance(arguments, Mapping):
        raise NotServed(f"{spec.name}: the arguments are no object but {type(arguments).__name__}")
    if any(isinstance(v, float) and not math.isfinite(v) for v in arguments.values()):
        raise NotServed(f"{spec.name}: an argument is no finite number")
    try:
        jsonschema.validate(dict(arguments), spec.parameters)
    except jsonschema.ValidationError as error:
        where = "".join(f"[{part!r}]" for part in error.absolute_path)
        raise NotServed(
            f"{spec.name}: the arguments do not fit{where and f' at {where}'}: "
            f"{error.message[:_SHOWN]}"
        ) from error


def _skill_tool(one: Offered, called: Mapping[str, str]) -> ToolSpec:
    return ToolSpec(
        called[one.skill.name], description(one.skill), parameters_schema(one.skill), one
    )


def _scene_tools() -> tuple[ToolSpec, ...]:
    kinds = [kind.name for kind in all_kinds() if kind.concrete]
    one = {
        "type": "object",
        "properties": {
            "kind": {"type": "string", "enum": kinds},
            "count": {"type": "integer", "minimum": 1, "maximum": MOST_OBJECTS},
        },
        "required": ["kind", "count"],
        "additionalProperties": False,
    }
    new = {
        "seed": {
            "type": "integer",
            "minimum": 0,
            "maximum": MOST_SEED,
            "description": "Everything drawn follows from it.",
        },
        "objects": {
            "type": "array",
            "items": one,
            "description": f"What is on the table, at most {MOST_OBJECTS} objects in all; none "
            "named: the usual blocks, balls, bowl, tray and place.",
        },
    }
    return (
        ToolSpec(
            NEW_SCENE,
            "Set up another table in simulation and list its objects; the skills then work on it.",
            _strict(new),
        ),
        ToolSpec(
            LOOK,
            "List the objects on the table with their names, kinds, sizes and positions (metres).",
            _strict({}),
        ),
    )


def _strict(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
