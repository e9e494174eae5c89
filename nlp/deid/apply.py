"""A plan and a text make the clean text; what lies outside the plan is kept to the letter."""

from __future__ import annotations

from collections.abc import Sequence

from nlp.errors import SpanError
from nlp.types import CleanText, Redaction, Span


def apply_plan(text: str, plan: Sequence[Redaction]) -> CleanText:
    """Replace each redaction's span by its surrogate.

    The plan must be in text order and disjoint; SpanError otherwise.
    """
    pieces: list[str] = []
    surrogates: list[Span] = []
    source, clean = 0, 0
    for redaction in plan:
        if not source <= redaction.start < redaction.end <= len(text):
            raise SpanError(f"redaction {redaction.start} to {redaction.end} overlaps or lies outside the text")
        kept = text[source : redaction.start]
        clean += len(kept)
        pieces += (kept, redaction.surrogate)
        surrogates.append(Span(clean, clean + len(redaction.surrogate)))
        clean, source = surrogates[-1].end, redaction.end
    pieces.append(text[source:])
    return CleanText("".join(pieces), tuple(plan), tuple(surrogates))
