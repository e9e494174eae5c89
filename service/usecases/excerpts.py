"""Confirmed excerpts of a code with what stands around them, gathered by person, for the team and not for release."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from service.study.confirmed import CodedVoice, coded_voices, counts_by_code
from service.study.sealed import all_without_others
from service.study.study import Study
from service.study.voices import clean_texts_of

PAGE = 10
AROUND = 160


@dataclass(frozen=True, slots=True)
class ExcerptFilter:
    """Which excerpts of a code; empty means any."""

    code: str
    stance: str = ""
    voice: str = ""
    area: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; `confirmed` where a coder marked it."""

    text: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Passage:
    """One segment that holds the code: who said it, what coders marked, and how many gave the code. `cut_before` and
    `cut_after` say that the voice goes on; `settled` that an adjudication decided, `bulk` that nobody read it. `start` and `end`
    are around all that was marked."""

    segment: str
    voice_id: str
    position: int
    speaker: str
    age_band: str
    area: str
    period: str
    provenance: str
    may_be_quoted: bool
    pieces: tuple[Piece, ...]
    cut_before: bool
    cut_after: bool
    stances: tuple[str, ...]
    coders: int
    settled: bool
    bulk: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ExcerptPage:
    """One page: people in the order of intake, each with their passages."""

    people: tuple[tuple[Passage, ...], ...]
    page: int
    pages: int
    total: int
    passages: int


@dataclass(frozen=True, slots=True)
class CodeCount:
    """How many segments and people a code is confirmed in, as far as the person may see."""

    segments: int
    people: int


def code_counts(study: Study, person: str) -> dict[str, CodeCount]:
    """For each code that is confirmed anywhere, how often."""
    found = counts_by_code(study.db, person, all_without_others(study.db, person))
    return {code: CodeCount(segments, people) for code, (segments, people) in found.items()}


def excerpts_of(study: Study, person: str, wanted: ExcerptFilter, *, page: int) -> ExcerptPage:
    """A page of a code's excerpts; past the last page, the last."""
    hidden = all_without_others(study.db, person)
    rows = [r for r in coded_voices(study.db, person, hidden, wanted.code) if _fits(r, wanted)]
    people = [list(theirs) for _, theirs in groupby(rows, key=lambda r: r.participant)]
    pages = max(1, -(-len(people) // PAGE))
    at = min(max(page, 1), pages)
    shown = people[PAGE * (at - 1) : PAGE * at]
    texts = clean_texts_of(study.db, [r.voice_id for theirs in shown for r in theirs])
    count = sum(len(list(_by_segment(theirs))) for theirs in people)
    return ExcerptPage(tuple(_passages(theirs, texts) for theirs in shown), at, pages, len(people), count)


def _fits(row: CodedVoice, wanted: ExcerptFilter) -> bool:
    asked = ((wanted.stance, row.stance), (wanted.voice, row.speaker), (wanted.area, row.area))
    return all(want in ("", have) for want, have in asked)


def _by_segment(rows: Sequence[CodedVoice]) -> Iterable[list[CodedVoice]]:
    return (list(one) for _, one in groupby(rows, key=lambda r: r.segment))


def _passages(theirs: Sequence[CodedVoice], texts: dict[str, str]) -> tuple[Passage, ...]:
    return tuple(_passage(rows, texts[rows[0].voice_id]) for rows in _by_segment(theirs))


def _passage(rows: Sequence[CodedVoice], text: str) -> Passage:
    first = rows[0]
    spans = [_span(row) for row in rows]
    low = max(0, min(start for start, _ in spans) - AROUND)
    high = min(len(text), max(end for _, end in spans) + AROUND)
    edges = sorted({low, high, *(edge for span in spans for edge in span)})
    pieces = [Piece(text[a:b], any(s <= a and b <= e for s, e in spans)) for a, b in pairwise(edges)]
    return Passage(
        first.segment, first.voice_id, first.position, first.speaker, first.age_band, first.area, first.period,
        first.provenance, first.consent == "analysis_and_quotes", tuple(pieces), low > 0, high < len(text),
        tuple(sorted({r.stance for r in rows if r.stance})), len({r.coder for r in rows if not r.settled}),
        any(r.settled for r in rows), all(r.bulk for r in rows), min(s for s, _ in spans), max(e for _, e in spans),
    )  # fmt: skip


def _span(row: CodedVoice) -> tuple[int, int]:
    """What was marked; the whole segment where nothing in particular was."""
    inside = row.first <= row.start < row.end <= row.last
    return (row.start, row.end) if inside else (row.first, row.last)
