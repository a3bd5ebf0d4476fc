# Copyright (c) 2026 The voyager-skill-library authors
# SPDX-License-Identifier: MIT-0
"""Builds this package with the standard library alone, so that pip needs no network for it.

Does what PEP 517 and PEP 660 ask of a build backend, for one package of plain files.
"""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

_HERE: Final = Path(__file__).parent
_LICENCE: Final = "LICENSE"
_EPOCH: Final = (2020, 1, 1, 0, 0, 0)
"""The same files make the same wheel, whenever it is built."""


def build_wheel(
    wheel_directory: str,
    config_settings: Mapping[str, Any] | None = None,
    metadata_directory: str | None = None,
) -> str:
    """Write the wheel; returns its file name."""
    return _wheel(wheel_directory, dict(_package()))


def build_editable(
    wheel_directory: str,
    config_settings: Mapping[str, Any] | None = None,
    metadata_directory: str | None = None,
) -> str:
    """Write a wheel that points to this folder; returns its file name."""
    return _wheel(wheel_directory, {f"{_module()}.pth": f"{_HERE.resolve()}\n".encode()})


def build_sdist(sdist_directory: str, config_settings: Mapping[str, Any] | None = None) -> str:
    """Write a source archive of this folder; returns its file name."""
    stem = f"{_module()}-{_project()['version']}"
    name = f"{stem}.tar.gz"
    files = {path.name: path.read_bytes() for path in _HERE.iterdir() if path.is_file()}
    files |= dict(_package())
    files["PKG-INFO"] = _metadata().encode()
    with tarfile.open(Path(sdist_directory) / name, "w:gz") as archive:
        for path, data in sorted(files.items()):
            entry = tarfile.TarInfo(f"{stem}/{path}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return name


def _project() -> dict[str, Any]:
    table = tomllib.loads((_HERE / "pyproject.toml").read_text(encoding="utf-8"))
    project: dict[str, Any] = table["project"]
    return project


def _module() -> str:
    return str(_project()["name"]).replace("-", "_")


def _package() -> Iterator[tuple[str, bytes]]:
    for path in sorted((_HERE / _module()).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(_HERE).as_posix(), path.read_bytes()


def _metadata() -> str:
    project = _project()
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {project['name']}",
        f"Version: {project['version']}",
        f"Summary: {project['description']}",
        f"License-Expression: {project['license']}",
        f"License-File: {_LICENCE}",
        f"Requires-Python: {project['requires-python']}",
        *(f"Requires-Dist: {wanted}" for wanted in project["dependencies"]),
    ]
    for extra, wanted in project["optional-dependencies"].items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f'Requires-Dist: {one}; extra == "{extra}"' for one in wanted]
    lines += ["Description-Content-Type: text/markdown", ""]
    return "\n".join(lines) + "\n" + (_HERE / "README.md").read_text(encoding="utf-8")


def _wheel(directory: str, files: dict[str, bytes]) -> str:
    project = _project()
    stem = f"{_module()}-{project['version']}"
    about = f"{stem}.dist-info"
    files[f"{about}/METADATA"] = _metadata().encode()
    files[f"{about}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: build_backend\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    files[f"{about}/licenses/{_LICENCE}"] = (_HERE / _LICENCE).read_bytes()
    rows = [f"{path},sha256={_digest(data)},{len(data)}\n" for path, data in files.items()]
    files[f"{about}/RECORD"] = "".join([*rows, f"{about}/RECORD,,\n"]).encode()
    name = f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(Path(directory) / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return name


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
