"""The server as its users meet it: a process of its own, and the protocol's own client library."""

from __future__ import annotations

import base64
import io
import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, ImageContent, TextContent
from PIL import Image

from env.errors import VoyagerError
from tests.voyager.serving.served import make_home
from voyager.serving.mcp_server import listen

ROOT = Path(__file__).resolve().parents[3]
TOOLS = {"search_skills", "describe_skill", "new_scene", "look_at_scene", "run_skill"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("served") / "home")


def command(home: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "voyager", "serve", "mcp", "--home", str(home), *more]


def record(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, result.content
    told = result.structured_content
    assert isinstance(told, dict)
    text = result.content[0]
    assert isinstance(text, TextContent) and json.loads(text.text) == told
    return told


def refusal(result: CallToolResult) -> str:
    assert result.is_error
    (text,) = result.content
    assert isinstance(text, TextContent)
    return text.text


def picture(result: CallToolResult) -> Image.Image:
    image = result.content[1]
    assert isinstance(image, ImageContent) and image.mime_type == "image/png"
    return Image.open(io.BytesIO(base64.b64decode(image.data)))


async def carry_out_a_plan(client: Client) -> None:
    """What an agent does: find, read, set up, choose, run, and go on from there."""
    found = record(await client.call_tool("search_skills", {"text": "put_on", "limit": 1}))
    assert found["skills"][0]["name"] == "put_on" and found["skills"][0]["callable"]
    told = record(await client.call_tool("describe_skill", {"skill": "put_on"}))
    assert "No claim about real hardware." in told["proof"] and told["bound"]["certified"]
    made = await client.call_tool("new_scene", {"seed": 3, "objects": {"block": 2, "bowl": 1}})
    scene = record(made)
    assert picture(made).size == (400, 300)
    a, b = (one["name"] for one in scene["objects"] if one["kind"] == "block")
    asked = {"skill": "put_on", "objects": {"top": a, "bottom": b}, "scene": scene["scene"]}
    result = await client.call_tool("run_skill", asked)
    run = record(result)
    assert run["solved"] and run["outcome"] == "solved" and run["margin"] > 0
    assert run["contracts"] == [{"skill": "lift", "kept": True, "missing": ""}]
    assert run["proof"] == told["proof"] and not run["as_certified"]
    assert picture(result).format == "PNG"
    seen = record(
        await client.call_tool("look_at_scene", {"scene": scene["scene"], "picture": False})
    )
    assert seen["objects"] == run["objects"] and seen["runs"] == 1


def test_over_stdio_an_agent_can_do_what_it_came_for(home: Path) -> None:
    async def talk() -> None:
        words = command(home)
        server = StdioServerParameters(command=words[0], args=words[1:], cwd=ROOT)
        async with Client(server) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert tools.keys() == TOOLS
            for tool in tools.values():
                assert tool.input_schema["additionalProperties"] is False
                assert tool.output_schema is not None
            seed = tools["run_skill"].input_schema["properties"]["seed"]
            assert (seed["minimum"], seed["maximum"]) == (0, 2**53 - 1)
            await carry_out_a_plan(client)
            await refuse_the_rest(client)

    anyio.run(talk)


def in_our_words(told: str) -> bool:
    """Whether a refusal is one sentence that sounds like no library."""
    foreign = ("pydantic", "Error executing", "validation error", "type=", "http", "\n")
    return not any(word in told for word in foreign)


async def refuse_the_rest(client: Client) -> None:
    """Bad requests get a sentence, and nothing happens."""
    for name, reason in (
        ("retired_one", "it is retired"),
        ("stale_one", "it is stale"),
        ("foreign_one", "made with another judge"),
        ("unsafe_one", "without a sandbox"),
    ):
        assert reason in refusal(await client.call_tool("run_skill", {"skill": name}))
        told = record(await client.call_tool("describe_skill", {"skill": name}))
        assert not told["callable"] and reason in told["why_not"]
    for asked, reason in (
        ({"skill": "put_onn"}, "did you mean 'put_on'"),
        ({"skill": "../../etc/passwd"}, "skill: '../../etc/passwd' cannot be a name; "),
        ({"skill": "lift", "seed": -1}, "seed: -1 is below 0"),
        ({"skill": "lift", "seed": 2**53}, f"seed: {2**53} is above {2**53 - 1}"),
        ({"skill": "lift", "seed": True}, "seed: true is no whole number"),
        ({"skill": "lift", "sedd": 1}, "unknown argument 'sedd'; did you mean 'seed'?"),
        ({"skill": "lift", "objects": {"block": "x" * 65}}, "objects['block']: 'xxx"),
        ({"skill": "lift", "objects": {f"p{i}": "x" for i in range(17)}}, "at most 16"),
        ({"skill": "lift", "picture": 1}, "picture: 1 is neither true nor false"),
        ({"skill": "lift", "objects": {"block": "nothing"}}, "no object 'nothing'"),
        ({"skill": "lift", "scene": "scene-77"}, "there is no scene 'scene-77'"),
        ({}, "skill is missing"),
        ({"seed": -1, "sedd": 1}, "skill is missing; seed: -1 is below 0; unknown argument"),
    ):
        told = refusal(await client.call_tool("run_skill", asked))
        assert reason in told and in_our_words(told), (asked, told)
    for asked, reason in (
        ({"objects": {"block": 13}}, "objects['block']: 13 is above 12"),
        ({"objects": {"a b": 1}}, "objects: 'a b' cannot be a name"),
        ({"objects": {"blok": 1}}, "unknown kind 'blok'"),
        ({"objects": {"tray": 12}}, "no room"),
        ({"skill": "lift", "objects": {"block": 1}}, "leave one of them out"),
    ):
        told = refusal(await client.call_tool("new_scene", asked))
        assert reason in told and in_our_words(told), (asked, told)
    told = refusal(await client.call_tool("search_skills", {"text": "x" * 501}))
    assert told == "text: the text is longer than 500 letters"
    told = refusal(await client.call_tool("run_skil", {"skill": "lift"}))
    assert told == "there is no tool 'run_skil'; did you mean 'run_skill'?"
    # A call that the client gives up is stopped, and keeps nobody waiting.
    with anyio.move_on_after(0.05) as scope:
        await client.call_tool("run_skill", {"skill": "put_on", "seed": 1})
    assert scope.cancelled_caught
    # After all that it works as before.
    assert record(await client.call_tool("run_skill", {"skill": "lift", "seed": 7}))["solved"]


class Serving:
    """A server over HTTP, as a child process on a port of its own."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            command(home, "--transport", "http", "--port", "0"),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        match = re.search(r"http://127\.0\.0\.1:(\d+)/mcp", line)
        assert match is not None, line + self.process.stderr.read()
        self.url, self.port = match[0], int(match[1])

    def ask(self, **headers: str) -> int:
        """Status of a plain request with these headers."""
        request = urllib.request.Request(
            self.url,
            data=json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode(),
            headers={
                "Content-Type": "application/json",
                "Accept": "application/json, text/event-stream",
                **headers,
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:
                return int(reply.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def end(self, number: int) -> tuple[int, str]:
        """Send a signal; exit code and stdout."""
        self.process.send_signal(number)
        out, _ = self.process.communicate(timeout=30)
        return self.process.returncode, out


@pytest.fixture
def serving(home: Path) -> Iterator[Serving]:
    started = Serving(home)
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.communicate()


@pytest.mark.slow
@pytest.mark.ci
def test_over_http_several_clients_of_this_machine_are_served(serving: Serving) -> None:
    async def talk() -> None:
        # The newest form of the protocol, and the one with a handshake that most clients speak.
        async with Client(serving.url) as new, Client(serving.url, mode="legacy") as old:
            assert new.protocol_version != old.protocol_version
            async with anyio.create_task_group() as group:
                group.start_soon(carry_out_a_plan, new)
                group.start_soon(carry_out_a_plan, old)

    anyio.run(talk)
    # A page in a browser whose name was pointed at this machine, or of another site.
    assert serving.ask(Host="evil.example") == 421
    assert serving.ask(Host=f"evil.example:{serving.port}") == 421
    assert serving.ask(Origin="http://evil.example") == 403
    assert serving.ask(Origin="http://localhost:1") == 403
    assert serving.ask(Origin="null") == 403
    workers = children(serving.process.pid)
    assert workers
    code, out = serving.end(signal.SIGTERM)
    assert (code, out) == (143, "")
    assert not any(alive(pid) for pid in workers)


def test_a_taken_port_and_other_machines_are_refused() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(VoyagerError, match="choose another"):
        with socket.create_connection(taken.getsockname(), timeout=5):
            pass  # a client that comes before the server waits for it
        listen("localhost", taken.getsockname()[1])
    for host in ("0.0.0.0", "::", "192.168.0.1", "example.org", "127.0.0.1.evil.example", ""):
        with pytest.raises(VoyagerError, match="is no loopback address"):
            listen(host, 0)


@pytest.mark.slow
@pytest.mark.ci
def test_stdout_is_the_protocols_alone_and_ctrl_c_ends_it(home: Path) -> None:
    process = subprocess.Popen(
        command(home),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    greeting = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    for message in (
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": greeting},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {
            "jsonrpc": "2.0",
            "id": 2,
            "method": "tools/call",
            "params": {"name": "run_skill", "arguments": {"skill": "reach", "seed": 1}},
        },
    ):
        process.stdin.write(json.dumps(message) + "\n")
    process.stdin.flush()
    lines = [json.loads(process.stdout.readline()) for _ in range(2)]
    assert [line["id"] for line in lines] == [1, 2]
    assert lines[1]["result"]["structuredContent"]["solved"]
    workers = children(process.pid)
    assert workers
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert out == "" and process.returncode == 130
    assert not any(alive(pid) for pid in workers)


def children(pid: int) -> list[int]:
    """Processes that a process started, all of them."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *children(int(child))]
    return found


def alive(pid: int, *, patience: float = 5.0) -> bool:
    """Whether a process is still there after a while."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        if state == "Z":
            return False
        time.sleep(0.02)
    return True
