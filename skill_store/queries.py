"""The questions that `catalogue` puts to the database, as SQL."""

from __future__ import annotations

from typing import Final

_CALLABLE: Final = "skills.state IN ('probation', 'active')"
_IN_ORDER: Final = "ORDER BY skills.added_at, skills.name"

_CERTIFICATION: Final = """
JOIN certifications ON certifications.task = certificates.task
                   AND certifications.ordinal = certificates.ordinal
"""
_NEWEST_DEEPENING: Final = """
LEFT JOIN deepenings ON deepenings.id = (
    SELECT max(id) FROM deepenings WHERE deepenings.certificate = certificates.hash
)
"""

LINES: Final = "\n".join(
    (
        # Which skills these are is settled first: whatever is sorted is worked out for all rows.
        "WITH page AS MATERIALIZED (SELECT name FROM skills",
        _IN_ORDER,
        "LIMIT ? OFFSET ?)",
        # Small columns only: reading a certificate takes a hundred times as long.
        """
        SELECT skills.name, skills.task, skills.program, skills.state, skills.added_at,
               skills.version, skills.pinned, certificates.k, certificates.n, deepenings.bound,
               json_extract(certifications.wording, '$.instruction') AS instruction,
               json_extract(certifications.wording, '$.goal') AS goal,
               json_extract(certifications.wording, '$.parameters') AS parameters,
               (SELECT group_concat(name, ' ') FROM (
                   SELECT name FROM locks WHERE caller = skills.program ORDER BY name
               )) AS callees
        FROM page
        JOIN skills ON skills.name = page.name
        JOIN certificates ON certificates.hash = skills.certificate
        """,
        _CERTIFICATION,
        _NEWEST_DEEPENING,
        _IN_ORDER,
    )
)
"""The list of skills, oldest first. Parameters: how many (-1: all), how many to leave out."""

WHOLE: Final = "\n".join(
    (
        """
        SELECT skills.name, skills.task, skills.state, skills.pinned, skills.added_at,
               versions.number AS version, versions.program, certifications.wording,
               certificates.json AS certificate_json, deepenings.json AS deepening_json
        FROM skills
        JOIN versions ON versions.skill = skills.name
        JOIN certificates ON certificates.hash = versions.certificate
        """,
        _CERTIFICATION,
        _NEWEST_DEEPENING,
    )
)
"""Skills with all that belongs to them, one row a version; takes a condition."""

CHAMPIONS: Final = f"{WHOLE} WHERE versions.number = skills.version"
"""The same of those versions that stand for their skill; takes more conditions."""

CHOSEN: Final = "\n".join(
    (CHAMPIONS, "AND skills.name IN (SELECT value FROM json_each(?))", _IN_ORDER)
)
"""Named skills, whole, oldest first. Parameter: a JSON list of names."""

VERSIONS: Final = "\n".join(
    (
        """
        SELECT versions.*, versions.number = skills.version AS champion, certificates.k,
               certificates.n, deepenings.bound
        FROM versions
        JOIN skills ON skills.name = versions.skill
        JOIN certificates ON certificates.hash = versions.certificate
        """,
        _NEWEST_DEEPENING,
        "WHERE versions.skill = ? ORDER BY versions.number",
    )
)
"""All versions of one skill. Parameter: its name."""

PROOFS: Final = "\n".join(
    (
        """
        SELECT skills.name, skills.state, skills.certificate, deepenings.bound,
               json_extract(certifications.wording, '$.scene.robot') AS robot
        FROM skills
        JOIN certificates ON certificates.hash = skills.certificate
        """,
        _CERTIFICATION,
        _NEWEST_DEEPENING,
        "ORDER BY skills.name",
    )
)
"""What the champions' certificates are about, without reading one."""

SHARING: Final = "\n".join(
    (
        "SELECT DISTINCT skills.name, skills.added_at",
        "FROM promises JOIN skills ON skills.task = promises.task",
        "WHERE promises.predicate IN (SELECT value FROM json_each(?)) AND skills.task != ? AND",
        _CALLABLE,
        "ORDER BY skills.added_at DESC, skills.name DESC LIMIT ?",
    )
)
"""The newest callable skills that promise one of some words.

Parameters: a JSON list of words, the task whose skill is left out, how many.
"""

NEWEST: Final = "\n".join(
    (
        "SELECT skills.name FROM skills",
        "WHERE skills.task NOT IN (",
        "    SELECT task FROM promises WHERE predicate IN (SELECT value FROM json_each(?))",
        ") AND skills.task != ? AND",
        _CALLABLE,
        "ORDER BY skills.added_at DESC, skills.name DESC LIMIT ?",
    )
)
"""The newest callable skills that promise none of some words; parameters as of `SHARING`."""
