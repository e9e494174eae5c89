"""The local safeguarding protocol as people wrote it; append-only, each change a version of its own."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class Protocol:
    """What to do here when a child may be in danger, by whom it was written down and when; version 0 is none."""

    version: int
    words: str
    by: str
    at: str


NONE = Protocol(0, "", "", "")


def protocol_of(db: Database) -> Protocol:
    """The one in force: the newest, or NONE."""
    row = db.conn.execute("SELECT * FROM protocols ORDER BY seq DESC LIMIT 1").fetchone()
    return NONE if row is None else Protocol(row["seq"], row["words"], row["by"], row["at"])


def add_protocol(connection: sqlite3.Connection, words: str, *, by: str, at: str) -> int:
    """Add a version, in the caller's transaction; its number."""
    cursor = connection.execute("INSERT INTO protocols (words, by, at) VALUES (?, ?, ?)", (words, by, at))
    return int(cursor.lastrowid or 0)
