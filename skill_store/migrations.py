"""The form of the database, as an append-only list of steps.

The schema version is the number of steps taken. A released step is never edited: a library made
by it is on somebody's disk. Change the form by appending a step and testing it.
"""

from __future__ import annotations

from typing import Final

_FIRST_FORM: Final = """
CREATE TABLE runs (
    id          INTEGER PRIMARY KEY,
    command     TEXT NOT NULL,
    seed        INTEGER NOT NULL,
    config      TEXT NOT NULL,
    started_at  TEXT NOT NULL,
    ended_at    TEXT
) STRICT;

CREATE TABLE tasks (
    hash          TEXT PRIMARY KEY,
    instruction   TEXT NOT NULL,
    goal          TEXT NOT NULL,
    json          TEXT NOT NULL,
    first_seen_at TEXT NOT NULL
) STRICT;

CREATE TABLE programs (
    hash      TEXT PRIMARY KEY,
    name      TEXT NOT NULL,
    source    TEXT NOT NULL,
    added_at  TEXT NOT NULL
) STRICT;

CREATE TABLE locks (
    caller  TEXT NOT NULL REFERENCES programs (hash),
    name    TEXT NOT NULL,
    callee  TEXT NOT NULL REFERENCES programs (hash),
    PRIMARY KEY (caller, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX locks_by_callee ON locks (callee);

CREATE TABLE attempts (
    id          INTEGER PRIMARY KEY,
    run         INTEGER REFERENCES runs (id),
    task        TEXT NOT NULL REFERENCES tasks (hash),
    started_at  TEXT NOT NULL,
    ended_at    TEXT,
    outcome     TEXT,
    reason      TEXT,
    simulated_steps INTEGER,
    detail      TEXT
) STRICT;
CREATE INDEX attempts_by_task ON attempts (task);

CREATE TABLE certifications (
    task         TEXT NOT NULL REFERENCES tasks (hash),
    ordinal      INTEGER NOT NULL CHECK (ordinal >= 0),
    program      TEXT NOT NULL REFERENCES programs (hash),
    closure      TEXT NOT NULL,
    wording      TEXT NOT NULL,
    attempt      INTEGER REFERENCES attempts (id),
    reserved_at  TEXT NOT NULL,
    decided_at   TEXT,
    admitted     INTEGER CHECK (admitted IN (0, 1)),
    PRIMARY KEY (task, ordinal)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_contract_a_program ON certifications (program) WHERE admitted = 1;

CREATE TABLE certificates (
    hash      TEXT PRIMARY KEY,
    task      TEXT NOT NULL,
    ordinal   INTEGER NOT NULL,
    closure   TEXT NOT NULL,
    k         INTEGER NOT NULL,
    n         INTEGER NOT NULL,
    json      TEXT NOT NULL,
    added_at  TEXT NOT NULL,
    UNIQUE (task, ordinal),
    FOREIGN KEY (task, ordinal) REFERENCES certifications (task, ordinal)
) STRICT;

CREATE TABLE deepenings (
    id           INTEGER PRIMARY KEY,
    certificate  TEXT NOT NULL REFERENCES certificates (hash),
    look         INTEGER NOT NULL,
    k            INTEGER NOT NULL,
    bound        REAL NOT NULL,
    json         TEXT NOT NULL,
    added_at     TEXT NOT NULL
) STRICT;
CREATE INDEX deepenings_by_certificate ON deepenings (certificate);

CREATE TABLE skills (
    name         TEXT PRIMARY KEY,
    task         TEXT NOT NULL UNIQUE REFERENCES tasks (hash),
    program      TEXT NOT NULL UNIQUE REFERENCES programs (hash),
    certificate  TEXT NOT NULL UNIQUE REFERENCES certificates (hash),
    state        TEXT NOT NULL CHECK (state IN ('probation', 'active', 'stale', 'retired')),
    added_at     TEXT NOT NULL,
    changed_at   TEXT NOT NULL
) STRICT;

CREATE TABLE episodes (
    id       INTEGER PRIMARY KEY,
    attempt  INTEGER REFERENCES attempts (id),
    program  TEXT NOT NULL REFERENCES programs (hash),
    task     TEXT NOT NULL REFERENCES tasks (hash),
    purpose  TEXT NOT NULL,
    seed     INTEGER NOT NULL,
    outcome  TEXT NOT NULL,
    margin   REAL,
    json     TEXT NOT NULL,
    at       TEXT NOT NULL
) STRICT;
CREATE INDEX episodes_by_program ON episodes (program, purpose);
"""

MIGRATIONS: Final[tuple[str, ...]] = (_FIRST_FORM,)
"""Steps from an empty database to the newest form; step i takes version i to version i + 1."""
