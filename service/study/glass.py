"""Requests to see the original words of one voice; append-only. They hold ids and a reason, never the words."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from sqlite_utils import Database

from service.errors import RecordError


@dataclass(frozen=True, slots=True)
class Ask:
    """A request. `allowed` is None until somebody answered; `ended_at` is empty until its time was seen to be over."""

    seq: int
    voice: str
    reason: str
    by: str
    at: str
    allowed: bool | None
    answered_by: str
    answered_at: str
    ended_at: str


_ASKS = (
    "SELECT a.*, n.allowed, coalesce(n.by, '') AS answered_by, coalesce(n.at, '') AS answered_at,"
    " coalesce(e.at, '') AS ended_at FROM glass_asks a LEFT JOIN glass_answers n ON n.ask = a.seq"
    " LEFT JOIN glass_ends e ON e.ask = a.seq"
)


def asks(db: Database) -> list[Ask]:
    """Every request, newest first."""
    return [_ask(row) for row in db.conn.execute(f"{_ASKS} ORDER BY a.seq DESC")]


def ask_of(source: Database | sqlite3.Connection, number: int) -> Ask:
    """One request; RecordError when there is none of that number."""
    connection = source.conn if isinstance(source, Database) else source
    row = connection.execute(f"{_ASKS} WHERE a.seq = ?", [number]).fetchone()
    if row is None:
        raise RecordError("there is no such request; if the person has withdrawn, there is nothing left to see")
    return _ask(row)


def _ask(row: sqlite3.Row) -> Ask:
    held = dict(row)
    return Ask(**{**held, "allowed": None if held["allowed"] is None else bool(held["allowed"])})


def add_ask(connection: sqlite3.Connection, voice: str, reason: str, *, by: str, at: str) -> int:
    """Record a request, in the caller's transaction; its number."""
    values = (voice, reason, by, at)
    cursor = connection.execute("INSERT INTO glass_asks (voice, reason, by, at) VALUES (?, ?, ?, ?)", values)
    return int(cursor.lastrowid or 0)


def add_answer(connection: sqlite3.Connection, number: int, *, allowed: bool, by: str, at: str) -> None:
    """Record the answer, in the caller's transaction."""
    connection.execute("INSERT INTO glass_answers VALUES (?, ?, ?, ?)", (number, int(allowed), by, at))


def add_end(connection: sqlite3.Connection, number: int, at: str) -> None:
    """Record that its time is over, in the caller's transaction."""
    connection.execute("INSERT INTO glass_ends VALUES (?, ?)", (number, at))


def latest_act(connection: sqlite3.Connection) -> str:
    """When the latest act of the study was, by its chain, or empty."""
    return str(connection.execute("SELECT coalesce(max(at), '') FROM chain").fetchone()[0])
