"""A corrected file in the study: a voice's new words, with segments, suggestions and decisions moved to where theirs stand.

Nothing that was decided is rewritten: a coding whose words are gone is taken back by a decision of whoever brought the
file, and listed. The earlier words are removed, as after a fix.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlite_utils import Database

from nlp.realign import Realigned, respelt, same_words
from nlp.text import segments as cut
from nlp.types import Segment, Span
from service.study.decisions import Decision, add_decisions
from service.study.voices import NewCleanText, add_clean_text

_GIVES = ("accept", "add", "change")
_NO_WORDS = (0, 0)


@dataclass(frozen=True, slots=True)
class Unkept:
    """A decision that was taken back; `round` is where it was made, and `again` where its words are read again."""

    decision: int
    segment: str
    code: str
    round: str
    again: str


@dataclass(frozen=True, slots=True)
class _Moved:
    """A segment before and after: `same` has the same words, `near` the same ones but for spelling."""

    id: str
    before: Span
    after: Span
    same: bool
    near: bool


def store_correction(
    connection: sqlite3.Connection, clean: NewCleanText, aligned: Realigned, *, run: str, by: str, now: str
) -> list[Unkept]:
    """Store a voice's new words as its next version, in the caller's transaction; what could not be kept."""
    connection.execute("PRAGMA secure_delete = ON")
    add_clean_text(connection, clean, run=run)
    connection.execute("INSERT INTO corrections VALUES (?, ?, ?)", (clean.voice, clean.version, run))
    moved = _move_segments(connection, clean, aligned)
    _move_suggestions(connection, clean.voice, aligned, moved)
    unkept = _take_back(connection, clean.voice, aligned, moved, run=run, by=by, now=now)
    _move_decisions(connection, clean, aligned, moved)
    changed = [(m.id,) for m in moved.values() if not m.same]
    connection.executemany("DELETE FROM matched WHERE segment = ?", changed)
    connection.execute("UPDATE clean_texts SET text = '' WHERE voice = ? AND version < ?", [clean.voice, clean.version])
    return unkept


def _move_segments(connection: sqlite3.Connection, clean: NewCleanText, aligned: Realigned) -> dict[str, _Moved]:
    """Segments where their words are, tiling the new text; what was written on after them becomes new ones."""
    rows = connection.execute(
        'SELECT id, position, start, "end" FROM segments WHERE voice = ? ORDER BY position', [clean.voice]
    ).fetchall()
    more = _written_on(aligned) if rows else list(cut(clean.text))
    end = more[0].start if more else len(clean.text)
    moved = {row["id"]: _moved(row, aligned, end) for row in rows}
    connection.executemany(
        'UPDATE segments SET version = ?, start = ?, "end" = ? WHERE id = ?',
        [(clean.version, m.after.start, m.after.end, m.id) for m in moved.values()],
    )
    first = rows[-1]["position"] + 1 if rows else 0
    connection.executemany(
        "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?)",
        [
            (f"{clean.voice}.{n}", clean.voice, clean.version, n, s.start, s.end) for n, s in enumerate(more, first)
        ],
    )  # fmt: skip
    return moved


def _written_on(aligned: Realigned) -> list[Segment]:
    """The segments of a text that begin where all that is left of the old one is over."""
    begins = aligned.appended()
    return [] if begins is None else [s for s in cut(aligned.new) if s.start >= begins - 1 and s.start > 0]


def _moved(row: sqlite3.Row, aligned: Realigned, end: int) -> _Moved:
    before = Span(row["start"], row["end"])
    after = Span(min(aligned.boundary(before.start), end), min(aligned.boundary(before.end), end))
    one, other = before.of(aligned.old), after.of(aligned.new)
    return _Moved(row["id"], before, after, same_words(one, other), respelt(one, other))


def _place(start: int, end: int, aligned: Realigned, segment: _Moved) -> tuple[int, int]:
    """Where a stretch stands now; where its words are gone, the whole of its segment."""
    if (start, end) == _NO_WORDS:
        return _NO_WORDS
    found = aligned.moved(start, end)
    inside = found is not None and segment.after.start <= found.start and found.end <= segment.after.end
    return (found.start, found.end) if found is not None and inside else (segment.after.start, segment.after.end)


def _is_kept(start: int, end: int, aligned: Realigned, segment: _Moved) -> bool:
    """Whether a coding's words are all there, inside its segment; one of no certain words holds for the segment's."""
    if (start, end) == _NO_WORDS:
        return segment.near
    found = aligned.moved(start, end)
    return found is not None and segment.after.start <= found.start and found.end <= segment.after.end


def _move_suggestions(
    connection: sqlite3.Connection, voice: str, aligned: Realigned, moved: dict[str, _Moved]
) -> None:  # fmt: skip
    rows = connection.execute(
        'SELECT id, segment, start, "end" FROM suggestions WHERE segment IN (SELECT id FROM segments WHERE voice = ?)',
        [voice],
    ).fetchall()
    places = [(_place(r["start"], r["end"], aligned, moved[r["segment"]]), r["id"]) for r in rows]
    connection.executemany(
        'UPDATE suggestions SET start = ?, "end" = ?, quote = ? WHERE id = ?',
        [(start, end, aligned.new[start:end], id_) for (start, end), id_ in places],
    )


def _move_decisions(
    connection: sqlite3.Connection, clean: NewCleanText, aligned: Realigned, moved: dict[str, _Moved]
) -> None:  # fmt: skip
    rows = connection.execute(
        'SELECT d.seq, d.segment, coalesce(m.start, d.start) AS start, coalesce(m."end", d."end") AS "end" FROM decisions d'
        " LEFT JOIN moved m ON m.decision = d.seq AND m.version = (SELECT max(version) FROM moved n WHERE n.decision = d.seq)"
        " WHERE d.segment IN (SELECT id FROM segments WHERE voice = ?)",
        [clean.voice],
    ).fetchall()
    connection.executemany(
        "INSERT INTO moved VALUES (?, ?, ?, ?)",
        [(r["seq"], clean.version, *_place(r["start"], r["end"], aligned, moved[r["segment"]])) for r in rows],
    )


def _take_back(
    connection: sqlite3.Connection, voice: str, aligned: Realigned, moved: dict[str, _Moved], *, run: str, by: str, now: str
) -> list[Unkept]:  # fmt: skip
    """Take back what its words no longer carry: codings whose words are gone; and a blind reading whole, where one of
    its codings is, or where the words are not the same but for spelling."""
    rows = connection.execute(
        "SELECT s.*, r.kind, EXISTS (SELECT 1 FROM round_ends e WHERE e.round = s.round) AS over FROM standing s"
        " JOIN rounds r ON r.id = s.round WHERE s.segment IN (SELECT id FROM segments WHERE voice = ?) ORDER BY s.seq",
        [voice],
    ).fetchall()
    lost = [
        r for r in rows if r["action"] in _GIVES and not _is_kept(r["start"], r["end"], aligned, moved[r["segment"]])
    ]
    broken = {_reading(r) for r in lost} | {_reading(r) for r in rows if not moved[r["segment"]].near}
    blind = [r for r in rows if r["kind"] == "counting" and _reading(r) in broken]
    gone = {r["seq"]: r for r in [*lost, *blind]}
    add_decisions(connection, [_undoing(row, by, now) for row in gone.values()])
    newest = connection.execute("SELECT max(seq) FROM decisions").fetchone()[0]
    connection.executemany(
        "INSERT INTO rereads VALUES (?, ?, ?)", [(s, newest, run) for s in dict.fromkeys(r["segment"] for r in blind)]
    )
    return [
        Unkept(r["seq"], r["segment"], r["code"], r["round"], r["round"] if r["kind"] == "counting" and not r["over"] else "")
        for r in gone.values() if r["action"] in _GIVES
    ]  # fmt: skip


def _reading(row: sqlite3.Row) -> tuple[str, str, str]:
    return row["round"], row["segment"], row["coder"]


def _undoing(row: sqlite3.Row, by: str, now: str) -> Decision:
    return Decision(
        segment=row["segment"], action="undo", coder=by, at=now, round=row["round"], stream=row["stream"],
        probability=row["probability"], codebook=row["codebook"], codebook_version=row["codebook_version"],
        shown=bool(row["shown"]), undoes=row["seq"],
    )  # fmt: skip


def add_unkept(connection: sqlite3.Connection, run: str, unkept: Iterable[Unkept]) -> None:
    """Store what could not be kept, in the caller's transaction."""
    connection.executemany("INSERT INTO unkept VALUES (?, ?, ?)", [(u.decision, run, u.again) for u in unkept])


def last_unkept(db: Database, limit: int) -> list[Unkept]:
    """What could not be kept of corrected files, newest first."""
    rows = db.conn.execute(
        "SELECT u.decision, d.segment, d.code, d.round, u.round AS again FROM unkept u JOIN decisions d ON d.seq = u.decision"
        " ORDER BY u.run DESC, u.decision LIMIT ?",
        [limit],
    )
    return [Unkept(**dict(row)) for row in rows]


def again_in(unkept: Sequence[Unkept], round_id: str) -> list[Unkept]:
    """The same, with the round in which those are read again that no round of their own asks for."""
    return [replace(u, again=u.again or round_id) for u in unkept]
