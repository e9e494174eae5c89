"""The reading queue of a round: which drawn units a coder may read next, their texts, and who holds what for a while."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from sqlite_utils import Database

from service.study.decisions import Draw, Round

# A unit's texts as `s`, for a drawn unit `d`: the segment itself, or all segments of the voices it had when drawn.
_ITSELF = "segments s WHERE s.id = d.unit"
_ALL_ITS = "frames f JOIN segments s ON s.voice = f.voice WHERE f.round = d.round AND f.unit = d.unit"
# A segment whose words a corrected file took out whole is still there, without a word to read.
_READABLE = (
    's."end" > s.start AND EXISTS'
    " (SELECT 1 FROM clean_texts c WHERE c.voice = s.voice AND c.version = s.version AND c.held = '')"
)
_DONE_BY = (
    "EXISTS (SELECT 1 FROM standing x WHERE x.round = d.round AND x.segment = s.id AND x.coder = {coder}"
    " AND x.action IN ({acts}))"
)
_FINISHED, _CLOSED = "'close', 'skip'", "'close'"


@dataclass(frozen=True, slots=True)
class Part:
    """One text of a drawn unit; whether the coder is done with it, and whether by reading it to the end."""

    segment: str
    done: bool
    closed: bool


@dataclass(frozen=True, slots=True)
class Reads:
    """Units that came by the uniform draw: how many there are, and how many one coder has read to the end."""

    drawn: int
    whole: int


def planned_coders(db: Database, round_id: str) -> tuple[str, ...] | None:
    """Who reads a round by its plan; None where it has none and everybody reads it whole."""
    row = db.conn.execute("SELECT coders FROM plans WHERE round = ?", [round_id]).fetchone()
    return None if row is None else tuple(json.loads(row["coders"]))


def ended_rounds(db: Database) -> frozenset[str]:
    """Rounds that are over."""
    return frozenset(row["round"] for row in db.conn.execute("SELECT round FROM round_ends"))


def next_position(
    db: Database, round_: Round, coder: str, *, over: int, upto: int, but: str, planned: bool, now: str
) -> int | None:
    """The first position in (over, upto] with a text, other than `but`, that the coder may read and is not done with."""
    left = f"EXISTS (SELECT 1 FROM {_parts(round_)} AND s.id <> :but AND {_READABLE} AND NOT {_done_by(':coder')})"
    free = f" AND {_free(round_)}" if planned else ""
    row = db.conn.execute(
        "SELECT d.position FROM draws d WHERE d.round = :round AND d.position > :over AND d.position <= :upto"
        f" AND {left}{free} ORDER BY d.position LIMIT 1",
        {"round": round_.id, "over": over, "upto": upto, "but": but, "coder": coder, "now": now},
    ).fetchone()
    return None if row is None else int(row["position"])


def segments_ahead(db: Database, round_id: str, coder: str, *, over: int, number: int) -> list[str]:
    """The next segments of a round of segments, from a position on, that the coder is not done with."""
    rows = db.conn.execute(
        f"SELECT s.id FROM draws d, {_ITSELF} AND d.round = :round AND d.position > :over AND NOT {_done_by(':coder')}"
        " ORDER BY d.position LIMIT :number",
        {"round": round_id, "over": over, "coder": coder, "number": number},
    )
    return [row["id"] for row in rows]


def _parts(round_: Round) -> str:
    return _ITSELF if round_.unit == "segment" else _ALL_ITS


def _done_by(coder: str, acts: str = _FINISHED) -> str:
    return _DONE_BY.format(coder=coder, acts=acts)


def _free(round_: Round) -> str:
    """Assigned to the coder; or in the pool, held by nobody else, and not yet done whole by one other coder."""
    here = "a.round = d.round AND a.position = d.position"
    return (
        f"CASE WHEN EXISTS (SELECT 1 FROM assignments a WHERE {here})"
        f" THEN EXISTS (SELECT 1 FROM assignments a WHERE {here} AND a.coder = :coder)"
        " ELSE NOT EXISTS (SELECT 1 FROM leases l WHERE l.round = d.round AND l.position = d.position"
        f" AND l.coder <> :coder AND l.until > :now) AND NOT {_whole(round_, _FINISHED, ' AND o.coder <> :coder')} END"
    )


def _whole(round_: Round, acts: str, of: str = "") -> str:
    """Whether one coder has done every text of the unit."""
    return (
        f"EXISTS (SELECT 1 FROM standing o WHERE o.round = d.round AND o.segment IN (SELECT s.id FROM {_parts(round_)})"
        f" AND o.action IN ({acts}){of}"
        f" AND NOT EXISTS (SELECT 1 FROM {_parts(round_)} AND {_READABLE} AND NOT {_done_by('o.coder', acts)}))"
    )


def parts_at(db: Database, round_: Round, position: int, coder: str) -> list[Part]:
    """The readable texts of the unit at a position, in reading order."""
    order = "" if round_.unit == "segment" else "f.rowid, "
    rows = db.conn.execute(
        f"SELECT s.id, {_done_by(':coder')} AS done, {_done_by(':coder', _CLOSED)} AS closed"
        f" FROM draws d, {_parts(round_)} AND {_READABLE}"
        f" AND d.round = :round AND d.position = :position ORDER BY {order}s.position",
        {"round": round_.id, "position": position, "coder": coder},
    )
    return [Part(row["id"], bool(row["done"]), bool(row["closed"])) for row in rows]


def draw_at(db: Database, round_id: str, position: int) -> Draw:
    """What was drawn at a position that is there."""
    row = db.conn.execute(
        "SELECT position, unit, stream, probability FROM draws WHERE round = ? AND position = ?", [round_id, position]
    ).fetchone()
    return Draw(**dict(row))


def position_of(db: Database, round_: Round, segment: str) -> int | None:
    """Where a segment stands in a round; None when it is not in it."""
    if round_.unit == "segment":
        found = "SELECT position FROM draws WHERE round = ? AND unit = ?"
    else:
        found = (
            "SELECT d.position FROM segments s JOIN frames f ON f.round = ? AND f.voice = s.voice"
            " JOIN draws d ON d.round = f.round AND d.unit = f.unit WHERE s.id = ?"
        )
    row = db.conn.execute(found, [round_.id, segment]).fetchone()
    return None if row is None else int(row["position"])


def last_position(db: Database, round_id: str) -> int:
    """How many units were drawn; positions run from 1 to it."""
    row = db.conn.execute("SELECT max(position) AS last FROM draws WHERE round = ?", [round_id]).fetchone()
    return int(row["last"] or 0)


def assigned_at(db: Database, round_id: str, position: int) -> frozenset[str]:
    """Whom a position is assigned to; nobody where it is in the pool."""
    rows = db.conn.execute("SELECT coder FROM assignments WHERE round = ? AND position = ?", [round_id, position])
    return frozenset(row["coder"] for row in rows)


def holder_of(db: Database, round_id: str, position: int, now: str) -> str:
    """Who holds a position now; empty where nobody does."""
    row = db.conn.execute(
        "SELECT coder FROM leases WHERE round = ? AND position = ? AND until > ?", [round_id, position, now]
    ).fetchone()
    return "" if row is None else str(row["coder"])


def take_lease(
    connection: sqlite3.Connection, round_id: str, position: int, coder: str, *, now: str, until: str
) -> None:
    """Hold a position until then, in the caller's transaction, unless somebody else does."""
    connection.execute(
        "INSERT INTO leases VALUES (?, ?, ?, ?) ON CONFLICT (round, position)"
        " DO UPDATE SET coder = excluded.coder, until = excluded.until"
        " WHERE leases.coder = excluded.coder OR leases.until <= ?",
        (round_id, position, coder, until, now),
    )


