"""Libraries to search in, made by the one road there is, and a process that is killed."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from bench.crowd import crowd
from env.task import Task
from skill_store import DATABASE, Database, Library, SkillState
from skill_store.chroma_index import ChromaIndex
from skill_store.lexical import LexicalEmbedder
from skill_store.retrieval import Retrieval
from skill_store.vector_index import Content, Vectors
from tests.skill_store.samples import certificate, plain

SKILLS = (
    ("put_on", "on(top, bottom)", {"top": "block", "bottom": "block"}, "Put a block on another."),
    ("fill_bowl", "inside(block, bowl)", {"block": "block", "bowl": "bowl"}, "Put a block in."),
    ("raise_block", "lifted(block)", {"block": "block"}, "Lift a block high above the table."),
    ("go_to", "at(gripper, block)", {"block": "block"}, "Move the gripper to a block."),
)


def teach(library: Library, name: str, task: Task) -> None:
    """Admit one skill with a certificate made by hand."""
    closure = plain(name, first=task.parameters[0][0])
    ordinal = library.reserve(task, closure)
    library.add(task, closure, certificate(task, closure, ordinal))


def make_library(home: Path) -> None:
    """Four skills that a person would tell apart."""
    with Library.open(home, learning=True) as library:
        for name, goal, parameters, instruction in SKILLS:
            teach(library, name, Task.make(goal, parameters, instruction=instruction))


def directions(count: int, dimension: int = 48, seed: int = 0) -> Vectors:
    """Vectors of length 1 that point anywhere."""
    made = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    scaled: Vectors = made / np.linalg.norm(made, axis=1, keepdims=True)
    return scaled


def contents(vectors: Vectors, digest: str) -> Content:
    """What an index of these vectors says of itself."""
    return Content("test", vectors.shape[1], len(vectors), digest)


def make_crowd(home: Path) -> None:
    """Sixty made-up skills, enough for an index to have a graph."""
    crowd(home, [(name, instruction) for name, _, _, instruction in SKILLS], 60)


def keep_writing(home: Path) -> None:
    """Keep an index that is flushed at every turn while skills come and go; never ends."""
    with Library.open(home, learning=True) as library:
        index = ChromaIndex.open(home, sync_threshold=10)
        retrieval = Retrieval(library, index, LexicalEmbedder())
        retrieval.refresh()
        sys.stdout.write("filled\n")
        sys.stdout.flush()
        with Database(home / DATABASE) as beside:
            while True:
                for state in (SkillState.RETIRED, SkillState.PROBATION):
                    # In one statement: the time is to be spent in the index.
                    beside.execute("UPDATE skills SET state = ? WHERE name LIKE '%_3'", (state,))
                    retrieval.refresh()
