"""Reading one voice with its redactions, suggestions and codings, and excerpts.

`person` is who asks: what they are still to read blind, or alone, is kept back (see `service.study.sealed`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from nlp.types import Span
from service.errors import RecordError
from service.study.decisions import Coding, codings
from service.study.publications import COUNTS_AS
from service.study.sealed import all_without_others, without_others, without_suggestions
from service.study.study import Study
from service.study.suggestions import StoredSuggestion, suggestions_of_voice
from service.study.voices import (
    StoredRedaction,
    StoredSegment,
    VoiceRecord,
    clean_text,
    redactions,
    segments,
    span_in,
    voice,
)  # fmt: skip

AROUND = 160


@dataclass(frozen=True, slots=True)
class SegmentReading:
    """A segment with what was suggested for it and what people decided.

    `blind` says that suggestions are kept back, `alone` that others' decisions are: there may be some, or none.
    """

    segment: StoredSegment
    suggestions: tuple[StoredSuggestion, ...]
    codings: tuple[Coding, ...]
    blind: bool = False
    alone: bool = False


@dataclass(frozen=True, slots=True)
class VoiceReading:
    """One voice, whole."""

    record: VoiceRecord
    text: str
    redactions: tuple[StoredRedaction, ...]
    segments: tuple[SegmentReading, ...]


def read_voice(study: Study, voice_id: str, *, person: str) -> VoiceReading:
    """One voice; RecordError when there is none, or when a stored quote no longer matches its text."""
    record, text = voice(study.db, voice_id), clean_text(study.db, voice_id)
    found: dict[str, list[StoredSuggestion]] = defaultdict(list)
    for suggestion in suggestions_of_voice(study.db, voice_id):
        span_in(text, Span(suggestion.start, suggestion.end), suggestion.quote)
        found[suggestion.segment].append(suggestion)
    held: dict[str, list[Coding]] = defaultdict(list)
    for coding in codings(study.db, "segment IN (SELECT id FROM segments WHERE voice = ?)", [voice_id]):
        held[coding.segment].append(coding)
    parts = segments(study.db, "s.voice = ?", [voice_id])
    if not parts and text.strip():
        raise RecordError("this voice has no segments")
    readings = [SegmentReading(s, tuple(found[s.id]), tuple(held[s.id])) for s in parts]
    return VoiceReading(record, text, tuple(redactions(study.db, voice_id)), tuple(_kept_back(study, readings, person)))


def _kept_back(study: Study, readings: Sequence[SegmentReading], person: str) -> Iterator[SegmentReading]:
    """The same without what this person must not see yet."""
    ids = [r.segment.id for r in readings]
    blind, alone = without_suggestions(study.db, person, ids), without_others(study.db, person, ids)
    unnamed = _unnamed(study, readings, person)
    for r in readings:
        sealed = r.segment.id in blind
        shown = (
            ()
            if sealed
            else tuple(replace(s, nearest_segment="") if s.nearest_segment in unnamed else s for s in r.suggestions)
        )
        own = tuple(c for c in r.codings if c.coder == person or r.segment.id not in alone)
        yield SegmentReading(r.segment, shown, own, sealed, r.segment.id in alone)


def _unnamed(study: Study, readings: Sequence[SegmentReading], person: str) -> set[str]:
    """Segments that a suggestion must not name: it would tell that another coder gave the code there."""
    near = sorted({s.nearest_segment for r in readings for s in r.suggestions} - {""})
    where = f"coder = ? AND segment IN ({','.join('?' * len(near))})"
    return without_others(study.db, person, near) - {c.segment for c in codings(study.db, where, [person, *near])}


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Confirmed words with a little of what stands around them."""

    before: str
    words: str
    after: str


def excerpts(study: Study, code: str, stance: str, *, person: str, limit: int = 3) -> list[Excerpt]:
    """Up to `limit` confirmed excerpts, one a person, of people who allowed quotation.

    They are for the team; nothing here is checked for release.
    """
    rows = study.db.conn.execute(
        'SELECT v.participant, k.start, k."end", s.start AS first, s."end" AS last, c.text FROM codings k'
        " JOIN segments s ON s.id = k.segment JOIN voices v ON v.id = s.voice"
        " JOIN clean_texts c ON c.voice = s.voice AND c.version = s.version"
        f" WHERE {COUNTS_AS} = ? AND (? = '' OR k.stance = ?) AND v.consent = 'analysis_and_quotes'"
        " AND v.provenance <> 'ai_drafted' AND v.voice <> 'practitioner'"
        " AND (k.coder = ? OR k.segment NOT IN (SELECT value FROM json_each(?)))"
        " GROUP BY v.participant ORDER BY k.seq LIMIT ?",
        [code, stance, stance, person, json.dumps(sorted(all_without_others(study.db, person))), limit],
    )
    return [_excerpt(**{k: row[k] for k in row.keys() if k != "participant"}) for row in rows]  # noqa: SIM118 - sqlite3.Row


def _excerpt(*, start: int, end: int, first: int, last: int, text: str) -> Excerpt:
    low, high = max(first, start - AROUND), min(last, end + AROUND)
    before = ("…" if low > first else "") + text[low:start]
    return Excerpt(before, text[start:end], text[end:high] + ("…" if high < last else ""))
