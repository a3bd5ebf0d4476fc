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

_SECOND_FORM: Final = """
-- Every program that ever stood for a skill; `skills` names the one that stands for it now.
CREATE TABLE versions (
    skill        TEXT NOT NULL REFERENCES skills (name),
    number       INTEGER NOT NULL CHECK (number >= 1),
    program      TEXT NOT NULL UNIQUE REFERENCES programs (hash),
    certificate  TEXT NOT NULL UNIQUE REFERENCES certificates (hash),
    origin       TEXT NOT NULL CHECK (origin IN ('learned', 'edited', 'relocked', 'challenger')),
    added_at     TEXT NOT NULL,
    PRIMARY KEY (skill, number)
) STRICT, WITHOUT ROWID;
INSERT INTO versions SELECT name, 1, program, certificate, 'learned', added_at FROM skills;
ALTER TABLE skills ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE skills ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1));

-- Champion against challenger on fresh scenes that both were given.
CREATE TABLE duels (
    id          INTEGER PRIMARY KEY,
    skill       TEXT NOT NULL REFERENCES skills (name),
    champion    TEXT NOT NULL REFERENCES programs (hash),
    challenger  TEXT NOT NULL REFERENCES programs (hash),
    scenes      INTEGER NOT NULL,
    won         INTEGER NOT NULL,
    lost        INTEGER NOT NULL,
    replaced    INTEGER NOT NULL CHECK (replaced IN (0, 1)),
    json        TEXT NOT NULL,
    fought_at   TEXT NOT NULL
) STRICT;

-- Calls of a skill in certified episodes of other skills, and how many kept its contract.
CREATE TABLE uses (
    program  TEXT PRIMARY KEY REFERENCES programs (hash),
    calls    INTEGER NOT NULL,
    kept     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a task's goal speaks about: finds candidates among many skills without parsing goals.
CREATE TABLE promises (
    task       TEXT NOT NULL REFERENCES tasks (hash),
    predicate  TEXT NOT NULL,
    PRIMARY KEY (task, predicate)
) STRICT, WITHOUT ROWID;
CREATE INDEX promises_by_predicate ON promises (predicate);

-- The truth about embeddings; every index is rebuilt from here.
CREATE TABLE vectors (
    program   TEXT NOT NULL REFERENCES programs (hash),
    view      TEXT NOT NULL,
    embedder  TEXT NOT NULL,
    digest    TEXT NOT NULL,
    vector    BLOB NOT NULL,
    PRIMARY KEY (program, view, embedder)
) STRICT, WITHOUT ROWID;

-- How the control programs did with a task on a platform; admitted 0: the task was refused.
CREATE TABLE controls (
    task      TEXT NOT NULL REFERENCES tasks (hash),
    platform  TEXT NOT NULL,
    admitted  INTEGER NOT NULL CHECK (admitted IN (0, 1)),
    json      TEXT NOT NULL,
    made_at   TEXT NOT NULL,
    PRIMARY KEY (task, platform)
) STRICT, WITHOUT ROWID;

-- What users asked for.
CREATE TABLE queue (
    id          INTEGER PRIMARY KEY,
    task        TEXT NOT NULL REFERENCES tasks (hash),
    wording     TEXT NOT NULL,
    name        TEXT,
    state       TEXT NOT NULL
                CHECK (state IN ('waiting', 'learned', 'failed', 'refused', 'dropped')),
    note        TEXT NOT NULL DEFAULT '',
    queued_at   TEXT NOT NULL,
    settled_at  TEXT
) STRICT;
CREATE UNIQUE INDEX one_wait_a_task ON queue (task) WHERE state = 'waiting';

-- What the explorer chose to attempt, and why.
CREATE TABLE decisions (
    attempt   INTEGER PRIMARY KEY REFERENCES attempts (id),
    number    INTEGER NOT NULL,
    proposer  TEXT NOT NULL,
    why       TEXT NOT NULL
) STRICT;

-- What was decided about a task before anything was written.
CREATE TABLE routes (
    id          INTEGER PRIMARY KEY,
    task        TEXT NOT NULL REFERENCES tasks (hash),
    decision    TEXT NOT NULL CHECK (decision IN ('run', 'adapt', 'write')),
    skill       TEXT,
    why         TEXT NOT NULL,
    decided_at  TEXT NOT NULL
) STRICT;
"""

