"""The formats for agents: openai, langchain and mcp, each read back by who it is for."""

from __future__ import annotations

import json
import re
import runpy
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer

from env.errors import VoyagerError
from skill_store import Library
from skill_store.export.bundle import Bundle, gather
from skill_store.export.errors import ExportError
from skill_store.export.formats import ExportOptions, find_format, write
from skill_store.export.importing import read_archive
from skill_store.export.writing import CHECKSUMS
from tests.voyager.serving.served import make_home
from voyager.cli.app import app, run
from voyager.serving.errors import NotCallable

NO_CLAIM = "No claim about real hardware."


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("served") / "home")


@pytest.fixture(scope="module")
def library(home: Path) -> Iterator[Library]:
    with Library.open(home) as opened:
        yield opened


@pytest.fixture(scope="module")
def bundle(library: Library) -> Bundle:
    return gather(library, everything=True)


def exported(name: str, bundle: Bundle, folder: Path) -> Path:
    write(find_format(name), bundle, folder / name, ExportOptions())
    assert (folder / name / CHECKSUMS).is_file() and (folder / name / "LICENSE").is_file()
    return folder / name


def test_definitions_are_strict_and_say_what_is_proved(bundle: Bundle, tmp_path: Path) -> None:
    folder = exported("openai", bundle, tmp_path)
    tools = json.loads((folder / "tools.json").read_text())
    assert [tool["function"]["name"] for tool in tools] == ["lift", "reach", "put_on"]
    for tool in tools:
        body = tool["function"]
        assert body["strict"] is True and body["description"].endswith(NO_CLAIM)
        jsonschema.Draft202012Validator.check_schema(body["parameters"])
    flat = json.loads((folder / "responses_tools.json").read_text())
    assert flat == [{"type": "function", **tool["function"]} for tool in tools]
    proved = json.loads((folder / "evidence.json").read_text())["tools"]
    assert proved["lift"]["bound"]["measured"]["k"] == 19
    assert proved["reach"]["bound"]["measured"] is None
    assert proved["put_on"]["program"] == bundle.named("put_on").skill.closure.root
    page = (folder / "README.md").read_text()
    assert page.count(NO_CLAIM) == 3


class _Model(BaseHTTPRequestHandler):
    """A chat server that calls the first tool it is offered on a block that it was told about."""

    asked: dict[str, Any]

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        type(self).asked = asked = json.loads(self.rfile.read(size))
        table = json.loads(asked["messages"][0]["content"].partition(": ")[2])
        block = next(one["name"] for one in table if one["kind"] == "block")
        call = {"name": asked["tools"][0]["function"]["name"], "arguments": {"block": block}}
        function = {**call, "arguments": json.dumps(call["arguments"])}
        message = {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "1", "type": "function", "function": function}],
        }
        reply = {
            "id": "1",
            "object": "chat.completion",
            "created": 0,
            "model": asked["model"],
            "choices": [{"index": 0, "finish_reason": "tool_calls", "message": message}],
        }
        body = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_the_example_of_the_page_works_with_openais_own_client(
    bundle: Bundle,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = exported("openai", bundle, tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    (folder / "example.py").write_text(code.replace('"HOME"', repr(str(home))))
    with ThreadingHTTPServer(("127.0.0.1", 0), _Model) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
        monkeypatch.chdir(folder)
        runpy.run_path("example.py")["client"].close()
        server.shutdown()
    assert capsys.readouterr().out == "lift True []\n"
    assert _Model.asked["tools"] == json.loads((folder / "tools.json").read_text())


def test_the_langchain_module_makes_tools_of_exactly_these_programs(
    bundle: Bundle, home: Path, tmp_path: Path
) -> None:
    path = exported("langchain", bundle, tmp_path) / "skill_tools.py"
    with runpy.run_path(str(path))["tools"](str(home)) as tools:
        names = ["new_scene", "look_at_scene", "lift", "reach", "put_on"]
        assert [tool.name for tool in tools] == names
        assert all(tool.description.endswith(NO_CLAIM) for tool in tools[2:])
    # A home with another program under the name is refused.
    program = bundle.named("lift").skill.closure.root
    path.write_text(path.read_text().replace(program, "0" * 64))
    with pytest.raises(NotCallable, match="is another program here"):
        runpy.run_path(str(path))["tools"](str(home))


@pytest.mark.parametrize("name", ["langchain", "mcp"])
def test_the_archive_beside_it_can_be_imported(name: str, bundle: Bundle, tmp_path: Path) -> None:
    archive = read_archive(exported(name, bundle, tmp_path))
    roots = {arrival.closure.root for arrival in archive.arrivals if arrival.champion}
    assert roots == {e.skill.closure.root for e in bundle.skills}


def test_the_configuration_is_a_command_that_there_is(bundle: Bundle, tmp_path: Path) -> None:
    folder = exported("mcp", bundle, tmp_path)
    servers = json.loads((folder / "mcp.json").read_text())["mcpServers"]
    (server,) = servers.values()
    assert server["command"] == "voyager"
    command: Any = typer.main.get_command(app)
    words = server["args"]
    while hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    assert command.make_context("voyager", list(words)).params["home"] == Path("HOME")
    assert (folder / "README.md").read_text().count(NO_CLAIM) == 3


def test_what_is_not_certified_is_no_tool(library: Library, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="is not certified here"):
        gather(library, names=["foreign_one"])
    foreign = gather(library, names=["foreign_one"], allow_uncertified=True)
    with pytest.raises(ExportError, match="none could be called"):
        exported("langchain", foreign, tmp_path)
    assert not (tmp_path / "langchain").exists()
    told = json.loads((exported("openai", foreign, tmp_path) / "tools.json").read_text())
    assert "NOT CERTIFIED" in told[0]["function"]["description"]
    mixed = gather(library, names=["lift", "foreign_one"], allow_uncertified=True)
    folder = exported("langchain", mixed, tmp_path / "mixed")
    assert "foreign_one" not in (folder / "skill_tools.py").read_text()
    assert "in the archive only: foreign_one" in (folder / "README.md").read_text()


@pytest.mark.slow
@pytest.mark.ci
def test_elsewhere_the_tools_work_once_the_skills_are_certified_there(
    library: Library, tmp_path: Path
) -> None:
    folder = exported("langchain", gather(library, names=["reach"]), tmp_path)
    home = tmp_path / "elsewhere"
    assert run(["import", str(folder), "--home", str(home)]) == 0
    make = runpy.run_path(str(folder / "skill_tools.py"))["tools"]
    with pytest.raises(VoyagerError, match="no skill is called 'reach'"):
        make(str(home))  # in quarantine
    assert run(["skills", "certify", "--all", "--workers", "1", "--home", str(home)]) == 0
    with make(str(home)) as tools:
        by_name = {tool.name: tool for tool in tools}
        table = json.loads(by_name["look_at_scene"].invoke({}))["objects"]
        block = next(one["name"] for one in table if one["kind"] == "block")
        done = json.loads(by_name["reach"].invoke({"block": block}))
    assert done["solved"] and "NOT CERTIFIED" not in done["proof"]
