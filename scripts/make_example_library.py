"""Puts an explored home into examples/library: `python scripts/make_example_library.py [HOME]`.

The shipped library is made by the loop itself and by nothing else. Without a home one is explored
from nothing; with one, that one is taken as it is. Every certificate is replayed first, and only
a library of which each episode is the same bit for bit goes in. The home is not changed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from env.errors import VoyagerError
from env.executors import ProcessExecutor
from env.replays import ReplayVerdict, replay
from skill_store import Library
from skill_store.archive import Backup, backup, restore
from voyager.wording import fingerprint_words

FOLDER: Final = Path(__file__).resolve().parents[1] / "examples" / "library"
ARCHIVE: Final = FOLDER / "library.tar.gz"
LARGEST: Final = 300_000
"""Bytes that the archive may have."""
_STEPS: Final = 1_500_000

_README: Final = """\
# A library to look at

`library.tar.gz` is the backup of a home with {skills} skills. An explorer made all of them by
itself, without a language model: {how}.

    voyager home restore examples/library/library.tar.gz --home somewhere
    voyager skills list --home somewhere
    voyager skills verify --all --home somewhere
    voyager skills run {example} --seed 1 --gif film.gif --home somewhere

| skill | goal | solved of the unseen scenes | lower bound |
|---|---|---|---|
{rows}

The certificates were made on {day} (UTC), with this fingerprint: {fingerprint}.
On a machine with the same fingerprint every episode is the same bit for bit; elsewhere outcomes
are the same and margins within tolerance, or `skills verify` says what differs.

Vectors are left out; they are made again when the home is first searched. When the code of the
judge has changed since, a test looks whether all episodes still end the same; if not, the library
is made anew with `python scripts/make_example_library.py`, or with a home behind it that was
explored with the new code.
"""


def main(arguments: Sequence[str]) -> int:
    """Make the archive and its page.

    Args:
        arguments: What follows the script's name.

    Returns:
        The exit code: 0 if the archive is there.
    """
    parser = argparse.ArgumentParser(description="Make examples/library/library.tar.gz.")
    parser.add_argument("home", nargs="?", type=Path, help="an explored home (else a new one)")
    parser.add_argument("--steps", type=int, default=_STEPS, help="simulated steps of a new one")
    parser.add_argument("--seed", type=int, default=0, help="seed of a new one")
    parser.add_argument("--workers", type=int, default=2, help="processes (2)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as place:
        home = options.home or Path(place) / "home"
        try:
            if options.home is None:
                _explore(home, options.seed, options.steps, options.workers)
            made = make(home, Path(place), options.workers)
        except VoyagerError as error:
            sys.stderr.write(f"{error}\n")
            return 1
    sys.stdout.write(f"{made.skills} skills in {ARCHIVE} ({made.size:,} bytes)\n")
    return 0


def make(home: Path, place: Path, workers: int) -> Backup:
    """Put a home into the archive, after a look at everything in it.

    Args:
        home: An explored home.
        place: A folder for what is needed on the way.
        workers: Processes that replay.

    Returns:
        What the archive holds.

    Raises:
        VoyagerError: If something in the home is wrong, or the archive becomes too large.
    """
    copy = place / "copy"
    restore(backup(home, place / "whole.tar.gz").path, copy)
    with Library.open(copy, learning=True) as library:
        if problems := library.problems():
            raise VoyagerError(f"{home} is not sound: {problems[0]}")
        _replay(library, workers)
        page = _page(library)
        with library.database.transaction():
            library.database.execute("DELETE FROM vectors")
        library.database.execute("VACUUM")
    made = backup(copy, place / "library.tar.gz")
    if made.size > LARGEST:
        raise VoyagerError(
            f"the archive has {made.size:,} bytes, more than {LARGEST:,}; take a home that was "
            "explored for fewer steps"
        )
    FOLDER.mkdir(parents=True, exist_ok=True)
    ARCHIVE.write_bytes(made.path.read_bytes())
    (FOLDER / "README.md").write_text(page, encoding="utf-8")
    return made


def _explore(home: Path, seed: int, steps: int, workers: int) -> None:
    words = ["explore", "--steps", steps, "--seed", seed, "--workers", workers, "--no-pictures"]
    command = [sys.executable, "-m", "voyager", *map(str, words), "--home", str(home)]
    if subprocess.run(command, check=False).returncode:
        raise VoyagerError("exploring did not come to its end; see above")


def _replay(library: Library, workers: int) -> None:
    names = library.names()
    if not names:
        raise VoyagerError("there is no skill in this home; explore for more steps")
    with ProcessExecutor(workers) as executor:
        for name in names:
            skill = library.get(name)
            report = replay(
                skill.certificate,
                skill.task,
                skill.closure,
                executor=executor,
                handovers=library.handovers_of(skill.certificate),
            )
            if report.differences or report.verdict is not ReplayVerdict.IDENTICAL:
                differs = ", ".join(report.differences) or "nothing else"
                raise VoyagerError(
                    f"{name!r} replays as {report.verdict.value!r} here (other than when it was "
                    f"certified: {differs}); explore anew with the code and machine at hand"
                )


def _page(library: Library) -> str:
    entries = library.entries()
    newest = max(entry.added_at for entry in entries)
    fingerprint = library.get(entries[-1].name).certificate.fingerprint
    told = ", ".join(
        f"{field} {fingerprint_words(value)}"
        for field, value in fingerprint.to_json().items()
        if field != "extensions"
    )
    return _README.format(
        skills=len(entries),
        how=_how(library, newest),
        example=max(entries, key=lambda entry: len(entry.callees)).name,
        rows="\n".join(
            f"| {e.name} | `{e.goal}` | {e.k} of {e.n} | "
            f"{'not deepened' if e.bound is None else f'{e.bound:.1%}'} |"
            for e in entries
        ),
        day=f"{newest:%Y-%m-%d}",
        fingerprint=told,
    )


def _how(library: Library, newest: datetime) -> str:
    runs = library.database.rows("SELECT command, seed FROM runs ORDER BY id")
    told = sorted({f"`voyager {row['command']} --seed {row['seed']}`" for row in runs})
    steps = sum(attempt.simulated_steps or 0 for attempt in library.journal.attempts())
    return f"{' and '.join(told) or 'by hand'}, {steps:,} simulated steps up to {newest:%Y-%m-%d}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
