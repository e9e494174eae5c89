"""Checks of de-identification: what people looked at, what they found, and who accepted which risk. Append-only."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from sqlite_utils import Database

from service.study.voices import NEWEST


@dataclass(frozen=True, slots=True)
class Check:
    """One look by one person at a voice: in the random `sample`, at an `unsure` stretch, or for its `language`.

    `missed` counts direct identifiers that had been left in the clean text; `rejected` masks that hid
    nothing. `start` and `end` are 0 where the whole voice was read.
    """

    voice: str
    version: int
    part: str
    missed: int
    rejected: int
    checker: str
    at: str
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A named person takes the risk that the bound did not rule out, and says why."""

    person: str
    reason: str
    read: int
    upper: float
    leak_limit: float
    at: str


def add_check(connection: sqlite3.Connection, check: Check) -> None:
    """Record a look, in the caller's transaction."""
    connection.execute(
        'INSERT INTO checks (voice, version, part, start, "end", missed, rejected, checker, at)'
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            check.voice, check.version, check.part, check.start, check.end, check.missed, check.rejected, check.checker,
            check.at,
        ),
    )  # fmt: skip


def add_acceptance(connection: sqlite3.Connection, acceptance: Acceptance) -> None:
    """Record an acceptance, in the caller's transaction."""
    connection.execute(
        "INSERT INTO acceptances (person, reason, read, upper, leak_limit, at) VALUES (?, ?, ?, ?, ?, ?)",
        (
            acceptance.person, acceptance.reason, acceptance.read, acceptance.upper, acceptance.leak_limit,
            acceptance.at,
        ),
    )  # fmt: skip


def acceptances(db: Database) -> list[Acceptance]:
    """Everyone who accepted the risk, in order."""
    rows = db.conn.execute("SELECT person, reason, read, upper, leak_limit, at FROM acceptances ORDER BY seq")
    return [Acceptance(**dict(row)) for row in rows]


def sampled(db: Database) -> list[tuple[str, str, int]]:
    """Voices read for the random sample, each once: its id, who speaks, and how many identifiers were missed."""
    rows = db.conn.execute(
        "SELECT c.voice, v.voice AS speaker, max(c.missed) AS missed FROM checks c JOIN voices v ON v.id = c.voice"
        " WHERE c.part = 'sample' GROUP BY c.voice ORDER BY min(c.seq)"
    )
    return [(row["voice"], row["speaker"], row["missed"]) for row in rows]


def unsure_stretches(db: Database, masked_from: float) -> list[tuple[str, int, int]]:
    """Voice, start and end of what the machine was unsure of and nobody has looked at, the least sure masks and
    the likeliest doubts of the voices with most expected leaks first."""
    rows = db.conn.execute(
        'SELECT c.voice, u.start, u."end" FROM clean_texts c JOIN ('
        '  SELECT voice, version, start, "end", score FROM doubts UNION ALL'
        '  SELECT voice, version, start, "end", 1 - score FROM redactions WHERE score < ?'
        ") u ON u.voice = c.voice AND u.version = c.version"
        f" WHERE c.version = {NEWEST} AND NOT EXISTS ("
        "  SELECT 1 FROM checks k WHERE k.voice = c.voice AND k.part = 'unsure' AND k.version = c.version"
        '  AND k.start = u.start AND k."end" = u."end")'
        " ORDER BY c.expected_leaks DESC, c.voice, u.score DESC, u.start",
        [masked_from],
    )
    return [(row["voice"], row["start"], row["end"]) for row in rows]
