from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

from skill_store import Library
from tests.voyager.serving.served import make_home
from voyager.serving.errors import NotCallable, NotServed
from voyager.serving.langchain_tools import SkillTools, skills_as_tools

Turn = Callable[[Sequence[BaseMessage]], AIMessage]


class ScriptedAgentModel(BaseChatModel):
    """A chat model whose turns are written down beforehand; each may read what came before."""

    turns: list[Turn]
    offered: list[dict[str, Any]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> ScriptedAgentModel:
        self.offered[:] = [convert_to_openai_tool(tool, strict=True) for tool in tools]
        return self

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        reply = self.turns.pop(0)(messages)
        return ChatResult(generations=[ChatGeneration(message=reply)])


def calling(name: str, **arguments: Any) -> AIMessage:
    return AIMessage(
        "",
        tool_calls=[{"name": name, "args": arguments, "id": f"call-{name}", "type": "tool_call"}],
    )


def answered(messages: Sequence[BaseMessage]) -> dict[str, Any]:
    """What the last tool told the model."""
    last = messages[-1]
    assert isinstance(last, ToolMessage) and last.status == "success", last.content
    told = json.loads(str(last.content))
    assert isinstance(told, dict)
    return told


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("served") / "home")


@pytest.fixture(scope="module")
def tools(home: Path) -> Iterator[SkillTools]:
    with skills_as_tools(home, pictures=True) as made:
        yield made


def test_an_agent_calls_skills_one_after_the_other(home: Path) -> None:
    chosen: list[str] = []

    def look(_: Sequence[BaseMessage]) -> AIMessage:
        return calling("new_scene", seed=3, objects=[{"kind": "block", "count": 2}])

    def stack(messages: Sequence[BaseMessage]) -> AIMessage:
        chosen.extend(one["name"] for one in answered(messages)["objects"])
        return calling("put_on", top=chosen[0], bottom=chosen[1])

    def lift(messages: Sequence[BaseMessage]) -> AIMessage:
        done = answered(messages)
        assert done["solved"] and done["runs"] == 1 and "No claim" in done["proof"]
        return calling("lift", block=chosen[0])

    def wrong(messages: Sequence[BaseMessage]) -> AIMessage:
        done = answered(messages)
        assert done["solved"] and done["runs"] == 2
        return calling("lift", block="nothing")

    def give_up(messages: Sequence[BaseMessage]) -> AIMessage:
        # What went wrong is told to the agent, which may try something else.
        last = messages[-1]
        assert isinstance(last, ToolMessage) and last.status == "error"
        assert "no object 'nothing'" in str(last.content)
        return AIMessage("Stacked one block and took it up again.")

    model = ScriptedAgentModel(turns=[look, stack, lift, wrong, give_up])
    with skills_as_tools(home) as made:
        agent = create_agent(model, made)
        end = agent.invoke({"messages": [("user", "Stack two blocks, then take one up.")]})
    assert end["messages"][-1].content.startswith("Stacked")
    assert model.turns == []
    artifacts = [m.artifact for m in end["messages"] if isinstance(m, ToolMessage) and m.artifact]
    assert [one["skill"] for one in artifacts if "skill" in one] == ["put_on", "lift"]
    names = [tool["function"]["name"] for tool in model.offered]
    assert names == ["new_scene", "look_at_scene", "lift", "reach", "put_on"]
    for tool in model.offered:
        assert tool["function"]["strict"] is True
        assert tool["function"]["parameters"]["additionalProperties"] is False


def test_every_description_says_what_is_proved(tools: SkillTools) -> None:
    skills = tools[2:]
    assert len(skills) == 3
    assert all("No claim about real hardware." in tool.description for tool in skills)
    assert tools.left_out.keys() == {"retired_one", "stale_one", "foreign_one", "unsafe_one"}
    assert "it is retired" in tools.left_out["retired_one"]


def test_models_that_see_get_a_picture(tools: SkillTools) -> None:
    look = next(tool for tool in tools if tool.name == "look_at_scene")
    said = look.invoke({"name": "look_at_scene", "args": {}, "id": "1", "type": "tool_call"})
    text, image = said.content
    assert json.loads(text["text"]) == said.artifact
    assert image["type"] == "image" and image["mime_type"] == "image/png"
    assert len(said.artifact["objects"]) >= 6  # the usual table


def test_arguments_are_checked_before_anything_moves(tools: SkillTools) -> None:
    by_name = {tool.name: tool for tool in tools}

    def told(tool: str, **arguments: Any) -> str:
        asked = {"name": tool, "args": arguments, "id": "1", "type": "tool_call"}
        message = by_name[tool].invoke(asked)
        assert message.status == "error"
        return str(message.content)

    assert "'block' is a required property" in told("lift")
    assert "'seed' was unexpected" in told("lift", block="x", seed=1)
    assert "is not of type 'string'" in told("lift", block=7)
    assert "does not match" in told("lift", block="a b")
    assert "greater than the maximum" in told("new_scene", seed=2**53, objects=[])
    assert "is not one of" in told("new_scene", seed=0, objects=[{"kind": "car", "count": 1}])
    assert "at most 12" in told("new_scene", seed=0, objects=[{"kind": "ball", "count": 7}] * 2)


def test_an_asynchronous_agent_gets_the_same(tools: SkillTools) -> None:
    by_name = {tool.name: tool for tool in tools}

    async def both() -> tuple[str, str]:
        asked = {"seed": 4, "objects": [{"kind": "block", "count": 1}]}
        made = await by_name["new_scene"].ainvoke(
            {"name": "new_scene", "args": asked, "id": "1", "type": "tool_call"}
        )
        (block,) = (one["name"] for one in made.artifact["objects"])
        ran = await by_name["reach"].ainvoke(
            {"name": "reach", "args": {"block": block}, "id": "2", "type": "tool_call"}
        )
        return ran.artifact["outcome"], ran.artifact["scene"]

    outcome, scene = asyncio.run(both())
    assert outcome == "solved" and scene.startswith("scene-")


def test_named_skills_have_to_be_callable_and_the_very_program(home: Path) -> None:
    with Library.open(home) as library:
        program = library.get("lift").closure.root
        with skills_as_tools(library, names=["lift"], programs={"lift": program}) as made:
            assert [tool.name for tool in made] == ["new_scene", "look_at_scene", "lift"]
    with pytest.raises(NotCallable, match="it is retired"):
        skills_as_tools(home, names=["retired_one"])
    with pytest.raises(NotCallable, match="another program here"):
        skills_as_tools(home, names=["lift"], programs={"lift": "0" * 64})


def test_too_many_or_no_skills_are_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voyager.serving.toolbox.MOST_TOOLS", 2)
    with pytest.raises(NotServed, match="3 skills may be called, more than 2 tools"):
        skills_as_tools(home)
    with pytest.raises(NotServed, match="no skill may be called"):
        skills_as_tools(home, names=[])
