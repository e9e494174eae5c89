"""Flags on segments: to talk about, or a possible disclosure; append-only, and ended by a row of its own."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from sqlite_utils import Database

from service.errors import RecordError

DISCUSS, DISCLOSURE = "discuss", "disclosure"


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag with the voice it stands on, when that voice came in and the period it speaks of; never its words.

    `ended_by`, `ended_at` and `note`, what came of it, are empty while it is open.
    """

    seq: int
    segment: str
    kind: str
    by: str
    at: str
    voice: str
    period: str
    came_in: str
    ended_by: str = ""
    ended_at: str = ""
    note: str = ""


_FLAGS = (
    "SELECT f.seq, f.segment, f.kind, f.by, f.at, s.voice, v.period, r.started_at AS came_in,"
    " coalesce(e.by, '') AS ended_by, coalesce(e.at, '') AS ended_at, coalesce(e.note, '') AS note"
    " FROM flags f JOIN segments s ON s.id = f.segment"
    " JOIN voices v ON v.id = s.voice JOIN runs r ON r.id = v.intake LEFT JOIN flag_ends e ON e.flag = f.seq"
)


def open_flag(connection: sqlite3.Connection, segment: str, kind: str, by: str) -> int | None:
    """The number of the flag of that kind that somebody already holds up on a segment."""
    row = connection.execute(
        "SELECT seq FROM flags WHERE segment = ? AND kind = ? AND by = ?"
        " AND NOT EXISTS (SELECT 1 FROM flag_ends e WHERE e.flag = flags.seq)",
        (segment, kind, by),
    ).fetchone()
    return None if row is None else int(row["seq"])


def add_flag(connection: sqlite3.Connection, segment: str, kind: str, *, by: str, at: str) -> int:
    """Raise a flag, in the caller's transaction; its number. RecordError when there is no such segment."""
    if connection.execute("SELECT 1 FROM segments WHERE id = ?", [segment]).fetchone() is None:
        raise RecordError("there is no segment of that id in this study")
    cursor = connection.execute(
        "INSERT INTO flags (segment, kind, by, at) VALUES (?, ?, ?, ?)", (segment, kind, by, at)
    )
    return int(cursor.lastrowid or 0)


def end_flag(connection: sqlite3.Connection, number: int, *, by: str, at: str, note: str = "") -> bool:
    """End a flag, in the caller's transaction; False when somebody already has."""
    cursor = connection.execute("INSERT OR IGNORE INTO flag_ends VALUES (?, ?, ?, ?)", (number, by, at, note))
    return cursor.rowcount > 0


def flag(db: Database, number: int) -> Flag:
    """One flag; RecordError when there is none of that number."""
    row = db.conn.execute(f"{_FLAGS} WHERE f.seq = ?", [number]).fetchone()
    if row is None:
        raise RecordError("there is no flag of that number in this study")
    return Flag(**dict(row))


def flags(db: Database, kind: str) -> list[Flag]:
    """Every flag of a kind: those still open first, oldest first; then what was ended, newest first."""
    rows = [Flag(**dict(row)) for row in db.conn.execute(f"{_FLAGS} WHERE f.kind = ? ORDER BY f.seq", [kind])]
    ended = sorted((f for f in rows if f.ended_at), key=lambda f: (f.ended_at, f.seq), reverse=True)
    return [f for f in rows if not f.ended_at] + ended


def flags_on(db: Database, segment: str, by: str) -> list[str]:
    """The kinds of flag that somebody holds up on a segment."""
    rows = db.conn.execute(
        "SELECT DISTINCT kind FROM flags f WHERE segment = ? AND by = ?"
        " AND NOT EXISTS (SELECT 1 FROM flag_ends e WHERE e.flag = f.seq) ORDER BY kind",
        [segment, by],
    )
    return [row["kind"] for row in rows]
