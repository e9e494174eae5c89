"""Suggestions: immutable, each with its evidence and how it was made."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from nlp.types import Codebook, Suggestion
from service.study.publications import version_to_use
from service.study.voices import StoredSegment, segments


@dataclass(frozen=True, slots=True)
class StoredSuggestion:
    """A suggestion as stored; `start`, `end` and `quote` lie in the voice's clean text.

    `nearest` is the codebook's sentence that the quote is closest to; where a confirmed excerpt is closer it
    is empty, and `nearest_segment` says where that stands. `against` is an exclude rule that is close.
    """

    id: int
    segment: str
    code: str
    probability: float
    band: str
    start: int
    end: int
    quote: str
    nearest: str
    codebook_version: str
    method: str
    model: str
    nearest_segment: str
    against: str
    calibrated_on: int


_COLUMNS = (
    'id, segment, code, probability, band, start, "end", quote, nearest, codebook_version, method, model,'
    " nearest_segment, against, calibrated_on"
)
NewSuggestion = tuple[str, str, str, str, float, str, int, int, str, str, str, str, str, str, str, str, int]


def new_row(
    run: str, reading: str, segment: StoredSegment, s: Suggestion, codebook: Codebook, method: str, model: str, like: str
) -> NewSuggestion:  # fmt: skip
    """A suggestion as it is stored; `like` is the id of the decided segment that it is nearest to."""
    quote = segment.text[s.start : s.end]
    return (
        run, reading, segment.id, s.code, s.probability, s.band, segment.start + s.start, segment.start + s.end, quote,
        s.nearest, codebook.id, codebook.version, method, model, like, s.against, s.calibrated_on,
    )  # fmt: skip


def unmatched_segments(db: Database, reading: str) -> list[StoredSegment]:
    """Segments that this reading (method, model and codebook version) has not seen."""
    return segments(db, "NOT EXISTS (SELECT 1 FROM matched m WHERE m.segment = s.id AND m.reading = ?)", [reading])


def add_suggestions(
    connection: sqlite3.Connection, *, run: str, reading: str, seen: Sequence[str], new: Sequence[NewSuggestion]
) -> None:
    """Store a batch: the segments seen and what was suggested for them, in the caller's transaction.

    A segment that is read again because its words changed keeps what the same reading suggested before.
    """
    connection.executemany("INSERT INTO matched VALUES (?, ?, ?)", [(s, run, reading) for s in seen])
    connection.executemany(
        'INSERT OR IGNORE INTO suggestions (run, reading, segment, code, probability, band, start, "end", quote, nearest,'
        " codebook, codebook_version, method, model, nearest_segment, against, calibrated_on)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        new,
    )


def newest_reading(db: Database) -> str:
    """The reading that was finished last; empty before the first."""
    row = db.conn.execute("SELECT reading FROM current_reading").fetchone()
    return str(row["reading"]) if row else ""


def set_current_reading(connection: sqlite3.Connection, reading: str, codebook: str, version: str) -> None:
    """From now on this reading's suggestions are shown, in the caller's transaction, and people code with its version.

    A version that was published while the suggestions were made stays in use.
    """
    used = version_to_use(connection, codebook, version)
    connection.execute("INSERT OR REPLACE INTO current_reading VALUES (1, ?, ?, ?)", (reading, codebook, used))


def version_read(db: Database) -> str:
    """The codebook version that the suggestions on show were made with; empty before the first."""
    row = db.conn.execute(
        "SELECT r.codebook_version AS version FROM matched m JOIN runs r ON r.id = m.run WHERE m.reading = ? LIMIT 1",
        [newest_reading(db)],
    ).fetchone()
    return str(row["version"]) if row else ""


def suggestions_of_voice(db: Database, voice_id: str) -> list[StoredSuggestion]:
    """The newest reading's suggestions for one voice, by segment, best first."""
    return _suggestions(db, "segment IN (SELECT id FROM segments WHERE voice = ?)", [voice_id])


def suggestions_of_segment(db: Database, segment_id: str) -> list[StoredSuggestion]:
    """The newest reading's suggestions for one segment, best first."""
    return _suggestions(db, "segment = ?", [segment_id])


def suggestions_in(db: Database, reading: str, segment_id: str) -> list[StoredSuggestion] | None:
    """One reading's suggestions for a segment, best first; None where it has not read it."""
    seen = db.conn.execute("SELECT 1 FROM matched WHERE segment = ? AND reading = ?", [segment_id, reading]).fetchone()
    return _of_reading(db, reading, "segment = ?", [segment_id]) if seen else None


def freshest_suggestions(db: Database, segment_id: str) -> list[StoredSuggestion]:
    """The last suggestions made for a segment with the study's codebook as it is, by the study's reading or a fresh one."""
    row = db.conn.execute(
        "SELECT m.reading FROM matched m, current_reading c"
        " JOIN codebooks b ON b.id = c.codebook AND b.version = c.codebook_version"
        " WHERE m.segment = ? AND (m.reading = c.reading OR (m.reading LIKE 'fresh/%'"
        " AND instr(m.reading, b.id || '-' || b.version || '-' || b.fingerprint) > 0)) ORDER BY m.rowid DESC LIMIT 1",
        [segment_id],
    ).fetchone()
    return [] if row is None else _of_reading(db, row["reading"], "segment = ?", [segment_id])


def suggestions_by_id(db: Database, segment_id: str, ids: Sequence[int]) -> list[StoredSuggestion]:
    """Those of the suggestions that were made for this segment, best first."""
    marks = ",".join("?" * len(ids))
    rows = db.conn.execute(
        f"SELECT {_COLUMNS} FROM suggestions WHERE segment = ? AND id IN ({marks}) ORDER BY probability DESC, id",
        [segment_id, *ids],
    )
    return [StoredSuggestion(**dict(row)) for row in rows]


def _suggestions(db: Database, where: str, parameters: Sequence[object]) -> list[StoredSuggestion]:
    return _of_reading(db, newest_reading(db), where, parameters)


def _of_reading(db: Database, reading: str, where: str, parameters: Sequence[object]) -> list[StoredSuggestion]:
    rows = db.conn.execute(
        f"SELECT {_COLUMNS} FROM suggestions WHERE reading = ? AND {where} ORDER BY segment, probability DESC, id",
        [reading, *parameters],
    )
    return [StoredSuggestion(**dict(row)) for row in rows]
