"""Acceptances of many suggestions at once: what each rested on, what was held back from it, and whether it was taken back."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import astuple, dataclass

from sqlite_utils import Database

from service.study.suggestions import newest_reading
from service.study.voices import NEWEST


@dataclass(frozen=True, slots=True)
class BulkAct:
    """Suggestions of one code from a score on that a person accepted unread; `round` holds what was held back to be read."""

    round: str
    code: str
    codebook: str
    codebook_version: str
    reading: str
    score: float
    people: int
    right: int
    least: float
    accepted: int
    held: int
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Proposed:
    """A suggestion that nobody has decided on, of a text that nobody has read."""

    id: int
    segment: str
    code: str
    score: float
    start: int
    end: int
    model: str


@dataclass(frozen=True, slots=True)
class Held:
    """How far what was held back is read: `wrong` of `read` were not given the code."""

    read: int
    wrong: int


def add_act(connection: sqlite3.Connection, act: BulkAct) -> None:
    """Record an acceptance, in the caller's transaction."""
    connection.execute(f"INSERT INTO bulk_acts VALUES ({', '.join('?' * 13)})", astuple(act))


def acts(db: Database) -> list[BulkAct]:
    """Every acceptance, newest first."""
    return [BulkAct(**dict(row)) for row in db.conn.execute("SELECT * FROM bulk_acts ORDER BY rowid DESC")]


def add_act_end(connection: sqlite3.Connection, round_id: str, *, by: str, at: str) -> bool:
    """Record that an acceptance was taken back, in the caller's transaction; False where it was before."""
    cursor = connection.execute("INSERT OR IGNORE INTO bulk_ends VALUES (?, ?, ?)", (round_id, by, at))
    return cursor.rowcount > 0


def ended(db: Database) -> dict[str, tuple[str, str]]:
    """Acceptances that were taken back: by whom and when, by their round."""
    return {row["round"]: (row["by"], row["at"]) for row in db.conn.execute("SELECT * FROM bulk_ends")}


def standing_of(db: Database, round_id: str) -> list[sqlite3.Row]:
    """The decisions of an acceptance that stand."""
    return db.conn.execute("SELECT * FROM standing WHERE round = ? AND bulk = 1 ORDER BY seq", [round_id]).fetchall()


def counted(db: Database) -> dict[str, int]:
    """For each acceptance, how many of its codings still count: nobody has read their texts since."""
    rows = db.conn.execute(
        "SELECT c.round, count(*) AS n FROM codings c JOIN decisions d ON d.seq = c.seq WHERE d.bulk = 1 GROUP BY c.round"
    )
    return {row["round"]: row["n"] for row in rows}


def proposed(db: Database, hidden: Collection[str]) -> list[Proposed]:
    """The study's suggestions on texts that nobody has read or decided on, but for the `hidden`; best first."""
    rows = db.conn.execute(
        'SELECT g.id, g.segment, g.code, g.probability AS score, g.start, g."end", g.model FROM suggestions g'
        " JOIN segments s ON s.id = g.segment JOIN clean_texts c ON c.voice = s.voice AND c.version = s.version"
        f" AND c.version = {NEWEST} AND c.held = '' WHERE g.reading = ?"
        " AND NOT EXISTS (SELECT 1 FROM standing x WHERE x.segment = g.segment AND x.action IN ('close', 'skip'))"
        " AND NOT EXISTS (SELECT 1 FROM standing x WHERE x.segment = g.segment AND x.code = g.code)"
        " ORDER BY g.probability DESC, g.id",
        [newest_reading(db)],
    )
    return [Proposed(**dict(row)) for row in rows if row["segment"] not in hidden]


def scores_of(db: Database, segments: Collection[str]) -> dict[tuple[str, str], float]:
    """The study's suggestions on these texts: score by text and code."""
    rows = db.conn.execute("SELECT segment, code, probability FROM suggestions WHERE reading = ?", [newest_reading(db)])
    return {(row["segment"], row["code"]): row["probability"] for row in rows if row["segment"] in segments}


def held_back(db: Database, act: BulkAct) -> Held:
    """What those who read what was held back made of it; the first reader of a text counts."""
    row = db.conn.execute(
        "WITH readers AS (SELECT segment, coder, min(seq) FROM standing WHERE round = ?1 AND action = 'close' GROUP BY segment)"
        " SELECT count(*) AS read, coalesce(sum(NOT EXISTS (SELECT 1 FROM codings c WHERE c.segment = r.segment"
        " AND c.coder = r.coder AND c.round = ?1 AND c.code = ?2)), 0) AS wrong FROM readers r",
        [act.round, act.code],
    ).fetchone()
    return Held(row["read"], row["wrong"])
