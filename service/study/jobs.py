"""Jobs: long work as rows with a lease, a heartbeat and a count of attempts. A job's request holds ids, never text."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from service.errors import RecordError
from service.study.database import write

LEASE = timedelta(seconds=60)
MOST_ATTEMPTS = 5
OVER = ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work; `state` is waiting, running, done, failed or cancelled. `problem` is safe to show."""

    id: int
    kind: str
    request: Mapping[str, str]
    state: str
    attempts: int
    done: int
    total: int
    result: Mapping[str, int]
    problem: str
    by: str
    asked_at: str
    began_at: str
    ended_at: str


def ask(db: Database, kind: str, request: Mapping[str, str], *, by: str, now: str, token: str = "") -> Job:
    """A new job; with the token of an earlier request, the job that it made."""
    with write(db) as connection:
        connection.execute(
            "INSERT OR IGNORE INTO jobs (kind, request, by, asked_at, token) VALUES (?, ?, ?, ?, ?)",
            (kind, json.dumps(dict(request)), by, now, token or None),
        )
        row = connection.execute(
            "SELECT id FROM jobs WHERE token = ?" if token else "SELECT max(id) AS id FROM jobs",
            [token] if token else [],
        ).fetchone()
    return job(db, int(row["id"]))


def job(db: Database, number: int) -> Job:
    """One job; RecordError when there is none of that number."""
    row = db.conn.execute("SELECT * FROM jobs WHERE id = ?", [number]).fetchone()
    if row is None:
        raise RecordError("there is no job of that number in this study")
    return _job(row)


def job_for(db: Database, token: str) -> int | None:
    """The number of the job that was asked for with a token; None when there is none."""
    row = db.conn.execute("SELECT id FROM jobs WHERE token = ?", [token]).fetchone()
    return None if row is None else int(row["id"])


def all_jobs(db: Database, *, before: int = 2**62, limit: int = 50) -> list[Job]:
    """Jobs, newest first."""
    rows = db.conn.execute("SELECT * FROM jobs WHERE id < ? ORDER BY id DESC LIMIT ?", [before, limit])
    return [_job(row) for row in rows]


def _job(row: sqlite3.Row) -> Job:
    held = {k: row[k] for k in Job.__dataclass_fields__}
    return Job(**{**held, "request": json.loads(row["request"]), "result": json.loads(row["result"])})


def claim(db: Database, worker: str, *, now: str) -> Job | None:
    """The oldest job that waits, or whose worker was not heard of for a lease; None when there is none.

    A job that has lost its worker too often fails instead of taking down another.
    """
    with write(db) as connection:
        connection.execute(
            "UPDATE jobs SET state = 'failed', problem = 'its worker stopped too often', ended_at = ?"
            " WHERE state = 'running' AND lease_until < ? AND attempts >= ?",
            (now, now, MOST_ATTEMPTS),
        )
        row = connection.execute(
            "UPDATE jobs SET state = 'running', worker = ?, lease_until = ?, attempts = attempts + 1,"
            " began_at = iif(began_at = '', ?, began_at) WHERE id = (SELECT min(id) FROM jobs"
            " WHERE state = 'waiting' OR (state = 'running' AND lease_until < ?)) RETURNING *",
            (worker, _later(now), now, now),
        ).fetchone()
    return None if row is None else _job(row)


def _later(now: str) -> str:
    return (datetime.fromisoformat(now) + LEASE).isoformat(timespec="milliseconds")


def beat(db: Database, number: int, worker: str, *, done: int, total: int, now: str) -> bool:
    """Say how far a job is and keep its lease; False when it is no longer this worker's to do."""
    with write(db) as connection:
        cursor = connection.execute(
            "UPDATE jobs SET done = ?, total = ?, lease_until = ? WHERE id = ? AND worker = ? AND state = 'running'",
            (done, total, _later(now), number, worker),
        )
    return cursor.rowcount == 1


def end(
    db: Database, number: int, worker: str, *, state: str, now: str, result: Mapping[str, int], problem: str = ""
) -> bool:
    """A worker is done with a job; False when it was no longer its own, and then nothing changes."""
    with write(db) as connection:
        cursor = connection.execute(
            "UPDATE jobs SET state = ?, ended_at = ?, result = ?, problem = ? WHERE id = ? AND worker = ? AND state = 'running'",
            (state, now, json.dumps(dict(result)), problem, number, worker),
        )
    return cursor.rowcount == 1


def cancel(db: Database, number: int, *, now: str) -> Job:
    """Take a job back; its worker stops at the next heartbeat. A job that is over stays as it is."""
    with write(db) as connection:
        connection.execute(
            "UPDATE jobs SET state = 'cancelled', ended_at = ? WHERE id = ? AND state IN ('waiting', 'running')",
            (now, number),
        )
    return job(db, number)


def cancel_all(db: Database, *, now: str) -> None:
    """Cancel whatever waits or runs; it can be tried again."""
    with write(db) as connection:
        connection.execute(
            "UPDATE jobs SET state = 'cancelled', ended_at = ? WHERE state IN ('waiting', 'running')", (now,)
        )


def retry(db: Database, number: int) -> Job:
    """Let a failed or cancelled job wait again; RecordError while it is anything else."""
    with write(db) as connection:
        cursor = connection.execute(
            "UPDATE jobs SET state = 'waiting', attempts = 0, problem = '', ended_at = '', began_at = '', worker = ''"
            " WHERE id = ? AND state IN ('failed', 'cancelled')",
            [number],
        )
    if cursor.rowcount != 1:
        raise RecordError("only a failed or cancelled job can be tried again")
    return job(db, number)


def unfinished(db: Database, kinds: Sequence[str]) -> bool:
    """Whether a job of one of these kinds waits or runs."""
    marks = ",".join("?" * len(kinds))
    row = db.conn.execute(
        f"SELECT 1 FROM jobs WHERE kind IN ({marks}) AND state IN ('waiting', 'running')", list(kinds)
    ).fetchone()
    return row is not None
