# Copyright (c) 2026 The voyager-skill-library authors
# SPDX-License-Identifier: MIT-0
"""Proves the certificates of this package again, in the simulator that they were made in.

Needs the extra `selftest`: the project that certified the skills, with its physics. Each episode
of a certificate is run once more, with the programs as they lie in this package, in the sandbox
and before the judge of that project. On the same platform each must come out bit for bit; on
another one outcomes and margins are compared, and a difference refutes nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final

from . import installed
from .check_adapter import print_json

_BROKEN: Final = "broken"
_NOT_REPLAYED: Final = "not replayed"


def main(argv: Sequence[str] | None = None) -> int:
    """Replay certificates.

    Args:
        argv: The command line; that of the process when None.

    Returns:
        0 if all hold, 1 if one is broken or cannot be replayed, 2 if the simulator is missing.
    """
    index = installed.index()
    names = [skill["name"] for skill in index["skills"]]
    told = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    told.add_argument("--skill", action="append", choices=names, metavar="NAME", default=[])
    told.add_argument("--scenes", type=int, metavar="N", help="only the first N of each")
    told.add_argument("--workers", type=int, default=1, metavar="N", help="processes (1)")
    told.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = told.parse_args(argv)
    if (chosen.scenes is not None and chosen.scenes < 1) or chosen.workers < 1:
        told.error("--scenes and --workers take whole numbers from 1")
    try:
        judge = _Judge(index, chosen.workers)
    except ImportError as error:
        sys.stderr.write(
            f"the simulator is not installed ({error}); install this package with its extra "
            "`selftest`, as its README says\n"
        )
        return 2
    reports = []
    try:
        for name in chosen.skill or names:
            report = judge.replay(name, chosen.scenes)
            reports.append(report)
            if not chosen.json:
                sys.stdout.write(_line(report))
                sys.stdout.flush()
    finally:
        judge.close()
    ok = not any(report["verdict"] in (_BROKEN, _NOT_REPLAYED) for report in reports)
    if chosen.json:
        print_json({"schema": "voyager.selftest/1", "ok": ok, "skills": reports})
    return int(not ok)


def _line(report: Mapping[str, Any]) -> str:
    solved = f"{report['solved']} of {report['scenes']} scenes solved"
    why = f" ({report['detail']})" if report["detail"] else ""
    return f"{report['skill']:24}  {report['verdict']:15}  {solved}{why}\n"


class _Judge:
    """The certifying project, as far as it is needed here; imported only now."""

    def __init__(self, index: Mapping[str, Any], workers: int) -> None:
        """Load it.

        Raises:
            ImportError: If it is not installed.
        """
        self._index = index
        self._program = import_module("env.program")
        self._task = import_module("env.task").Task
        self._certificate = import_module("env.certificate").Certificate
        self._handover = import_module("env.starts").Handover
        self._replay = import_module("env.replays").replay
        errors = import_module("env.errors")
        self._problem: type[Exception] = errors.VoyagerError
        self._lost = (errors.SandboxError, errors.SimulatorError)
        executors = import_module("env.executors")
        self._executor = executors.make_executor(workers=workers)

    def close(self) -> None:
        """End the processes."""
        self._executor.close()

    def replay(self, name: str, scenes: int | None) -> dict[str, Any]:
        """Run the episodes of a skill's certificate again.

        Args:
            name: Of the skill.
            scenes: Only so many, or all.

        Returns:
            `skill`, `verdict`, `scenes`, `solved`, `detail`.
        """
        record = installed.evidence(name)
        try:
            certificate = self._certificate.from_json(record["certificate"])
            if scenes is not None:
                kept = certificate.scenes[:scenes]
                certificate = import_module("dataclasses").replace(certificate, scenes=kept)
            report = self._replay(
                certificate,
                self._task.from_json(record["task"]),
                self._closure(record["certificate"]["program"], record["contracts"]),
                executor=self._executor,
                handovers=[
                    self._handover(
                        self._program.Closure.from_json(start["closure"]),
                        self._task.from_json(start["task"]),
                    )
                    for start in record["handovers"]
                ],
            )
        except self._lost as error:
            return self._told(name, _NOT_REPLAYED, 0, 0, str(error))
        except self._problem as error:
            return self._told(name, _BROKEN, 0, 0, str(error))
        now = [scene.replayed for scene in report.scenes if scene.replayed is not None]
        solved = sum(scene.outcome.value == "solved" for scene in now)
        first = report.first_difference
        detail = ", ".join(f"other {field}" for field in report.differences)
        if first is not None:
            detail = "; ".join(filter(None, (detail, first.detail)))
        return self._told(name, report.verdict.value, len(report.scenes), solved, detail)

    @staticmethod
    def _told(name: str, verdict: str, scenes: int, solved: int, detail: str) -> dict[str, Any]:
        return {
            "skill": name,
            "verdict": verdict,
            "scenes": scenes,
            "solved": solved,
            "detail": detail,
        }

    def _closure(self, root: str, contracts: Mapping[str, Any]) -> Any:
        """The closure of a program, from the files of this package: they are what is proved."""
        programs = {}
        waiting = [root]
        while waiting:
            key = waiting.pop()
            if key not in programs:
                known = self._index["programs"][key]
                source, _ = installed.source(known["file"])
                record = {
                    "schema": "voyager.program/1",
                    "hash": key,
                    "source": source,
                    "lock": known["lock"],
                }
                programs[key] = self._program.Program.from_json(record)
                waiting += known["lock"].values()
        promised = {key: self._task.from_json(task) for key, task in contracts.items()}
        return self._program.Closure(root, programs, promised)


if __name__ == "__main__":
    sys.exit(main())
