"""What lies on a coder's desk beside an item: its neighbours, what is replaced in it, and what they said of it already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nlp.types import Span
from service.errors import RecordError
from service.study.decisions import Coding, codings
from service.study.flags import flags_on
from service.study.sealed import without_others
from service.study.study import Study
from service.study.suggestions import freshest_suggestions, suggestions_by_id
from service.study.voices import StoredSegment, redactions, segments
from service.usecases.queue import Item
from service.usecases.review import given

NEIGHBOURS = 2


@dataclass(frozen=True, slots=True)
class Desk:
    """An item with what stands around it; `redacted` lies in the segment, `like` has the confirmed words that each
    suggestion's evidence is nearest to, by the suggestion's id."""

    item: Item
    before: tuple[StoredSegment, ...]
    after: tuple[StoredSegment, ...]
    redacted: tuple[Span, ...]
    like: dict[int, str]
    given: tuple[Coding, ...]
    flags: frozenset[str]


def desk(study: Study, item: Item, coder: str) -> Desk:
    """Everything that the coder may see beside an item."""
    around = _around(study, item.segment)
    return Desk(
        item,
        tuple(s for s in around if s.position < item.segment.position),
        tuple(s for s in around if s.position > item.segment.position),
        _redacted(study, item.segment),
        _like(study, item, coder),
        tuple(given(study, item, coder)) if item.done else (),
        frozenset(flags_on(study.db, item.segment.id, coder)),
    )


def _around(study: Study, segment: StoredSegment) -> list[StoredSegment]:
    low, high = segment.position - NEIGHBOURS, segment.position + NEIGHBOURS
    return segments(study.db, "s.voice = ? AND s.position BETWEEN ? AND ?", [segment.voice, low, high])


def _redacted(study: Study, segment: StoredSegment) -> tuple[Span, ...]:
    inside = [r for r in redactions(study.db, segment.voice) if r.start < segment.end and r.end > segment.start]
    return tuple(
        Span(max(r.start, segment.start) - segment.start, min(r.end, segment.end) - segment.start) for r in inside
    )


def _like(study: Study, item: Item, coder: str) -> dict[int, str]:
    """Confirmed words, but for those that this coder is still to decide on without seeing others' work."""
    near = [s for s in item.suggestions if s.nearest_segment]
    if not near:
        return {}
    hidden = without_others(study.db, coder, [s.nearest_segment for s in near])
    words = {s.id: _confirmed(study, s.nearest_segment, s.code) for s in near if s.nearest_segment not in hidden}
    return {key: said for key, said in words.items() if said}


def _confirmed(study: Study, segment_id: str, code: str) -> str:
    held = codings(study.db, "segment = ? AND code = ?", [segment_id, code])
    found = segments(study.db, "s.id = ?", [segment_id])
    if not held or not found:
        return ""
    start, end = held[0].start - found[0].start, held[0].end - found[0].start
    return found[0].text[start:end] if 0 <= start < end else found[0].text


def freshest(study: Study, item: Item) -> Item:
    """A review item with its newest suggestions, be they the study's or made from what was decided a moment ago."""
    if item.sealed or item.round.kind != "review":
        return item
    return replace(item, suggestions=tuple(freshest_suggestions(study.db, item.segment.id)))


def as_shown(study: Study, item: Item, shown: Sequence[int]) -> Item:
    """A review item with the suggestions that were on screen; RecordError for one that is another text's."""
    if not shown or item.sealed or item.round.kind != "review":
        return item
    found = suggestions_by_id(study.db, item.segment.id, shown)
    if len(found) < len(set(shown)):
        raise RecordError("a suggestion is no longer as it was; load the text again")
    return replace(item, suggestions=tuple(found))
