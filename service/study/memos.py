"""Memos: what people note about a study, a voice, a segment, a code, a round or a candidate theme."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from service.errors import RecordError


@dataclass(frozen=True, slots=True)
class Memo:
    """One memo; `subject` is the id of what it is about. `version` counts up with each change by its writer."""

    id: int
    object: str
    subject: str
    kind: str
    words: str
    by: str
    at: str
    changed_at: str
    version: int


# What a memo may be about, and how to tell that it is there. A code is looked for in the codebooks.
SUBJECTS = {
    "study": "SELECT 1 FROM study WHERE id = ?",
    "voice": "SELECT 1 FROM voices WHERE id = ?",
    "segment": "SELECT 1 FROM segments WHERE id = ?",
    "code": (
        "SELECT 1 FROM codebooks b, json_each(b.content, '$.codes') c WHERE json_extract(c.value, '$.id') = ? LIMIT 1"
    ),
    "round": "SELECT 1 FROM rounds WHERE id = ?",
    "candidate": "SELECT 1 FROM candidates WHERE id = ?",
}


def is_there(db: Database, object_: str, subject: str) -> bool:
    """Whether there is something of that id for a memo to be about."""
    return object_ in SUBJECTS and db.conn.execute(SUBJECTS[object_], [subject]).fetchone() is not None


def add(connection: sqlite3.Connection, *, object_: str, subject: str, kind: str, words: str, by: str, at: str) -> int:
    """Store a memo, in the caller's transaction; its number. The same words sent twice are one memo."""
    same = connection.execute(
        "SELECT id FROM memos WHERE object = ? AND subject = ? AND kind = ? AND words = ? AND by = ?",
        (object_, subject, kind, words, by),
    ).fetchone()
    if same is not None:
        return int(same["id"])
    cursor = connection.execute(
        "INSERT INTO memos (object, subject, kind, words, by, at, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (object_, subject, kind, words, by, at, at),
    )
    return int(cursor.lastrowid or 0)


def change(connection: sqlite3.Connection, memo_: Memo, *, kind: str, words: str, at: str) -> bool:
    """Give a memo other words, in the caller's transaction; False when it is no longer the version that was read."""
    cursor = connection.execute(
        "UPDATE memos SET kind = ?, words = ?, changed_at = ?, version = version + 1 WHERE id = ? AND version = ?",
        (kind, words, at, memo_.id, memo_.version),
    )
    return cursor.rowcount > 0


def remove(connection: sqlite3.Connection, memo_: Memo) -> bool:
    """Remove a memo, in the caller's transaction; False when it is no longer the version that was read."""
    cursor = connection.execute("DELETE FROM memos WHERE id = ? AND version = ?", (memo_.id, memo_.version))
    return cursor.rowcount > 0


def memo(db: Database, number: int) -> Memo:
    """One memo; RecordError when there is none of that number."""
    row = db.conn.execute("SELECT * FROM memos WHERE id = ?", [number]).fetchone()
    if row is None:
        raise RecordError("there is no memo of that number in this study; its writer may have deleted it")
    return Memo(**dict(row))


def memos(db: Database, object_: str = "", subjects: Sequence[str] | None = None) -> list[Memo]:
    """Memos, newest first; those about one kind of object, or about some of its kind."""
    where, parameters = "(? = '' OR object = ?)", [object_, object_]
    if subjects is not None:
        where += f" AND subject IN ({','.join('?' * len(subjects))})"
        parameters += subjects
    rows = db.conn.execute(f"SELECT * FROM memos WHERE {where} ORDER BY at DESC, id DESC", parameters)
    return [Memo(**dict(row)) for row in rows]
