"""Counts for a study's first page, each by one query: what came in, what is protected, how far reading is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from service.study.suggestions import newest_reading

LANGUAGE = "language"
_OWN = "v.voice IN ('child', 'young_person', 'parent_carer', 'unknown')"


@dataclass(frozen=True, slots=True)
class Counts:
    """`waiting` voices are not de-identified yet, `held` ones wait for a person; `unmatched` segments have no suggestions
    yet, and for `silent` ones nothing fitted."""

    voices: int
    people: int
    segments: int
    waiting: int
    held: int
    redactions: int
    suggestions: int
    unmatched: int
    silent: int


@dataclass(frozen=True, slots=True)
class RoundCounts:
    """A round: `units` drawn with their `texts` (segments), those that at least one coder has read, and two or more.

    `whole` are units that one coder has read to the end.
    """

    id: str
    kind: str
    unit: str
    units: int
    texts: int
    read: int
    twice: int
    whole: int
    coders: int
    ended: bool


def counts(db: Database) -> Counts:
    """What came in, what is protected, what is suggested."""
    reading = newest_reading(db)
    one = db.conn.execute(
        "SELECT (SELECT count(*) FROM voices), (SELECT count(*) FROM participants), (SELECT count(*) FROM segments),"
        " (SELECT count(DISTINCT voice) FROM clean_texts),"
        " (SELECT count(DISTINCT voice) FROM clean_texts WHERE held <> ''),"
        " (SELECT count(*) FROM redactions r WHERE version ="
        "   (SELECT max(version) FROM clean_texts c WHERE c.voice = r.voice)),"
        " (SELECT count(*) FROM suggestions WHERE reading = :reading),"
        " (SELECT count(*) FROM matched WHERE reading = :reading),"
        " (SELECT count(DISTINCT segment) FROM suggestions WHERE reading = :reading)",
        {"reading": reading},
    ).fetchone()
    voices, people, segments, clean, held, redactions, suggestions, matched, spoken_for = one
    return Counts(
        voices,
        people,
        segments,
        voices - clean,
        held,
        redactions,
        suggestions,
        segments - matched,
        matched - spoken_for,
    )


def round_counts(db: Database) -> list[RoundCounts]:
    """How far each round is, oldest first."""
    rows = db.conn.execute(
        "SELECT r.id, r.kind, r.unit, (SELECT count(*) FROM draws d WHERE d.round = r.id) AS units,"
        " EXISTS (SELECT 1 FROM round_ends e WHERE e.round = r.id) AS ended FROM rounds r ORDER BY r.rowid"
    ).fetchall()
    return [_round(db, **dict(row)) for row in rows]


def _round(db: Database, *, id: str, kind: str, unit: str, units: int, ended: int) -> RoundCounts:
    read = _readers(db, id)
    parts = {} if unit == "segment" else _parts(db, id)
    texts = sum(map(len, parts.values())) if parts else units
    coders = {coder for by in read.values() for coder in by}
    whole = len(read)
    if unit != "segment":
        whole = sum(any(all(c in read.get(s, ()) for s in ids) for c in read.get(ids[0], ())) for ids in parts.values())
    twice = sum(len(by) > 1 for by in read.values())
    return RoundCounts(id, kind, unit, units, texts, len(read), twice, whole, len(coders), bool(ended))


def _readers(db: Database, round_id: str) -> dict[str, list[str]]:
    """Who has read each segment of a round to the end."""
    found: dict[str, list[str]] = {}
    for segment, coder in db.conn.execute(
        "SELECT DISTINCT segment, coder FROM standing WHERE round = ? AND action = 'close'", [round_id]
    ):
        found.setdefault(segment, []).append(coder)
    return found


def _parts(db: Database, round_id: str) -> dict[str, list[str]]:
    """The segments of each drawn person or text."""
    found: dict[str, list[str]] = {}
    for unit, segment in db.conn.execute(
        "SELECT d.unit, s.id FROM draws d JOIN frames f ON f.round = d.round AND f.unit = d.unit"
        " JOIN segments s ON s.voice = f.voice WHERE d.round = ?",
        [round_id],
    ):
        found.setdefault(unit, []).append(segment)
    return found


def language_attribute(db: Database) -> str:
    """The attribute of the voices that tells of a language; empty where none does."""
    row = db.conn.execute(
        "SELECT DISTINCT a.key FROM voices v, json_each(v.attributes) a WHERE lower(a.key) LIKE '%language%' LIMIT 1"
    ).fetchone()
    return "" if row is None else str(row[0])


def heard_by(db: Database, dimension: str, language: str) -> dict[str, tuple[int, int]]:
    """Voices and people by one attribute, or by the attribute that is called `language`; practitioners' own views apart."""
    rows = db.conn.execute(
        f"SELECT {_column(dimension)} AS name, count(*), count(DISTINCT participant) FROM voices v"
        f" WHERE {_scope(dimension)} GROUP BY 1",
        [_path(language)] if dimension == LANGUAGE else [],
    )
    return {name or "": (voices, people) for name, voices, people in rows}


def voices_begun(db: Database) -> list[str]:
    """Ids of the voices of which somebody has read at least one segment to the end."""
    rows = db.conn.execute(
        "SELECT DISTINCT s.voice FROM standing d JOIN segments s ON s.id = d.segment WHERE d.action = 'close'"
    )
    return [row[0] for row in rows]


def read_by(db: Database, dimension: str, language: str, begun: Sequence[str]) -> dict[str, int]:
    """People with a voice among those `begun`, by one attribute."""
    rows = db.conn.execute(
        f"SELECT {_column(dimension)} AS name, count(DISTINCT participant) FROM voices v WHERE {_scope(dimension)}"
        " AND id IN (SELECT value FROM json_each(?)) GROUP BY 1",
        [*([_path(language)] if dimension == LANGUAGE else []), json.dumps(begun)],
    )
    return {name or "": people for name, people in rows}


def _scope(dimension: str) -> str:
    return "1" if dimension == "voice" else _OWN


def _column(dimension: str) -> str:
    return "CAST(json_extract(attributes, ?) AS TEXT)" if dimension == LANGUAGE else f"v.{dimension}"


def _path(attribute: str) -> str:
    return f'$."{attribute}"'
