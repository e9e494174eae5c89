"""What people made of links: the versions of links that were in use, judgements of fit, and what will change."""

from __future__ import annotations

import sqlite3
from dataclasses import astuple, dataclass

from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class LinkVersion:
    """A version of a link as it was taken in; `content` is the whole link as JSON."""

    link: str
    version: int
    fingerprint: str
    content: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """A person's judgement of how the two figures of a link stand to each other. `numbers` says which figures it was
    made on, so that it can be told when they have moved since."""

    link: str
    link_version: int
    fit: str
    reason: str
    took_part: str
    numbers: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Promise:
    """Who will see a finding and what will change. `subject` is a link, a code with its prefix, or "" for them all."""

    subject: str
    who_sees: str
    what_changes: str
    by: str
    at: str


def keep_link_version(connection: sqlite3.Connection, held: LinkVersion) -> None:
    """Store a version once; one that is there stays as it is."""
    connection.execute("INSERT OR IGNORE INTO link_versions VALUES (?, ?, ?, ?, ?, ?)", astuple(held))


def link_versions(db: Database) -> dict[str, list[LinkVersion]]:
    """Every version of every link, oldest first."""
    found: dict[str, list[LinkVersion]] = {}
    for row in db.conn.execute("SELECT * FROM link_versions ORDER BY link, version"):
        found.setdefault(row["link"], []).append(LinkVersion(**dict(row)))
    return found


def add_judgement(connection: sqlite3.Connection, judgement: Judgement) -> None:
    """Append a judgement, in the caller's transaction."""
    connection.execute(
        "INSERT INTO judgements (link, link_version, fit, reason, took_part, numbers, by, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        astuple(judgement),
    )


def judgements(db: Database) -> dict[str, list[Judgement]]:
    """All judgements by link, newest first."""
    found: dict[str, list[Judgement]] = {}
    rows = db.conn.execute(
        "SELECT link, link_version, fit, reason, took_part, numbers, by, at FROM judgements ORDER BY seq DESC"
    )
    for row in rows:
        found.setdefault(row["link"], []).append(Judgement(**dict(row)))
    return found


def add_promise(connection: sqlite3.Connection, promise: Promise) -> None:
    """Append what was promised, in the caller's transaction."""
    connection.execute(
        "INSERT INTO promises (subject, who_sees, what_changes, by, at) VALUES (?, ?, ?, ?, ?)", astuple(promise)
    )


def promises(db: Database) -> dict[str, Promise]:
    """The newest promise about each subject."""
    rows = db.conn.execute("SELECT subject, who_sees, what_changes, by, at FROM promises ORDER BY seq")
    return {row["subject"]: Promise(**dict(row)) for row in rows}
