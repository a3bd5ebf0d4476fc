"""The command line: `python -m bench [PART ...]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.status import Status

from bench import admission, holes, panda_gym, proof
from bench.branching import branching
from bench.browser import browser
from bench.calls import calls
from bench.certification import certification
from bench.memory import EPISODES, memory
from bench.metered import Metered
from bench.overhead import overhead
from bench.programs import put_on, put_on_task
from bench.report import Report, machine, save, show, terminal
from bench.retrieval import SIZES, Corpus, finding, speed
from bench.scale import scale
from bench.search import BUDGET, GOALS, search
from bench.stepping import stepping
from env.errors import VoyagerError
from env.executors import make_executor
from env.world import World
from voyager.events import Event

PARTS: Final = (
    *("overhead", "stepping", "calls", "certify", "branching", "retrieval", "scale", "memory"),
    *("browser", "search"),
)
COMMANDS: Final[Mapping[str, Callable[[Sequence[str]], int]]] = {
    "admission": admission.main,
    "holes": holes.main,
    "panda-gym": panda_gym.main,
    "proof": proof.main,
}
"""Longer measurements, which have options of their own and are never run without being named."""
_SHORT_GOALS: Final = ("reach", "lift")
"""What is learned when `search` is not asked for by name; the whole road takes long."""
_FEW_EPISODES: Final = 500
"""Episodes of `memory` when it is not asked for by name."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print tables, and write JSON if asked to.

    Args:
        arguments: Of the command line; those of this process if None.

    Returns:
        The exit code.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    errors = Console(stderr=True)
    try:
        if given and given[0] in COMMANDS:
            return COMMANDS[given[0]](given[1:])
        _Run(_parser().parse_args(given), terminal(), errors).measure()
    except VoyagerError as error:
        errors.print(f"error: {error}", markup=False, highlight=False)
        return 1
    except KeyboardInterrupt:
        errors.print("stopped; what was measured so far is kept")
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure what judge, sandbox and search cost, how skills are found, and "
        "what many skills and many episodes take.",
        epilog="Without PART all are measured; search then learns "
        f"{' and '.join(_SHORT_GOALS)} only, and memory runs {_FEW_EPISODES} episodes. "
        "`python -m bench search` goes the whole road, ten minutes and more for each seed; "
        f"`python -m bench memory` runs {EPISODES:,} episodes, about ten minutes. "
        f"With options of their own: {', '.join(f'`python -m bench {c}`' for c in COMMANDS)}.",
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument(
        "--rounds", type=_count, default=8, help="scenes to compare on (%(default)s)"
    )
    parser.add_argument("--repeats", type=_count, default=3, help="runs of each (%(default)s)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="of search (0)")
    parser.add_argument("--goals", nargs="+", choices=list(GOALS), help="of search, in this order")
    parser.add_argument(
        "--budget", type=_count, default=BUDGET, help="simulated steps of search (%(default)s)"
    )
    parser.add_argument("--library", choices=("on", "off", "both"), default="both")
    parser.add_argument("--workers", type=_count, help="processes of search (one for each CPU)")
    parser.add_argument("--episodes", type=_count, help=f"of memory ({EPISODES})")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write JSON as well")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


@dataclass(slots=True)
class _Run:
    """One call of the command."""

    options: argparse.Namespace
    console: Console
    errors: Console
    about: dict[str, Any] = field(default_factory=machine)
    reports: list[Report] = field(default_factory=list)

    def measure(self) -> None:
        asked = tuple(self.options.parts) or PARTS
        unknown = [part for part in asked if part not in PARTS]
        if unknown:
            raise VoyagerError(f"there is no part {unknown[0]!r}; there are: {', '.join(PARTS)}")
        for part in PARTS:
            if part in asked:
                with self.errors.status(f"measuring: {part}") as status:
                    for report in self._part(part, status):
                        self.reports.append(report)
                        show(report, self.console)
                        self._save(self.reports)

    def _part(self, part: str, status: Status) -> Iterable[Report]:
        rounds, repeats = self.options.rounds, self.options.repeats
        match part:
            case "certify":
                return [certification(put_on_task(), put_on(), max(2, rounds // 4))]
            case "branching":
                return [branching(rounds)]
            case "retrieval":
                corpus = Corpus.load()
                return [finding(corpus), speed(corpus, SIZES, 10 * repeats)]
            case "scale":
                return scale(rounds=rounds, repeats=repeats)
            case "browser":
                return [browser(repeats=repeats)]
            case "memory":
                return [self._memory(status)]
            case "search":
                return self._search(status)
            case _:
                return self._physics(part, rounds, repeats)

    def _physics(self, part: str, rounds: int, repeats: int) -> Iterator[Report]:
        with World() as world, Metered() as sandbox:
            if part == "overhead":
                yield from overhead(world, sandbox, rounds, repeats)
            elif part == "stepping":
                yield stepping(world, sandbox, rounds, repeats)
            else:
                yield from calls(world, sandbox, rounds, repeats)

    def _memory(self, status: Status) -> Report:
        usual = EPISODES if "memory" in self.options.parts else _FEW_EPISODES
        episodes = self.options.episodes or usual
        return memory(episodes, lambda done: status.update(f"memory: {done} of {episodes}"))

    def _search(self, status: Status) -> list[Report]:
        options = self.options
        short = () if "search" in options.parts else _SHORT_GOALS
        libraries = {"on": (True,), "off": (False,), "both": (True, False)}[options.library]

        def watch(event: Event) -> None:
            status.update(
                f"{event.stage}: {event.text}, {event.simulated_steps:,} of {event.budget:,} "
                f"steps, {event.nodes} nodes, {event.solved}/{event.of} solved"
            )

        with make_executor(options.workers) as executor:
            return search(
                executor,
                goals=options.goals or short or tuple(GOALS),
                seeds=options.seeds,
                budget=options.budget,
                libraries=libraries,
                watch=watch,
                journal=lambda reports: self._save([*self.reports, *reports]),
            )

    def _save(self, reports: Sequence[Report]) -> None:
        if self.options.out is None:
            return
        try:
            save(self.options.out, reports, self.about)
        except OSError as error:
            raise VoyagerError(f"cannot write {self.options.out}: {error}") from error
