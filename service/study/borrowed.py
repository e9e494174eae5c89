"""Lessons that a study borrows from others of the same codebook."""

from __future__ import annotations

import sqlite3

from sqlite_utils import Database


def add_borrowed(connection: sqlite3.Connection, name: str, content: bytes, *, by: str, at: str) -> None:
    """Keep lessons under a name, in the caller's transaction; the same name again takes their place."""
    connection.execute("INSERT OR REPLACE INTO borrowed VALUES (?, ?, ?, ?)", (name, content, by, at))


def borrowed_files(db: Database) -> list[bytes]:
    """All that is borrowed, by name."""
    return [row["content"] for row in db.conn.execute("SELECT content FROM borrowed ORDER BY name")]
