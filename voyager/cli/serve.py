"""`voyager serve`: certified skills for other programs."""

from __future__ import annotations

import os
import signal
from enum import StrEnum
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from voyager.cli import screen
from voyager.cli.options import ExtensionOption, HomeOption
from voyager.cli.session import begin

if TYPE_CHECKING:
    from voyager.serving.performing import Performer

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_OF_THE_EXTRA = ("anyio", "mcp", "uvicorn")

app = typer.Typer(
    name="serve",
    help="Offer certified skills to other programs, in simulation.",
    no_args_is_help=True,
)


class Transport(StrEnum):
    """How clients reach the server."""

    STDIO = "stdio"
    HTTP = "http"


@app.callback()
def _all_servers() -> None:
    """Offer certified skills to other programs, in simulation."""


@app.command("mcp")
def mcp(
    context: typer.Context,
    transport: Annotated[
        Transport,
        typer.Option(
            "--transport",
            help="stdio: one client, which starts this command; http: clients on this machine.",
        ),
    ] = Transport.STDIO,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Loopback address, for http.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="For http; 0 takes any that is free.")
    ] = 8765,
    home: HomeOption = None,
    extension: ExtensionOption = None,
) -> None:
    """Serve the skills of a home by the Model Context Protocol.

    Tools: search_skills, describe_skill, new_scene, look_at_scene, run_skill. Only skills that are
    certified here are run, in simulation, one at a time. Ends with its client, or on Ctrl-C.

    Example: voyager serve mcp --transport http --port 8765
    """
    session = begin(context, home, extensions=extension)
    from voyager.serving.offering import Offering

    with Offering(session.home) as offering:
        mcp_server = _protocol()
        from voyager.serving.performing import Performer

        with Performer() as performer:
            if transport is Transport.STDIO:
                _end_at_once(performer)
                mcp_server.serve_stdio(offering, performer)
                return
            listening = mcp_server.listen(host, port)
            name = f"[{host.strip('[]')}]" if ":" in host else host
            address = f"http://{name}:{listening.getsockname()[1]}{mcp_server.PATH}"
            told = f"serving {session.home} at {address}; Ctrl-C ends it"
            typer.echo(screen.clean(told), err=True)
            _end_in_order()
            mcp_server.serve_http(offering, performer, listening)


def _protocol() -> ModuleType:
    """The server's module, which needs an extra."""
    try:
        from voyager.serving import mcp_server
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in _OF_THE_EXTRA:
            raise
        from env.errors import VoyagerError

        raise VoyagerError(
            "serving by the Model Context Protocol needs the extra `mcp`: "
            "python -m pip install 'voyager-skill-library[mcp]'"
        ) from error
    return mcp_server


def _end_at_once(performer: Performer) -> None:
    """Let a signal end this process although a thread waits for the next line of stdin."""

    def end(number: int, _: FrameType | None) -> None:
        performer.close()
        os._exit(128 + number)

    for number in _SIGNALS:
        signal.signal(number, end)


def _end_in_order() -> None:
    """Let SIGTERM leave the blocks that close things, as Ctrl-C does.

    The web server takes signals first, and passes them on when its clients are served.
    """

    def end(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, end)