_THIRD_FORM: Final = """
-- Every question to a model: reserved before it is asked, settled after.
CREATE TABLE exchanges (
    id             INTEGER PRIMARY KEY,
    run            INTEGER REFERENCES runs (id),
    attempt        INTEGER REFERENCES attempts (id),
    purpose        TEXT NOT NULL,
    model          TEXT NOT NULL,
    question       TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('reserved', 'settled', 'failed', 'lost')),
    input_tokens   INTEGER NOT NULL,
    output_tokens  INTEGER NOT NULL,
    reported       INTEGER NOT NULL DEFAULT 0,
    micro_usd      INTEGER,
    note           TEXT NOT NULL DEFAULT '',
    asked_at       TEXT NOT NULL,
    settled_at     TEXT
) STRICT;

-- Nodes of the tree of programs that an attempt tried.
CREATE TABLE drafts (
    id        INTEGER PRIMARY KEY,
    attempt   INTEGER NOT NULL REFERENCES attempts (id),
    parent    INTEGER REFERENCES drafts (id),
    program   TEXT NOT NULL,
    source    TEXT NOT NULL,
    value     REAL,
    outcome   TEXT NOT NULL,
    feedback  TEXT NOT NULL,
    made_at   TEXT NOT NULL,
    UNIQUE (attempt, program)
) STRICT;
CREATE INDEX drafts_by_parent ON drafts (parent);

-- What failures taught.
CREATE TABLE lessons (
    id        INTEGER PRIMARY KEY,
    attempt   INTEGER REFERENCES attempts (id),
    failure   TEXT NOT NULL,
    task      TEXT NOT NULL REFERENCES tasks (hash),
    evidence  TEXT NOT NULL,
    lesson    TEXT NOT NULL,
    advice    TEXT NOT NULL,
    state     TEXT NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'retired')),
    used      INTEGER NOT NULL DEFAULT 0,
    helped    INTEGER NOT NULL DEFAULT 0,
    made_at   TEXT NOT NULL
) STRICT;

-- Caps on what models may cost in this home.
CREATE TABLE allowances (
    name    TEXT PRIMARY KEY CHECK (name IN ('usd', 'calls', 'hours')),
    cap     INTEGER NOT NULL,
    set_at  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A version is a program with a certificate: under another judge the same program is certified
-- again. That a program has one contract is kept up all the same.
CREATE TABLE proved_versions (
    skill        TEXT NOT NULL REFERENCES skills (name),
    number       INTEGER NOT NULL CHECK (number >= 1),
    program      TEXT NOT NULL REFERENCES programs (hash),
    certificate  TEXT NOT NULL UNIQUE REFERENCES certificates (hash),
    origin       TEXT NOT NULL
                 CHECK (origin IN ('learned', 'edited', 'relocked', 'challenger', 'renewed')),
    added_at     TEXT NOT NULL,
    PRIMARY KEY (skill, number)
) STRICT, WITHOUT ROWID;
INSERT INTO proved_versions
SELECT skill, number, program, certificate, origin, added_at FROM versions;
DROP TABLE versions;
ALTER TABLE proved_versions RENAME TO versions;
CREATE INDEX versions_by_program ON versions (program);
CREATE INDEX renewed_versions ON versions (program, added_at) WHERE origin = 'renewed';

DROP INDEX one_contract_a_program;
CREATE INDEX admitted_programs ON certifications (program, task) WHERE admitted = 1;
CREATE TRIGGER one_contract_a_program BEFORE UPDATE OF admitted ON certifications
WHEN new.admitted = 1 AND EXISTS (
    SELECT 1 FROM certifications
    WHERE program = new.program AND admitted = 1 AND task != new.task
)
BEGIN
    SELECT RAISE(ABORT, 'a program has one contract');
END;

-- What the list of skills shows, beside each skill: gathered from six places it would take ten
-- times as long. The database itself keeps it up, whoever writes.
ALTER TABLE skills ADD COLUMN instruction TEXT NOT NULL DEFAULT '';
ALTER TABLE skills ADD COLUMN goal TEXT NOT NULL DEFAULT '';
ALTER TABLE skills ADD COLUMN parameters TEXT NOT NULL DEFAULT '[]';
ALTER TABLE skills ADD COLUMN callees TEXT NOT NULL DEFAULT '';
ALTER TABLE skills ADD COLUMN k INTEGER NOT NULL DEFAULT 0;
ALTER TABLE skills ADD COLUMN n INTEGER NOT NULL DEFAULT 0;
ALTER TABLE skills ADD COLUMN bound REAL;
ALTER TABLE skills ADD COLUMN sandbox TEXT NOT NULL DEFAULT 'linux-kernel';
CREATE INDEX skills_by_age ON skills (added_at, name);
CREATE VIEW lines AS
SELECT skills.name,
       json_extract(certifications.wording, '$.instruction') AS instruction,
       json_extract(certifications.wording, '$.goal') AS goal,
       json_extract(certifications.wording, '$.parameters') AS parameters,
       coalesce((SELECT group_concat(name, ' ') FROM (
           SELECT name FROM locks WHERE caller = skills.program ORDER BY name
       )), '') AS callees,
       certificates.k,
       certificates.n,
       (SELECT bound FROM deepenings WHERE certificate = skills.certificate
        ORDER BY id DESC LIMIT 1) AS bound,
       -- Named by every record that was not made in the sandbox with walls.
       coalesce(
           (SELECT json_extract(json, '$.fingerprint.sandbox') FROM deepenings
            WHERE certificate = skills.certificate ORDER BY id DESC LIMIT 1),
           json_extract(certificates.json, '$.fingerprint.sandbox'),
           'linux-kernel'
       ) AS sandbox
FROM skills
JOIN certificates ON certificates.hash = skills.certificate
JOIN certifications ON certifications.task = certificates.task
                   AND certifications.ordinal = certificates.ordinal;
CREATE TRIGGER line_of_a_skill AFTER INSERT ON skills
BEGIN
    UPDATE skills SET (instruction, goal, parameters, callees, k, n, bound, sandbox) = (
        SELECT instruction, goal, parameters, callees, k, n, bound, sandbox
        FROM lines WHERE lines.name = new.name
    ) WHERE name = new.name;
END;
CREATE TRIGGER line_of_a_champion AFTER UPDATE OF program, certificate ON skills
BEGIN
    UPDATE skills SET (instruction, goal, parameters, callees, k, n, bound, sandbox) = (
        SELECT instruction, goal, parameters, callees, k, n, bound, sandbox
        FROM lines WHERE lines.name = new.name
    ) WHERE name = new.name;
END;
CREATE TRIGGER line_of_a_bound AFTER INSERT ON deepenings
BEGIN
    UPDATE skills SET (bound, sandbox) = (
        SELECT bound, sandbox FROM lines WHERE lines.name = skills.name
    ) WHERE certificate = new.certificate;
END;
UPDATE skills SET program = program;
"""

