"""Counts that left the study: the ledger of what everybody may know, and who was counted in it.

Who was counted is kept by a number that stands for a person only as long as `counted_people` says so: when somebody
withdraws, that line goes, and what was released before stays protected. Blobs hold no words, only codes and answers.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from nlp.findings.disclosure import Released, from_data, to_data


@dataclass(frozen=True, slots=True)
class Past:
    """A release: its entry in the ledger, and what each person counted in it had said, by their number."""

    entry: Released
    answers: Mapping[int, Mapping[str, str]]


def past_releases(db: Database) -> list[Past]:
    """All releases, oldest first."""
    answers: dict[str, dict[int, Mapping[str, str]]] = {}
    for row in db.conn.execute("SELECT release, person, answers FROM counted_answers"):
        answers.setdefault(row["release"], {})[row["person"]] = json.loads(row["answers"])
    rows = db.conn.execute("SELECT id, entry FROM count_releases ORDER BY seq")
    return [Past(from_data(json.loads(row["entry"])), answers.get(row["id"], {})) for row in rows]


def numbers_of(connection: sqlite3.Connection, participants: Sequence[str]) -> dict[str, int]:
    """The number by which each person is counted, given out now where there is none, in the caller's transaction."""
    connection.executemany(
        "INSERT OR IGNORE INTO counted_people (participant) VALUES (?)", [(person,) for person in participants]
    )
    known = {row["participant"]: row["person"] for row in connection.execute("SELECT * FROM counted_people")}
    return {person: known[person] for person in participants}


def add_release(
    connection: sqlite3.Connection, kind: str, entry: Released, answers: Mapping[int, Mapping[str, str]], *, by: str, at: str
) -> None:  # fmt: skip
    """Keep what was released, in the caller's transaction."""
    connection.execute(
        "INSERT INTO count_releases (id, kind, entry, by, at) VALUES (?, ?, ?, ?, ?)",
        (entry.release, kind, json.dumps(to_data(entry)).encode(), by, at),
    )
    connection.executemany(
        "INSERT INTO counted_answers VALUES (?, ?, ?)",
        [(entry.release, person, json.dumps(dict(said)).encode()) for person, said in answers.items()],
    )
