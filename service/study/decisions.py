"""Rounds, draws and decisions: append-only acts of people, from which codings follow."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlite_utils import Database

from service.errors import RecordError
from service.study.publications import meanings


@dataclass(frozen=True, slots=True)
class Round:
    """A round of coding: `review` shows suggestions, `counting` is a random draw read blind first."""

    id: str
    kind: str
    unit: str
    seed: int
    codebook: str
    codebook_version: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Draw:
    """One unit drawn for a round, with the probability of being drawn, logged before it is read.

    `stream` names the ways by which it came, joined by “+”.
    """

    position: int
    unit: str
    stream: str
    probability: float


def is_uniform(draw: Draw) -> bool:
    """Whether the uniform draw brought it, be it among others."""
    return "uniform" in draw.stream.split("+")


@dataclass(frozen=True, slots=True)
class Decision:
    """One act of one coder; `action` is accept, reject, add, change, skip, close or undo.

    `bulk` marks what was accepted many at a time, without reading each.
    """

    segment: str
    action: str
    coder: str
    at: str
    round: str
    stream: str
    probability: float
    codebook: str
    codebook_version: str
    shown: bool
    code: str = ""
    stance: str = ""
    start: int = 0
    end: int = 0
    suggestion: int | None = None
    undoes: int | None = None
    seconds: float = 0.0
    model: str = ""
    bulk: bool = False


@dataclass(frozen=True, slots=True)
class Coding:
    """What stands decided: a coder holds that a segment expresses a code."""

    segment: str
    code: str
    stance: str
    start: int
    end: int
    coder: str
    at: str
    round: str
    shown: bool
    codebook_version: str


def add_round(connection: sqlite3.Connection, round_: Round, draws: Sequence[Draw]) -> None:
    """Store a round and its whole draw, in the caller's transaction, before anything is read."""
    connection.execute(
        "INSERT INTO rounds VALUES (?, ?, ?, ?, ?, ?, ?)",
        (round_.id, round_.kind, round_.unit, round_.seed, round_.codebook, round_.codebook_version, round_.created_at),
    )
    connection.executemany(
        "INSERT INTO draws VALUES (?, ?, ?, ?, ?, ?)",
        [(round_.id, d.position, d.unit, d.stream, d.probability, round_.created_at) for d in draws],
    )


def add_frame(connection: sqlite3.Connection, round_id: str, units: Mapping[str, Sequence[str]]) -> None:
    """Store whom a counting round could have drawn, with the voices they had then."""
    rows = [(round_id, unit, voice) for unit, voices in units.items() for voice in voices]
    connection.executemany("INSERT INTO frames VALUES (?, ?, ?)", rows)


def frame(db: Database, round_id: str) -> dict[str, list[str]]:
    """Whom a counting round could have drawn, with the voices they had then."""
    units: dict[str, list[str]] = {}
    for row in db.conn.execute("SELECT unit, voice FROM frames WHERE round = ? ORDER BY rowid", [round_id]):
        units.setdefault(row["unit"], []).append(row["voice"])
    return units


def rounds(db: Database) -> list[Round]:
    """All rounds, oldest first."""
    return [Round(**dict(row)) for row in db.conn.execute("SELECT * FROM rounds ORDER BY rowid")]


def draws(db: Database, round_id: str) -> list[Draw]:
    """A round's draw, in reading order."""
    rows = db.conn.execute(
        "SELECT position, unit, stream, probability FROM draws WHERE round = ? ORDER BY position", [round_id]
    )
    return [Draw(**dict(row)) for row in rows]


def add_decisions(connection: sqlite3.Connection, decisions: Sequence[Decision]) -> list[int]:
    """Append decisions, in the caller's transaction; their numbers, in order."""
    return [_add(connection, decision) for decision in decisions]


def _add(connection: sqlite3.Connection, d: Decision) -> int:
    cursor = connection.execute(
        'INSERT INTO decisions (segment, action, code, stance, start, "end", suggestion, undoes, coder, at, seconds, shown,'
        " round, stream, probability, codebook, codebook_version, model, bulk)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            d.segment, d.action, d.code, d.stance, d.start, d.end, d.suggestion, d.undoes, d.coder, d.at, d.seconds,
            int(d.shown), d.round, d.stream, d.probability, d.codebook, d.codebook_version, d.model,
            int(d.bulk),
        ),
    )  # fmt: skip
    if cursor.lastrowid is None:
        raise RecordError("a decision was not stored")
    return cursor.lastrowid


def codings(db: Database, where: str = "1", parameters: Sequence[object] = ()) -> list[Coding]:
    """Codings that meet a condition on the view's columns, under the codes that they count under today.

    What was given under a code that was since split, merged or redefined is left out until it is read again, unless it
    was declared that the meaning is kept. The condition sees codes as they were given.
    """
    rows = db.conn.execute(
        'SELECT segment, code, stance, start, "end", coder, at, round, shown, codebook_version FROM codings'
        f" WHERE {where} ORDER BY seq",
        parameters,
    )
    return _as_they_count(db, rows)


@dataclass(frozen=True, slots=True)
class Given:
    """A coding under the code and version with which it was given, whatever became of them since."""

    segment: str
    code: str
    round: str
    shown: bool
    codebook_version: str


def given_codings(db: Database) -> list[Given]:
    """All standing codings as they were given."""
    rows = db.conn.execute("SELECT segment, code, round, shown, codebook_version FROM codings ORDER BY seq")
    return [Given(**{**dict(row), "shown": bool(row["shown"])}) for row in rows]


def _as_they_count(db: Database, rows: Iterable[sqlite3.Row]) -> list[Coding]:
    given, means = [Coding(**{**dict(row), "shown": bool(row["shown"])}) for row in rows], meanings(db)
    if not means:
        return given
    now = [replace(c, code=means.now(c.codebook_version, c.code)) for c in given]
    return list({(c.segment, c.code, c.coder, c.round): c for c in now if c.code}.values())


def blind_codings(db: Database, round_id: str) -> list[Coding]:
    """What coders decided in a counting round before they saw any suggestion, as it counts today (see `codings`).

    Revisions made afterwards stay apart.
    """
    rows = db.conn.execute(
        'SELECT segment, code, stance, start, "end", coder, at, round, shown, codebook_version FROM blind_codings'
        " WHERE round = ? ORDER BY seq",
        [round_id],
    )
    return _as_they_count(db, rows)


def last_standing(db: Database, coder: str, round_id: str) -> int | None:
    """The number of the coder's newest decision in a round that is not undone."""
    row = db.conn.execute(
        "SELECT seq FROM standing WHERE coder = ? AND round = ? ORDER BY seq DESC LIMIT 1", [coder, round_id]
    ).fetchone()
    return None if row is None else int(row["seq"])


def closed_by_coder(db: Database, round_id: str) -> dict[str, set[str]]:
    """For each coder, in the order in which they began, the segments they read to the end in a round."""
    closed: dict[str, set[str]] = {}
    rows = db.conn.execute(
        "SELECT coder, segment FROM standing WHERE round = ? AND action = 'close' ORDER BY seq", [round_id]
    )
    for row in rows:
        closed.setdefault(row["coder"], set()).add(row["segment"])
    return closed
