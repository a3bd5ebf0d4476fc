# Copyright (c) 2026 The voyager-skill-library authors
# SPDX-License-Identifier: MIT-0
"""The skills of the installed package: its index, its programs, and the evidence it carries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from .running import Skills

_HERE: Final = Path(__file__).parent


def index() -> dict[str, Any]:
    """What the package holds: its skills and programs, as described in its README."""
    return _read("index.json")


def source(file: str) -> tuple[str, str]:
    """The text of a program's file, to the byte, and its path."""
    path = _HERE / "programs" / file
    return path.read_bytes().decode("utf-8"), str(path)


def evidence(name: str) -> dict[str, Any]:
    """Task, certificate and what else a replay of a skill's certificate needs."""
    return _read(f"evidence/{name}.json")


def load() -> Skills:
    """The package's skills, ready to run."""
    found = index()
    files = {key: program["file"] for key, program in found["programs"].items()}
    return Skills(found, lambda key: source(files[key]))


def _read(name: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((_HERE / "data" / name).read_text(encoding="utf-8"))
    return record
