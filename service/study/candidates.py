"""Candidate themes and what people did with them; both append-only."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from nlp.themes.discover import Candidate
from service.errors import RecordError


@dataclass(frozen=True, slots=True)
class Discovery:
    """One search for what no code fits."""

    id: str
    how: str
    seed: int
    leftovers: int
    unplaced: int
    codebook: str
    codebook_version: str
    model: str
    at: str


@dataclass(frozen=True, slots=True)
class StoredCandidate:
    """A candidate theme; `came_from` are the candidates that it was merged from or split off."""

    id: int
    discovery: str
    candidate: Candidate
    came_from: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Act:
    """What a person did with a candidate: adopt, join (put into a code that is there), merge, split, dismiss, or undo that.

    `codebook_version` is empty where a code went into the draft of the next version.
    """

    candidate: int
    act: str
    by: str
    at: str
    code: str = ""
    codebook_version: str = ""
    note: str = ""


def add_discovery(connection: sqlite3.Connection, found: Discovery) -> None:
    """Store a search, in the caller's transaction."""
    connection.execute(
        "INSERT INTO discoveries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (found.id, found.how, found.seed, found.leftovers, found.unplaced, found.codebook, found.codebook_version,
         found.model, found.at),
    )  # fmt: skip


def add_candidate(
    connection: sqlite3.Connection, discovery: str, c: Candidate, came_from: Sequence[int] = ()
) -> int:  # fmt: skip
    """Store a candidate, in the caller's transaction; its number."""
    lists = [json.dumps(part) for part in (c.keywords, c.members, c.central)]
    cursor = connection.execute(
        "INSERT INTO candidates (discovery, keywords, members, central, people, voices, places, stability, nearest, came_from)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (discovery, *lists, c.people, json.dumps(c.voices), json.dumps(c.places), c.stability, json.dumps(c.nearest),
         json.dumps(list(came_from))),
    )  # fmt: skip
    if cursor.lastrowid is None:
        raise RecordError("a candidate theme was not stored")
    return cursor.lastrowid


def add_act(connection: sqlite3.Connection, act: Act) -> None:
    """Record what a person did, in the caller's transaction.

    RecordError where the candidate was already settled, or where nothing is there to undo.
    """
    held = connection.execute(
        "SELECT act FROM candidate_acts WHERE candidate = ? ORDER BY seq DESC LIMIT 1", [act.candidate]
    ).fetchone()
    settled = held is not None and held["act"] != "undo"
    if settled and act.act != "undo":
        raise RecordError(f"candidate theme {act.candidate} is already settled ({held['act']})")
    if act.act == "undo" and not settled:
        raise RecordError(f"nothing was done with candidate theme {act.candidate} that could be undone")
    connection.execute(
        "INSERT INTO candidate_acts (candidate, act, by, at, code, codebook_version, note) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (act.candidate, act.act, act.by, act.at, act.code, act.codebook_version, act.note),
    )


def newest_discovery(db: Database) -> Discovery | None:
    """The last search, if any."""
    row = db.conn.execute("SELECT * FROM discoveries ORDER BY rowid DESC LIMIT 1").fetchone()
    return None if row is None else Discovery(**dict(row))


def open_candidates(db: Database, discovery: str) -> list[StoredCandidate]:
    """Those of a search that nobody has settled, most people first."""
    rows = db.conn.execute(
        "SELECT * FROM candidates c WHERE discovery = ? AND coalesce((SELECT act FROM candidate_acts a"
        " WHERE a.candidate = c.id ORDER BY seq DESC LIMIT 1), 'undo') = 'undo' ORDER BY people DESC, id",
        [discovery],
    )
    return [_candidate(row) for row in rows]


def candidate(db: Database, number: int) -> StoredCandidate:
    """The candidate of that number; RecordError when there is none."""
    row = db.conn.execute("SELECT * FROM candidates WHERE id = ?", [number]).fetchone()
    if row is None:
        raise RecordError(f"there is no candidate theme {number} in this study")
    return _candidate(row)


def acts(db: Database) -> list[Act]:
    """Everything that was done, oldest first."""
    rows = db.conn.execute(
        "SELECT candidate, act, by, at, code, codebook_version, note FROM candidate_acts ORDER BY seq"
    )
    return [Act(**dict(row)) for row in rows]


def last_acts(db: Database) -> dict[int, Act]:
    """What was done last with each candidate that somebody has ever settled."""
    return {act.candidate: act for act in acts(db)}


def _candidate(row: Mapping[str, object]) -> StoredCandidate:
    held = {
        k: json.loads(str(row[k]))
        for k in ("keywords", "members", "central", "voices", "places", "nearest", "came_from")
    }
    found = Candidate(
        keywords=tuple(held["keywords"]), members=tuple(held["members"]), central=tuple(held["central"]),
        people=int(str(row["people"])), voices=tuple((n, c) for n, c in held["voices"]),
        places=tuple((n, c) for n, c in held["places"]),
        stability=float("nan") if row["stability"] is None else float(str(row["stability"])), nearest=tuple(held["nearest"]),
    )  # fmt: skip
    return StoredCandidate(int(str(row["id"])), str(row["discovery"]), found, tuple(held["came_from"]))
