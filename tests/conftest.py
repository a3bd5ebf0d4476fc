"""What holds for every test: no network, and a home of its own."""

from __future__ import annotations

import gc
import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

# How fast a busy machine is says nothing about the code.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")

# A runner in the background starts with Ctrl-C ignored, and all its children would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What was loaded until here stays: no test has to look through it for garbage again."""
    gc.freeze()


class NetworkReached(Exception):
    """A test tried to leave this machine."""


_reached: list[str] = []


def _is_local(host: object) -> bool:
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _refuse_network(event: str, arguments: tuple[object, ...]) -> None:
    if not event.startswith("socket."):
        return
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        sock, address = arguments[0], arguments[1]
        family = sock.family if isinstance(sock, socket.socket) else None
        if family == socket.AF_UNIX or address is None:
            return
        host = address[0] if isinstance(address, tuple) and address else address
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if not _is_local(host):
        _reached.append(f"{event} {host!r}")
        raise NetworkReached(f"a test tried to reach {host!r}; use a fake on loopback")


# An audit hook also sees what C code and swallowed exceptions would hide.
sys.addaudithook(_refuse_network)


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    """Fail a test that tried to reach the network, even if its code swallowed the error."""
    _reached.clear()
    yield
    tried, _reached[:] = tuple(_reached), []
    if tried:
        pytest.fail(f"reached for the network: {', '.join(tried)}")


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Point everything at a fresh home, so that no test reads or writes the user's."""
    for variable in [name for name in os.environ if name.startswith("VOYAGER_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("VOYAGER_HOME", str(tmp_path / "home"))


@pytest.fixture(autouse=True)
def _no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away every key and address of a language model: no test may ask one for money."""
    for name in [*os.environ]:
        if name.endswith(("_API_KEY", "_BASE_URL")) or name.startswith(
            ("LANGSMITH_", "LANGCHAIN_")
        ):
            monkeypatch.delenv(name)
