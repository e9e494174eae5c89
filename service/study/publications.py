"""Codebook versions that were published in the study: what became of which code, and what is read again because of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from nlp.codebook_meaning import Meanings, Turn, Turned, numbers

# For SQL: the code that a coding `k` counts under today; empty where it must be read again.
COUNTS_AS = "coalesce((SELECT w.now FROM counts_as w WHERE w.version = k.codebook_version AND w.code = k.code), k.code)"


@dataclass(frozen=True, slots=True)
class Publication:
    """A version that a person published: `groups` co-produced it, `round` reads again what it touched (or is empty)."""

    codebook: str
    version: str
    based_on: str
    groups: tuple[str, ...]
    round: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Recode:
    """Why a segment is read again: the code that it had, and what became of that."""

    segment: str
    code: str
    why: str


def add_publication(connection: sqlite3.Connection, made: Publication, turned: Sequence[Turned]) -> None:
    """Store a publication with what became of codes, in the caller's transaction."""
    connection.execute(
        "INSERT INTO publications VALUES (?, ?, ?, ?, ?, ?, ?)",
        (made.codebook, made.version, made.based_on, json.dumps(made.groups), made.round, made.by, made.at),
    )
    connection.executemany(
        "INSERT INTO code_changes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                t.version,
                t.code,
                t.turn.value,
                json.dumps(t.into),
                t.why,
                int(t.same_meaning),
                t.of_version,
                made.by,
                made.at,
            )
            for t in turned
        ],
    )


def add_recodes(connection: sqlite3.Connection, round_id: str, recodes: Sequence[Recode]) -> None:
    """Store why each segment of a round is read again, in the caller's transaction."""
    connection.executemany(
        "INSERT INTO recodes VALUES (?, ?, ?, ?)", [(round_id, r.segment, r.code, r.why) for r in recodes]
    )


def publications(db: Database) -> list[Publication]:
    """All of them, oldest first."""
    rows = db.conn.execute("SELECT * FROM publications ORDER BY rowid")
    return [Publication(**{**dict(row), "groups": tuple(json.loads(row["groups"]))}) for row in rows]


def code_changes(db: Database) -> list[Turned]:
    """All that became of codes over the published versions, oldest first."""
    rows = db.conn.execute("SELECT * FROM code_changes ORDER BY rowid")
    return [
        Turned(
            row["code"], Turn(row["turn"]), tuple(json.loads(row["into_codes"])), row["why"], bool(row["same_meaning"]),
            row["version"], row["of_version"],
        )
        for row in rows
    ]  # fmt: skip


def meanings(db: Database) -> Meanings:
    """What a code that was given under an earlier version means now."""
    return Meanings(code_changes(db))


def set_counts_as(connection: sqlite3.Connection, codes: Mapping[str, Iterable[str]], means: Meanings) -> None:
    """Write down for SQL what each version's codes count under now, in the caller's transaction; it follows from `means`."""
    now = [(version, code, means.now(version, code)) for version, held in codes.items() for code in held]
    connection.execute("DELETE FROM counts_as")
    connection.executemany("INSERT INTO counts_as VALUES (?, ?, ?)", [row for row in now if row[1] != row[2]])


def recodes_of(db: Database, round_id: str, segment: str) -> list[Recode]:
    """Why a segment is read again in a round; nothing in other rounds."""
    rows = db.conn.execute(
        "SELECT segment, code, why FROM recodes WHERE round = ? AND segment = ? ORDER BY code", (round_id, segment)
    )
    return [Recode(**dict(row)) for row in rows]


def recode_counts(db: Database) -> dict[str, int]:
    """How many segments are read again in each round that a publication made."""
    return {
        row[0]: row[1] for row in db.conn.execute("SELECT round, count(DISTINCT segment) FROM recodes GROUP BY round")
    }


def use_version(connection: sqlite3.Connection, codebook: str, version: str) -> None:
    """From now on people code with this version, in the caller's transaction; suggestions stay as they are."""
    connection.execute("UPDATE current_reading SET codebook = ?, codebook_version = ?", (codebook, version))


def version_to_use(connection: sqlite3.Connection, codebook: str, version: str) -> str:
    """The version, or a newer one that was published in the study while suggestions were made with it."""
    rows = connection.execute("SELECT version FROM publications WHERE codebook = ?", [codebook])
    return max([version, *(str(row["version"]) for row in rows)], key=numbers)