_FOURTH_FORM: Final = """
-- Programs from an archive that are not certified here: shown, and called by nobody. Also those
-- that a skill of the archive calls; they are certified before their callers.
CREATE TABLE quarantine (
    id           INTEGER PRIMARY KEY,
    archive      TEXT NOT NULL,
    name         TEXT NOT NULL,
    program      TEXT NOT NULL UNIQUE,
    task         TEXT NOT NULL,
    champion     INTEGER NOT NULL CHECK (champion IN (0, 1)),
    closure      TEXT NOT NULL,
    wording      TEXT NOT NULL,
    evidence     TEXT NOT NULL,
    -- Drawn when it came: scenes that follow from it were known to nobody before.
    nonce        TEXT NOT NULL,
    state        TEXT NOT NULL DEFAULT 'waiting'
                 CHECK (state IN ('waiting', 'admitted', 'refused')),
    why          TEXT NOT NULL DEFAULT '',
    imported_at  TEXT NOT NULL,
    settled_at   TEXT
) STRICT;
CREATE INDEX quarantine_by_name ON quarantine (name);

-- What a running explorer is told, asked for between two attempts.
CREATE TABLE steering (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    paused      INTEGER NOT NULL CHECK (paused IN (0, 1)),
    changed_at  TEXT NOT NULL
) STRICT;

-- A version may have come from elsewhere.
CREATE TABLE origin_versions (
    skill        TEXT NOT NULL REFERENCES skills (name),
    number       INTEGER NOT NULL CHECK (number >= 1),
    program      TEXT NOT NULL REFERENCES programs (hash),
    certificate  TEXT NOT NULL UNIQUE REFERENCES certificates (hash),
    origin       TEXT NOT NULL CHECK (origin IN (
                     'learned', 'edited', 'relocked', 'challenger', 'renewed', 'imported'
                 )),
    added_at     TEXT NOT NULL,
    PRIMARY KEY (skill, number)
) STRICT, WITHOUT ROWID;
INSERT INTO origin_versions
SELECT skill, number, program, certificate, origin, added_at FROM versions;
DROP TABLE versions;
ALTER TABLE origin_versions RENAME TO versions;
CREATE INDEX versions_by_program ON versions (program);
CREATE INDEX renewed_versions ON versions (program, added_at) WHERE origin = 'renewed';
"""

MIGRATIONS: Final[tuple[str, ...]] = (_FIRST_FORM, _SECOND_FORM, _THIRD_FORM, _FOURTH_FORM)
"""Steps from an empty database to the newest form; step i takes version i to version i + 1."""
