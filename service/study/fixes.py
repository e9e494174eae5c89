"""A fix to a clean text: a new version in which segments, suggestions and decisions keep their words.

The words that an older version showed by mistake are removed from it: a fix that left them in the
study would protect nobody.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlite_utils import Database

from nlp.deid.evaluate import DIRECT
from nlp.types import Label, Span
from service.study.database import write
from service.study.runs import Run, add_audit, add_run, new_run_id
from service.study.vectors import forget_vectors
from service.study.voices import NewCleanText, StoredDoubt, StoredRedaction, add_clean_text


@dataclass(frozen=True, slots=True)
class Edit:
    """Other words for a stretch of the clean text: a surrogate with its label, or, without one, a mask opened."""

    start: int
    end: int
    words: str
    label: Label | None = None
    detector: str = ""
    why: str = ""


def moved_span(edits: Sequence[Edit], start: int, end: int) -> tuple[int, int]:
    """Where a stretch stands after edits; one that an edit cuts into takes the edit's words in whole."""
    return _moved(edits, start, is_end=False), _moved(edits, end, is_end=True)


def _moved(edits: Sequence[Edit], place: int, *, is_end: bool) -> int:
    shift = 0
    for edit in sorted(edits, key=lambda e: e.start):
        if edit.end <= place:
            shift += len(edit.words) - (edit.end - edit.start)
        elif edit.start < place:
            return edit.start + shift + (len(edit.words) if is_end else 0)
    return place + shift


def store_fix(db: Database, clean: NewCleanText, edits: Sequence[Edit], *, checker: str, now: str) -> list[Span]:
    """Store the next version of a clean text; where each edit's words stand in it. Edits are disjoint."""
    places = [Span(*moved_span([e for e in edits if e is not edit], edit.start, edit.start)) for edit in edits]
    stood = [Span(p.start, p.start + len(e.words)) for p, e in zip(places, edits, strict=True)]
    fixed = _fixed(_without_checked(db, clean), edits, stood)
    with write(db) as connection:
        _store(connection, fixed, edits, "fix", checker, now)
    return stood


def store_back(
    db: Database, connection: sqlite3.Connection, clean: NewCleanText, edits: Sequence[Edit], before: NewCleanText, *,
    checker: str, now: str,
) -> int:  # fmt: skip
    """Store, in the caller's transaction, a version that is as `before` was; its number. `edits` lead there."""
    back = _without_checked(db, before)
    expected = sum(d.score for d in back.doubts if Label(d.label) in DIRECT)
    version = clean.version + 1
    fixed = replace(back, text=_applied(clean.text, edits), expected_leaks=expected, held=clean.held, version=version)
    _store(connection, fixed, edits, "fix taken back", checker, now)
    connection.execute("INSERT INTO restored VALUES (?, ?, ?)", (clean.voice, version, before.version))
    return version


def _store(
    connection: sqlite3.Connection, fixed: NewCleanText, edits: Sequence[Edit], act: str, checker: str, now: str
) -> None:
    connection.execute("PRAGMA secure_delete = ON")
    run = new_run_id("fix", now)
    add_run(connection, Run(run, "fix", "fix.v1", checker, "", "", "", {"edits": len(edits)}, now, now))
    add_clean_text(connection, fixed, run=run)
    _move_segments(connection, fixed.voice, fixed.version, edits)
    _move_suggestions(connection, fixed, edits)
    _move_decisions(connection, fixed.voice, fixed.version, edits)
    forget_vectors(connection)
    connection.execute("UPDATE clean_texts SET text = '' WHERE voice = ? AND version < ?", [fixed.voice, fixed.version])
    add_audit(connection, at=now, actor=checker, action=act, subject=fixed.voice, counts={"edits": len(edits)})


def _without_checked(db: Database, clean: NewCleanText) -> NewCleanText:
    """What a person has already looked at is no longer unsure."""
    rows = db.conn.execute(
        "SELECT start, \"end\" FROM checks k WHERE voice = ? AND version = ? AND part = 'unsure'"
        " AND NOT EXISTS (SELECT 1 FROM check_undos u WHERE u.look = k.seq)",
        [clean.voice, clean.version],
    )
    seen = {(r["start"], r["end"]) for r in rows}
    redactions = tuple(replace(r, score=1.0) if (r.start, r.end) in seen else r for r in clean.redactions)
    doubts = tuple(d for d in clean.doubts if (d.start, d.end) not in seen)
    return replace(clean, redactions=redactions, doubts=doubts)


