"""A study's dataset passport: why its voices may be held and what may come of them. Each change is a version of its own."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlite_utils import Database

if TYPE_CHECKING:
    from service.study.study import Study


class Output(StrEnum):
    """What may leave a study."""

    COUNTS = "counts"  # reports and the joint display: shares and counts
    QUOTATIONS = "quotations"  # people's exact words, released by two people
    PACKS = "packs"  # counts as packs for other councils
    LESSONS = "lessons"  # what was decided, as vectors, for the same codebook elsewhere
    STUDY = "study"  # its records: whole, as another tool's project, or as tables by person


@dataclass(frozen=True, slots=True)
class Passport:
    """What governs a study. `retention` is the last day, as 2027-12-31; `lawful_basis` one of Article 6."""

    purpose: str
    controller: str
    lawful_basis: str
    condition: str
    dpia: str
    ethics: str
    retention: str
    outputs: tuple[Output, ...]
    safeguarding_lead: str


@dataclass(frozen=True, slots=True)
class PassportVersion:
    """A passport as it was set: by whom, and when."""

    version: int
    passport: Passport
    by: str
    at: str


FICTIONAL = Passport(
    purpose="To show what Heard does, with people who do not exist",
    controller="Nobody: the people are fictional",
    lawful_basis="none",
    condition="Not needed: the people are fictional",
    dpia="Not needed: the people are fictional",
    ethics="Not needed: the people are fictional",
    retention="9999-12-31",
    outputs=tuple(Output),
    safeguarding_lead="Nobody: the people are fictional",
)


def add_passport(connection: sqlite3.Connection, passport: Passport, *, by: str, at: str) -> int:
    """Set a study's passport anew, in the caller's transaction; the number of its version."""
    row = (json.dumps(asdict(passport), ensure_ascii=False), by, at)
    connection.execute("INSERT INTO passports (content, by, at) VALUES (?, ?, ?)", row)
    (version,) = connection.execute("SELECT max(seq) FROM passports").fetchone()
    return int(version)


def passports(db: Database) -> list[PassportVersion]:
    """Every version, newest first."""
    return [_held(row) for row in db.conn.execute("SELECT * FROM passports ORDER BY seq DESC")]


def passport_of(study: Study) -> Passport | None:
    """The passport in force: the newest, or a made-up one for people who are. None where nobody has set one."""
    row = study.db.conn.execute("SELECT * FROM passports ORDER BY seq DESC LIMIT 1").fetchone()
    if row is not None:
        return _held(row).passport
    return FICTIONAL if study.fictional else None


def _held(row: sqlite3.Row) -> PassportVersion:
    content = json.loads(row["content"])
    outputs = tuple(Output(one) for one in content.pop("outputs"))
    return PassportVersion(row["seq"], Passport(**content, outputs=outputs), row["by"], row["at"])