def done_by(db: Database, round_id: str, coder: str) -> int:
    """How many texts of a round a coder has finished."""
    row = db.conn.execute(
        f"SELECT count(DISTINCT segment) AS n FROM standing WHERE round = ? AND coder = ? AND action IN ({_FINISHED})",
        [round_id, coder],
    ).fetchone()
    return int(row["n"])


def units_done(db: Database, round_: Round) -> int:
    """How many drawn units one coder, whoever it is, has finished whole."""
    if round_.unit == "segment":
        count = f"SELECT count(DISTINCT segment) AS n FROM standing WHERE round = ? AND action IN ({_FINISHED})"
    else:
        count = f"SELECT count(*) AS n FROM draws d WHERE d.round = ? AND {_whole(round_, _FINISHED)}"
    return int(db.conn.execute(count, [round_.id]).fetchone()["n"])


def random_reads(db: Database, round_: Round) -> Reads:
    """How far the uniform draw of a counting round is read."""
    row = db.conn.execute(
        f"SELECT count(*) AS drawn, coalesce(sum({_whole(round_, _CLOSED)}), 0) AS whole FROM draws d"
        " WHERE d.round = ? AND '+' || d.stream || '+' LIKE '%+uniform+%'",
        [round_.id],
    ).fetchone()
    return Reads(row["drawn"], row["whole"])


def frame_size(db: Database, round_id: str) -> int:
    """How many units could have been drawn for a counting round."""
    row = db.conn.execute("SELECT count(DISTINCT unit) AS n FROM frames WHERE round = ?", [round_id]).fetchone()
    return int(row["n"])