def _fixed(clean: NewCleanText, edits: Sequence[Edit], stood: Sequence[Span]) -> NewCleanText:
    kept = [r for r in clean.redactions if not _is_edited(edits, r.start, r.end)]
    redactions = [_redaction_at(edits, r) for r in kept]
    redactions += [
        StoredRedaction(place.start, place.end, e.label, 1.0, e.detector, e.why)
        for e, place in zip(edits, stood, strict=True)
        if e.label is not None
    ]
    doubts = [_doubt_at(edits, d) for d in clean.doubts if not _is_edited(edits, d.start, d.end)]
    return NewCleanText(
        clean.voice, _applied(clean.text, edits), tuple(sorted(redactions, key=lambda r: r.start)),
        tuple(doubts), sum(d.score for d in doubts if Label(d.label) in DIRECT), clean.held, clean.version + 1,
    )  # fmt: skip


def _applied(text: str, edits: Sequence[Edit]) -> str:
    pieces, done = [], 0
    for edit in sorted(edits, key=lambda e: e.start):
        pieces += [text[done : edit.start], edit.words]
        done = edit.end
    return "".join([*pieces, text[done:]])


def _redaction_at(edits: Sequence[Edit], r: StoredRedaction) -> StoredRedaction:
    start, end = moved_span(edits, r.start, r.end)
    return replace(r, start=start, end=end)


def _doubt_at(edits: Sequence[Edit], d: StoredDoubt) -> StoredDoubt:
    start, end = moved_span(edits, d.start, d.end)
    return replace(d, start=start, end=end)


def _is_edited(edits: Sequence[Edit], start: int, end: int) -> bool:
    return any(e.start < end and start < e.end for e in edits)


def _move_segments(connection: sqlite3.Connection, voice: str, version: int, edits: Sequence[Edit]) -> None:
    rows = connection.execute('SELECT id, start, "end" FROM segments WHERE voice = ?', [voice]).fetchall()
    connection.executemany(
        'UPDATE segments SET version = ?, start = ?, "end" = ? WHERE id = ?',
        [(version, _boundary(edits, r["start"]), _boundary(edits, r["end"]), r["id"]) for r in rows],
    )


def _boundary(edits: Sequence[Edit], place: int) -> int:
    """Where two segments meet stays one place, so that they tile the new text too."""
    return _moved(edits, place, is_end=True)


def _move_suggestions(connection: sqlite3.Connection, fixed: NewCleanText, edits: Sequence[Edit]) -> None:
    rows = connection.execute(
        'SELECT id, start, "end" FROM suggestions WHERE segment IN (SELECT id FROM segments WHERE voice = ?)',
        [fixed.voice],
    ).fetchall()
    places = [(moved_span(edits, r["start"], r["end"]), r["id"]) for r in rows]
    connection.executemany(
        'UPDATE suggestions SET start = ?, "end" = ?, quote = ? WHERE id = ?',
        [(start, end, fixed.text[start:end], id_) for (start, end), id_ in places],
    )


def _move_decisions(connection: sqlite3.Connection, voice: str, version: int, edits: Sequence[Edit]) -> None:
    rows = connection.execute(
        'SELECT d.seq, coalesce(m.start, d.start) AS start, coalesce(m."end", d."end") AS "end" FROM decisions d'
        " LEFT JOIN moved m ON m.decision = d.seq AND m.version = (SELECT max(version) FROM moved n WHERE n.decision = d.seq)"
        " WHERE d.segment IN (SELECT id FROM segments WHERE voice = ?)",
        [voice],
    ).fetchall()
    connection.executemany(
        "INSERT INTO moved VALUES (?, ?, ?, ?)",
        [(r["seq"], version, *moved_span(edits, r["start"], r["end"])) for r in rows],
    )
