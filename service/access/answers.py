"""What was answered under an Idempotency-Key, for a day: the same request again gets the same answer and does nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from service.errors import BusyError, RepeatError
from service.study.database import write

KEPT, WAITED = timedelta(days=1), timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was given: ids and counts alone."""

    status: int
    body: str
    location: str


def claim(db: Database, key: str, request: str, *, now: str) -> Answer | None:
    """The answer that was given under a key, or None for whoever has to give it.

    `key` and `request` are hashes. RepeatError when the key stands for another request; BusyError while the first one is
    still being answered. A claim whose answer never came (a crash) is free again after two minutes.
    """
    with write(db) as connection:
        connection.execute("DELETE FROM answers WHERE at < ?", [_earlier(now, KEPT)])
        row = connection.execute("SELECT * FROM answers WHERE key = ?", [key]).fetchone()
        if row is None or (not row["status"] and row["request"] == request and row["at"] < _earlier(now, WAITED)):
            connection.execute(
                "INSERT OR REPLACE INTO answers (key, request, at) VALUES (?, ?, ?)", (key, request, now)
            )
            return None
    if row["request"] != request:
        raise RepeatError("this Idempotency-Key stands for another request; use a new one for each")
    if not row["status"]:
        raise BusyError("the first request under this Idempotency-Key is still being answered", seconds=1)
    return Answer(row["status"], row["body"], row["location"])


def give(db: Database, key: str, answer: Answer) -> None:
    """Keep the answer of a claim."""
    with write(db) as connection:
        connection.execute(
            "UPDATE answers SET status = ?, body = ?, location = ? WHERE key = ?",
            (answer.status, answer.body, answer.location, key),
        )


def release(db: Database, key: str) -> None:
    """Nothing came of a claim: the next request under its key is answered anew."""
    with write(db) as connection:
        connection.execute("DELETE FROM answers WHERE key = ? AND status = 0", [key])


def _earlier(now: str, by: timedelta) -> str:
    return (datetime.fromisoformat(now) - by).isoformat(timespec="milliseconds")
