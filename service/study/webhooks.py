"""Webhooks of a study, and the deliveries that wait to be made. What they carry are ids and kinds, never words."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from service.errors import RecordError
from service.study.database import write

EVENTS = ("job.ended", "voices.taken_in", "round.drawn", "codebook.published")


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that is told of some events."""

    id: str
    url: str
    events: tuple[str, ...]
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one webhook; `state` is waiting, done or failed; `status` what the address answered last, or 0."""

    id: int
    webhook: str
    event: str
    content: str
    state: str
    attempts: int
    due_at: str
    status: int
    asked_at: str
    ended_at: str


def add_webhook(connection: sqlite3.Connection, made: Webhook) -> None:
    """Store a webhook, in the caller's transaction."""
    connection.execute(
        "INSERT INTO webhooks (id, url, events, by, at) VALUES (?, ?, ?, ?, ?)",
        (made.id, made.url, json.dumps(made.events), made.by, made.at),
    )


def webhooks(db: Database) -> list[Webhook]:
    """Those that are told of events now, oldest first."""
    rows = db.conn.execute("SELECT id, url, events, by, at FROM webhooks WHERE ended_at = '' ORDER BY rowid")
    return [Webhook(**{**dict(row), "events": tuple(json.loads(row["events"]))}) for row in rows]


def webhook(db: Database, webhook_id: str) -> Webhook:
    """One webhook; RecordError when there is none of that id, or it has ended."""
    found = next((w for w in webhooks(db) if w.id == webhook_id), None)
    if found is None:
        raise RecordError("there is no webhook of that id in this study")
    return found


def end_webhook(db: Database, webhook_id: str, *, now: str) -> None:
    """Tell an address nothing more; what waits for it is given up. RecordError when there is none of that id."""
    webhook(db, webhook_id)
    with write(db) as connection:
        connection.execute("UPDATE webhooks SET ended_at = ? WHERE id = ?", (now, webhook_id))
        connection.execute(
            "UPDATE deliveries SET state = 'failed', ended_at = ? WHERE webhook = ? AND state = 'waiting'",
            (now, webhook_id),
        )


def deliveries(db: Database, webhook_id: str, *, before: int, limit: int) -> Sequence[Delivery]:
    """A webhook's deliveries, newest first."""
    rows = db.conn.execute(
        "SELECT * FROM deliveries WHERE webhook = ? AND id < ? ORDER BY id DESC LIMIT ?", (webhook_id, before, limit)
    )
    return [Delivery(**dict(row)) for row in rows]


def take_delivery(db: Database, *, now: str, again_at: str) -> Delivery | None:
    """The delivery that is due for longest, None when none is. It is due once more at `again_at` unless it is ended."""
    due = db.conn.execute("SELECT 1 FROM deliveries WHERE state = 'waiting' AND due_at <= ? LIMIT 1", [now]).fetchone()
    if due is None:
        return None
    with write(db) as connection:
        row = connection.execute(
            "UPDATE deliveries SET attempts = attempts + 1, due_at = ? WHERE id = (SELECT id FROM deliveries"
            " WHERE state = 'waiting' AND due_at <= ? ORDER BY due_at, id LIMIT 1) RETURNING *",
            (again_at, now),
        ).fetchone()
    return None if row is None else Delivery(**dict(row))


def end_delivery(db: Database, made: Delivery, *, state: str, status: int, now: str, due_at: str = "") -> None:
    """What came of an attempt: done, failed for good, or waiting until `due_at`."""
    with write(db) as connection:
        connection.execute(
            "UPDATE deliveries SET state = ?, status = ?, due_at = ?, ended_at = ? WHERE id = ? AND state = 'waiting'",
            (state, status, due_at, "" if state == "waiting" else now, made.id),
        )
