"""From overlapping detections to one plan: sorted, disjoint, covering all that was detected."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace

from nlp.errors import SpanError
from nlp.types import Detection, Label, Redaction

_TRIM = ' \t\r\n.,;:!?"“”()[]{}…–—'
_POSSESSIVE = ("'s", "’s")
LONGEST = 200  # no detection of interest is longer
_NO_TRIM = frozenset({Label.URL, Label.EMAIL, Label.ID, Label.PHONE})


def resolve(text: str, detections: Iterable[Detection]) -> list[Detection]:
    """One disjoint list in text order. Where detections overlap, their union is kept.

    Doubts are left out. The label, score and reason are those of the most certain detection (the longest, when equal);
    possessive endings and outer punctuation of names are left out. SpanError for a span outside
    the text.
    """
    kept = [tidy for d in detections if d.masked and (tidy := _tidy(text, d)) is not None]
    kept.sort(key=lambda d: (d.start, -d.end, -d.score, d.label, d.detector, d.why))
    plan: list[Detection] = []
    for detection in kept:
        if (plan and detection.start < plan[-1].end) or (plan and _continues(text, plan[-1], detection)):
            plan[-1] = _union(plan[-1], detection)
        else:
            plan.append(detection)
    return plan


def with_support(detections: Sequence[Detection]) -> list[Detection]:
    """A doubt that two detectors share is masked."""
    spans = sorted((d.start, d.end, _stage(d)) for d in detections)
    return [replace(d, masked=True) if not d.masked and _is_shared(d, spans) else d for d in detections]


def _stage(detection: Detection) -> str:
    return detection.detector.split("/", maxsplit=1)[0]


def _is_shared(detection: Detection, spans: Sequence[tuple[int, int, str]]) -> bool:
    first = bisect_left(spans, (detection.start - LONGEST,))
    for start, end, stage in spans[first:]:
        if start >= detection.end:
            return False
        if end > detection.start and stage != _stage(detection):
            return True
    return False


def doubts_beside(text: str, detections: Iterable[Detection], plan: Sequence[Detection | Redaction]) -> list[Detection]:
    """The doubts that the plan leaves unmasked, in text order and disjoint."""
    left: list[Detection] = []
    masked, place = sorted(plan, key=lambda d: d.start), 0
    for doubt in sorted((d for d in detections if not d.masked), key=lambda d: (d.start, -d.end)):
        tidy = _tidy(text, doubt)
        if tidy is None or (left and tidy.start < left[-1].end):
            continue
        while place < len(masked) and masked[place].end <= tidy.start:
            place += 1
        if place == len(masked) or tidy.end <= masked[place].start:
            left.append(tidy)
    return left


def _tidy(text: str, detection: Detection) -> Detection | None:
    start, end = detection.start, detection.end
    if not 0 <= start < end <= len(text):
        raise SpanError(f"detection {start} to {end} lies outside a text of {len(text)}")
    if detection.label in _NO_TRIM:
        return detection
    while start < end and text[start] in _TRIM:
        start += 1
    while end > start and text[end - 1] in _TRIM:
        end -= 1
    if detection.label is Label.PERSON and text[start:end].endswith(_POSSESSIVE):
        end -= 2
    return replace(detection, start=start, end=end) if start < end else None


def _continues(text: str, before: Detection, after: Detection) -> bool:
    """Two touching names ("Sarah" "Jones") are one person."""
    gap = text[before.end : after.start]
    return before.label is after.label is Label.PERSON and gap in ("", " ", "-")


def _union(one: Detection, other: Detection) -> Detection:
    best = max(one, other, key=lambda d: (d.score, d.end - d.start))
    return replace(best, start=min(one.start, other.start), end=max(one.end, other.end))
