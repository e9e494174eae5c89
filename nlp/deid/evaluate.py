"""How well a cascade protects: recall by label, voice and name origin, and what it masks needlessly.

A gold span counts as covered only when every one of its letters and digits is masked, whatever the
label given (a name masked as a place is still protected).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nlp.types import Label, Span

DIRECT = frozenset({Label.PERSON, Label.PHONE, Label.EMAIL, Label.ID, Label.URL})
_TOKEN = re.compile(r"\w+")
MANY = 40


@dataclass(frozen=True, slots=True)
class GoldSpan:
    """A span that a person marked.

    `origin` is the heritage of a name and `kind` the sort of identifier (`nick`, `school`, `nhs`),
    where known. Spans of one `entity` count as protected together or not at all.
    """

    start: int
    end: int
    label: Label
    origin: str = ""
    kind: str = ""
    entity: str = ""


@dataclass(frozen=True, slots=True)
class GoldText:
    """A text with its voice and its gold spans."""

    id: str
    text: str
    voice: str
    spans: tuple[GoldSpan, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: `value` is a share of `n`."""

    measure: str
    group: str
    value: float
    n: int


def evaluate(texts: Sequence[GoldText], masked: Sequence[Sequence[Span]]) -> list[Row]:
    """The table for texts and, for each, the spans that were masked."""
    pairs = list(zip(texts, masked, strict=True))
    return [*_recall_rows(pairs), *_gap_rows(pairs), *_entity_rows(pairs), *_leak_rows(pairs), *_harm_rows(pairs)]


_Pair = tuple[GoldText, Sequence[Span]]


def _recall_rows(pairs: Iterable[_Pair]) -> list[Row]:
    hits: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for gold, masks in pairs:
        for span in gold.spans:
            covered = is_covered(gold.text, span, masks)
            for key in _groups(gold, span):
                hits[key].append(covered)
    return [Row(m, g, sum(v) / len(v), len(v)) for (m, g), v in sorted(hits.items())]


def _groups(gold: GoldText, span: GoldSpan) -> Iterable[tuple[str, str]]:
    yield f"recall {span.label}", "all"
    if span.label is Label.PERSON:
        yield "recall PERSON", f"voice: {gold.voice}"
        if gold.text[span.start : span.end].islower():
            yield "recall PERSON", "lower case"
        if span.origin:
            yield "recall PERSON", f"origin: {span.origin}"
    if span.kind:
        yield f"recall {span.label}", f"kind: {span.kind}"


def _gap_rows(pairs: Sequence[_Pair]) -> list[Row]:
    """From the origin best protected to the worst, over origins with at least `MANY` names."""
    shares = [r for r in _recall_rows(pairs) if r.group.startswith("origin: ") and r.n >= MANY]
    if len(shares) < 2:
        return []
    values = [r.value for r in shares]
    return [Row("gap between origins", f"{len(shares)} origins", max(values) - min(values), sum(r.n for r in shares))]


def _entity_rows(pairs: Sequence[_Pair]) -> list[Row]:
    """Entities of which every mention is masked (Pilán et al., Computational Linguistics 48:1053)."""
    safe: dict[tuple[str, str], bool] = {}
    for gold, masks in pairs:
        for span in gold.spans:
            if span.entity:
                key = (span.kind, f"{gold.id}/{span.entity}")
                safe[key] = safe.get(key, True) and is_covered(gold.text, span, masks)
    kinds = sorted({kind for kind, _ in safe})
    found = {k: [whole for (kind, _), whole in safe.items() if kind == k] for k in kinds}
    return [Row("entities whole", f"kind: {k}", sum(v) / len(v), len(v)) for k, v in found.items()]


def _leak_rows(pairs: Sequence[_Pair]) -> list[Row]:
    whole: dict[str, list[bool]] = defaultdict(list)
    for gold, masks in pairs:
        direct = [s for s in gold.spans if s.label in DIRECT]
        if direct:
            safe = all(is_covered(gold.text, s, masks) for s in direct)
            whole["all"].append(safe)
            whole[f"voice: {gold.voice}"].append(safe)
    return [Row("texts with no direct identifier left", g, sum(v) / len(v), len(v)) for g, v in sorted(whole.items())]


def _harm_rows(pairs: Sequence[_Pair]) -> list[Row]:
    right = wrong = harmless = 0
    untouched: list[bool] = []
    for gold, masks in pairs:
        for token in _TOKEN.finditer(gold.text):
            is_gold = _touches(token.start(), token.end(), gold.spans)
            is_masked = _touches(token.start(), token.end(), masks)
            harmless += not is_gold
            right += is_gold and is_masked
            wrong += is_masked and not is_gold
        if not gold.spans:
            untouched.append(not masks)
    return [
        Row("token precision", "all", right / max(1, right + wrong), right + wrong),
        Row("harmless words masked", "all", wrong / max(1, harmless), harmless),
        Row(
            "texts with nothing to hide left untouched", "all", sum(untouched) / max(1, len(untouched)), len(untouched)
        ),
    ]


def is_covered(text: str, span: GoldSpan, masks: Sequence[Span]) -> bool:
    """Whether every letter and digit of the span lies inside a mask."""
    near = [m for m in masks if m.start < span.end and span.start < m.end]
    return all(any(m.start <= i < m.end for m in near) for i in range(span.start, span.end) if text[i].isalnum())


def _touches(start: int, end: int, spans: Sequence[Span] | Sequence[GoldSpan]) -> bool:
    return any(s.start < end and start < s.end for s in spans)
