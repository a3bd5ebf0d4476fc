"""Skills as LangChain tools, for `langchain.agents.create_agent` and everything that takes tools.

    from langchain.agents import create_agent
    from voyager.serving.langchain_tools import skills_as_tools

    with skills_as_tools("my_home") as tools:
        agent = create_agent("openai:gpt-5", tools)
        agent.invoke({"messages": [("user", "Put a block into the bowl.")]})

Every call runs in simulation; the tool's text is what happened, its artifact the whole record.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from langchain_core.tools import BaseTool, StructuredTool, ToolException

from env.errors import VoyagerError
from skill_store.library import Library
from voyager.serving.errors import NotCallable
from voyager.serving.performing import Performer
from voyager.serving.toolbox import Answer, Toolbox, ToolSpec

_KEPT: Final = frozenset({"callbacks", "config", "run_manager"})
"""Arguments that LangChain keeps for itself."""


class SkillTools(list[BaseTool]):
    """LangChain tools, and the simulator behind them; leaving the block ends that.

    Without a block it ends with this process.

    Attributes:
        left_out: Why other skills of the home are no tools, by name.
    """

    def __init__(self, box: Toolbox) -> None:
        """Made by `skills_as_tools`."""
        super().__init__(_tool(box, spec) for spec in box.specs)
        self.left_out = box.left_out
        self._box = box

    def close(self) -> None:
        """Stop what is under way and end the simulator; twice is harmless."""
        self._box.close()

    def __enter__(self) -> SkillTools:
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


def skills_as_tools(
    home: str | Path | Library,
    *,
    names: Sequence[str] | None = None,
    programs: Mapping[str, str] | None = None,
    seed: int = 0,
    pictures: bool = False,
    performer: Performer | None = None,
) -> SkillTools:
    """The certified skills of a home as tools of one agent, which share one simulated scene.

    Two more tools set up a scene and list its objects: skills are given objects by their names.
    What may not be called or does not fit is told to the agent as the tool's error, so that it
    can try something else.

    Args:
        home: A home folder, or its open library.
        names: Skills to make tools of; all that may be called when None.
        programs: Program hash by skill name: a skill whose program is another by now is refused.
        seed: Draws the first scene.
        pictures: Whether tools answer with a PNG too; for models that see.
        performer: The simulator, which becomes the tools' to close; one of their own when None.

    Returns:
        The tools, to be closed.

    Raises:
        StorageError: If there is no library, or it cannot be read.
        UnknownSkill: If there is no skill of a name.
        NotCallable: If a named skill may not be called, with the reason.
        NotServed: If there are too many skills, or none.
    """
    box = Toolbox(
        home, names=names, programs=programs, seed=seed, picture=pictures, performer=performer
    )
    return SkillTools(box)


def _tool(box: Toolbox, spec: ToolSpec) -> StructuredTool:
    if kept := sorted(_KEPT & set(spec.parameters["properties"])):
        raise NotCallable(
            f"the skill {spec.name!r} has a parameter {kept[0]!r}, a name that LangChain keeps for "
            "itself; leave the skill out"
        )

    def call(**arguments: Any) -> tuple[Any, dict[str, Any]]:
        try:
            return _told(box.call(spec.name, arguments))
        except VoyagerError as error:
            raise ToolException(str(error)) from error

    async def call_async(**arguments: Any) -> tuple[Any, dict[str, Any]]:
        try:
            # Even to begin may have to wait for the first scene.
            under_way = await asyncio.to_thread(box.begin, spec.name, arguments)
            try:
                return _told(await asyncio.to_thread(under_way.result))
            except asyncio.CancelledError:
                under_way.cancel()
                raise
        except VoyagerError as error:
            raise ToolException(str(error)) from error

    return StructuredTool.from_function(
        func=call,
        coroutine=call_async,
        name=spec.name,
        description=spec.description,
        args_schema=dict(spec.parameters),
        infer_schema=False,
        response_format="content_and_artifact",
        handle_tool_error=True,
    )


def _told(answer: Answer) -> tuple[Any, dict[str, Any]]:
    """What the model reads, and the record for the program around it."""
    text = json.dumps(answer.record, allow_nan=False)
    if not answer.picture:
        return text, answer.record
    picture = base64.b64encode(answer.picture).decode("ascii")
    blocks = [
        {"type": "text", "text": text},
        {"type": "image", "base64": picture, "mime_type": "image/png"},
    ]
    return blocks, answer.record
