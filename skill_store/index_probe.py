"""Whether an index on the disk is sound, found out by a process that may crash or hang over it.

A damaged index makes the library that reads it die of a segmentation fault, which nothing in the
same process can catch.
"""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

from skill_store.vector_index import Content

TIME_LIMIT: Final = 60.0
"""Seconds after which an index counts as damaged; a sound one of 30,000 vectors takes two."""
_BOOT: Final = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from skill_store.index_probe import report; report(sys.argv[2], float(sys.argv[3]))"
)


def examine(folder: Path, time_limit: float = TIME_LIMIT) -> Content | None:
    """Let a child process open an index and try it out.

    Args:
        folder: Of the index; does not have to exist.
        time_limit: Seconds that it may take.

    Returns:
        What the index holds; None when it is absent, damaged, of another make or half written.
    """
    if not folder.is_dir():
        return None
    try:
        done = subprocess.run(
            [sys.executable, "-c", _BOOT, json.dumps(sys.path), str(folder), str(time_limit)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # Its own clock ends it as well, should this process die first.
            timeout=time_limit + 5.0,
            check=False,
        )
    except (subprocess.TimeoutExpired, OSError):
        return None
    if done.returncode != 0:
        return None
    try:
        return Content(**json.loads(done.stdout.splitlines()[-1]))
    except (ValueError, TypeError, IndexError):
        return None


def report(folder: str, time_limit: float) -> None:
    """The child's part: print what the index holds, or end otherwise.

    Args:
        folder: Of the index.
        time_limit: Seconds after which this process ends itself.
    """
    from skill_store.chroma_index import look

    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, time_limit)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    content = look(Path(folder))
    sys.stdout.write("\n" + json.dumps(None if content is None else asdict(content)) + "\n")
