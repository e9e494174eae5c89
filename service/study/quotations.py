"""Quotations that somebody asked to release, and what was decided; no row holds words of a voice, but a paraphrase does."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from sqlite_utils import Database

from service.errors import RecordError

RELEASE, WITHHOLD = "release", "withhold"
PARTNERS, PUBLIC = "partners", "public"


@dataclass(frozen=True, slots=True)
class NewQuotation:
    """Words asked for: a stretch of a version of a voice's clean text, with the digest of what stood there.

    `paraphrase` is put in their place where it is not empty; `harms` are ticked, `facts` the card in counts and kinds.
    """

    segment: str
    voice: str
    version: int
    start: int
    end: int
    digest: str
    code: str
    stance: str
    audience: str
    paraphrase: str
    harms: tuple[str, ...]
    reason: str
    facts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Quotation:
    """One that was asked for, by whom, and the newest decision: `outcome` is empty while nobody has decided."""

    seq: int
    asked: NewQuotation
    by: str
    at: str
    outcome: str
    why: str
    decided_by: str
    decided_at: str


def add_quotation(connection: sqlite3.Connection, new: NewQuotation, *, by: str, at: str) -> int:
    """Ask for a release, in the caller's transaction; its number."""
    cursor = connection.execute(
        'INSERT INTO quotations (segment, voice, version, start, "end", digest, code, stance, audience, paraphrase, harms,'
        " reason, facts, by, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (new.segment, new.voice, new.version, new.start, new.end, new.digest, new.code, new.stance, new.audience, new.paraphrase,
         json.dumps(new.harms), new.reason, json.dumps(dict(new.facts)), by, at),
    )  # fmt: skip
    return int(cursor.lastrowid or 0)


def add_ruling(connection: sqlite3.Connection, quotation: int, outcome: str, why: str, *, by: str, at: str) -> None:
    """Append a decision, in the caller's transaction."""
    connection.execute(
        "INSERT INTO quotation_rulings (quotation, outcome, why, by, at) VALUES (?, ?, ?, ?, ?)",
        (quotation, outcome, why, by, at),
    )


_QUOTATIONS = (
    "SELECT q.*, coalesce(r.outcome, '') AS outcome, coalesce(r.why, '') AS why, coalesce(r.by, '') AS decided_by,"
    " coalesce(r.at, '') AS decided_at FROM quotations q LEFT JOIN quotation_rulings r ON r.seq ="
    " (SELECT max(seq) FROM quotation_rulings n WHERE n.quotation = q.seq)"
)


def quotations(db: Database) -> list[Quotation]:
    """Every one, oldest first."""
    return [_held(row) for row in db.conn.execute(f"{_QUOTATIONS} ORDER BY q.seq")]


def quotation(db: Database, number: int) -> Quotation:
    """One; RecordError when there is none of that number."""
    row = db.conn.execute(f"{_QUOTATIONS} WHERE q.seq = ?", [number]).fetchone()
    if row is None:
        raise RecordError("no quotation of that number was asked for in this study")
    return _held(row)


def _held(row: sqlite3.Row) -> Quotation:
    asked = NewQuotation(
        row["segment"], row["voice"], row["version"], row["start"], row["end"], row["digest"], row["code"], row["stance"],
        row["audience"], row["paraphrase"], tuple(json.loads(row["harms"])), row["reason"], json.loads(row["facts"]),
    )  # fmt: skip
    return Quotation(
        row["seq"], asked, row["by"], row["at"], row["outcome"], row["why"], row["decided_by"], row["decided_at"]
    )
