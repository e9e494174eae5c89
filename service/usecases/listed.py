"""Suggestions and decisions of a whole study, some at a time, for programs that keep up with it.

`person` is who asks: what they are still to read blind, or alone, is kept back (see `service.study.sealed`).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from service.study.sealed import all_without_others, without_suggestions
from service.study.study import Study
from service.study.suggestions import newest_reading
from service.study.voices import NEWEST


@dataclass(frozen=True, slots=True)
class Suggested:
    """A code that was suggested; `start` and `end` lie in the voice's clean text."""

    code: str
    probability: float
    band: str
    start: int
    end: int
    quote: str
    calibrated_on: int
    codebook_version: str
    method: str
    model: str


@dataclass(frozen=True, slots=True)
class SegmentSuggestions:
    """A segment with its suggestions, best first; `blind` says that they are kept back: there may be some, or none."""

    segment: str
    voice: str
    start: int
    end: int
    blind: bool
    suggestions: tuple[Suggested, ...]


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """One act of one coder, as it was done."""

    segment: str
    action: str
    code: str
    stance: str
    start: int
    end: int
    coder: str
    at: str
    seconds: float
    shown: bool
    round: str
    stream: str
    probability: float
    codebook_version: str
    model: str
    bulk: bool


def suggestions_after(
    study: Study, person: str, *, after: int, limit: int
) -> tuple[list[SegmentSuggestions], int | None]:  # fmt: skip
    """Up to `limit` segments that come after a place, and the place of the last one, None where there are no more."""
    rows = study.db.conn.execute(
        'SELECT s.rowid AS place, s.id, s.voice, s.start, s."end" FROM segments s'
        " JOIN clean_texts c ON c.voice = s.voice AND c.version = s.version"
        f" WHERE c.version = {NEWEST} AND c.held = '' AND s.rowid > ? ORDER BY s.rowid LIMIT ?",
        (after, limit + 1),
    ).fetchall()
    page = rows[:limit]
    ids = [row["id"] for row in page]
    hidden = without_suggestions(study.db, person, ids)
    found = _suggested(study, [i for i in ids if i not in hidden])
    lines = [
        SegmentSuggestions(r["id"], r["voice"], r["start"], r["end"], r["id"] in hidden, tuple(found[r["id"]]))
        for r in page
    ]
    return lines, page[-1]["place"] if len(rows) > limit else None


def _suggested(study: Study, segments: list[str]) -> dict[str, list[Suggested]]:
    columns = ", ".join(f'"{name}"' for name in Suggested.__dataclass_fields__)
    rows = study.db.conn.execute(
        f"SELECT segment, {columns} FROM suggestions WHERE reading = ?"
        f" AND segment IN ({','.join('?' * len(segments))}) ORDER BY probability DESC, id",
        [newest_reading(study.db), *segments],
    )
    found: dict[str, list[Suggested]] = defaultdict(list)
    for row in rows:
        held = dict(row)
        found[held.pop("segment")].append(Suggested(**held))
    return found


def decisions_after(
    study: Study, person: str, *, since: str, skip: int, limit: int
) -> tuple[list[DecisionLine], tuple[str, int] | None]:
    """Up to `limit` decisions in the order in which they were made, and where the next begin: a time, and how many of
    that time to pass over. No number tells how many others made that are kept back."""
    hidden = all_without_others(study.db, person)
    columns = ", ".join(f'"{name}"' for name in DecisionLine.__dataclass_fields__)
    rows = study.db.conn.execute(f"SELECT {columns} FROM decisions WHERE at >= ? ORDER BY at, seq", [since])
    lines: list[DecisionLine] = []
    passed = skip
    for row in rows:
        if row["coder"] != person and row["segment"] in hidden:
            continue
        if skip and row["at"] == since:
            skip -= 1
            continue
        if len(lines) == limit:
            last = lines[-1].at
            return lines, (last, sum(line.at == last for line in lines) + (passed if last == since else 0))
        lines.append(DecisionLine(**{**dict(row), "shown": bool(row["shown"]), "bulk": bool(row["bulk"])}))
    return lines, None
