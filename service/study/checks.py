"""Checks of de-identification: what people looked at, what they found, and who accepted which risk. Append-only."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from nlp.types import Span
from service.study.voices import NEWEST


@dataclass(frozen=True, slots=True)
class Check:
    """One look by one person at a voice: in the random `sample`, at an `unsure` stretch, or for its `language`.

    `missed` counts direct identifiers that had been left in the clean text; `rejected` masks that hid
    nothing. `start` and `end` are 0 where the whole voice was read. `held` is the language it was kept back for.
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
    held: str = ""


@dataclass(frozen=True, slots=True)
class MadeEdit:
    """What a check changed in a version of a voice: words that are masked now, or, with a `surrogate`, a mask that is
    open now and read so before."""

    voice: str
    version: int
    start: int
    end: int
    surrogate: str = ""

    @property
    def span(self) -> Span:
        """Where it stands in that version."""
        return Span(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A named person takes the risk that the bound did not rule out, and says why."""

    person: str
    reason: str
    read: int
    upper: float
    leak_limit: float
    at: str


# A look stands until it is taken back, or a corrected file brings other words than those that were looked at.
_STANDS = (
    "NOT EXISTS (SELECT 1 FROM check_undos u WHERE u.look = {0}.seq) AND NOT EXISTS"
    " (SELECT 1 FROM corrections n WHERE n.voice = {0}.voice AND n.version > {0}.version)"
)


def add_check(connection: sqlite3.Connection, check: Check, edits: Sequence[MadeEdit] = ()) -> None:
    """Record a look and what it changed, in the caller's transaction."""
    cursor = connection.execute(
        'INSERT INTO checks (voice, version, part, start, "end", missed, rejected, checker, at, held)'
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            check.voice, check.version, check.part, check.start, check.end, check.missed, check.rejected, check.checker,
            check.at, check.held,
        ),
    )  # fmt: skip
    connection.executemany(
        "INSERT INTO check_edits VALUES (?, ?, ?, ?, ?, ?)",
        [(cursor.lastrowid, e.voice, e.version, e.start, e.end, e.surrogate) for e in edits],
    )


def stands(connection: sqlite3.Connection, check: Check) -> bool:
    """Whether somebody has already looked at the same thing, and it was not taken back."""
    row = connection.execute(
        f'SELECT 1 FROM checks k WHERE voice = ? AND part = ? AND start = ? AND "end" = ? AND {_STANDS.format("k")}'
        " AND (part <> 'unsure' OR version = ?)",
        (check.voice, check.part, check.start, check.end, check.version),
    ).fetchone()
    return row is not None


def last_check(db: Database, checker: str) -> tuple[int, Check] | None:
    """The number and the last check of somebody that is not taken back."""
    row = db.conn.execute(
        f"SELECT * FROM checks k WHERE checker = ? AND {_STANDS.format('k')} ORDER BY seq DESC LIMIT 1", [checker]
    ).fetchone()
    return None if row is None else (row["seq"], Check(**{name: row[name] for name in Check.__slots__}))


def edits_of(db: Database, number: int) -> list[MadeEdit]:
    """What a check changed."""
    rows = db.conn.execute(
        'SELECT voice, version, start, "end", surrogate FROM check_edits WHERE look = ? ORDER BY rowid', [number]
    )
    return [MadeEdit(**dict(row)) for row in rows]


def take_back(connection: sqlite3.Connection, number: int, *, by: str, at: str) -> bool:
    """Take a check back, in the caller's transaction; False when that was done already."""
    return connection.execute("INSERT OR IGNORE INTO check_undos VALUES (?, ?, ?)", (number, by, at)).rowcount > 0


def taken_back(db: Database) -> int:
    """How many checks were taken back."""
    return int(db.conn.execute("SELECT count(*) AS n FROM check_undos").fetchone()["n"])


def same_version(db: Database, voice: str, version: int) -> int:
    """The version that first had the words of this one: itself, unless it was made by taking something back."""
    row = db.conn.execute("SELECT same_as FROM restored WHERE voice = ? AND version = ?", [voice, version]).fetchone()
    return version if row is None else same_version(db, voice, row["same_as"])


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
        f" WHERE c.part = 'sample' AND {_STANDS.format('c')} GROUP BY c.voice ORDER BY min(c.seq)"
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
        f'  AND k.start = u.start AND k."end" = u."end" AND {_STANDS.format("k")})'
        " ORDER BY c.expected_leaks DESC, c.voice, u.score DESC, u.start",
        [masked_from],
    )
    return [(row["voice"], row["start"], row["end"]) for row in rows]
