"""An exporter that fails when half of it is written."""

from __future__ import annotations

from pathlib import Path

from skill_store.export import Bundle, ExportError, ExportOptions


def export(bundle: Bundle, folder: Path, options: ExportOptions) -> None:
    (folder / "half.txt").write_text("half")
    raise ExportError("stopped half way")
