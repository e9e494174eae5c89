"""What several coders said of the same items: the array that agreement, disagreements and drift are computed from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nlp.errors import EstimateError, SpanError
from nlp.types import Span

YES, NO, NOT_READ = 1, 0, -1


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Each coder's yes (1), no (0) or not read (-1) for each item and code.

    `said` has shape (coders, items, codes); `participants` names the person behind each item. At text level
    an item is a text and `places` is None; at span level an item is a run of code points that nobody's mark
    cuts, `items` names the text it lies in and `places` where, and it weighs as much as it is long.
    EstimateError when the shapes do not fit or another value stands in `said`.
    """

    coders: tuple[str, ...]
    items: tuple[str, ...]
    codes: tuple[str, ...]
    participants: tuple[str, ...]
    said: NDArray[np.int8]
    places: tuple[Span, ...] | None = None

    def __post_init__(self) -> None:
        wanted = (len(self.coders), len(self.items), len(self.codes))
        if self.said.shape != wanted:
            raise EstimateError(f"readings of shape {self.said.shape} where coders, items and codes make {wanted}")
        places = self.items if self.places is None else self.places
        if not len(self.participants) == len(places) == len(self.items):
            raise EstimateError("each item needs one participant, and one place or none")
        if not np.isin(self.said, (YES, NO, NOT_READ)).all():
            raise EstimateError("a reading is yes (1), no (0) or not read (-1)")

    @property
    def weights(self) -> NDArray[np.float64]:
        """How much each item counts: 1 at text level, its code points at span level."""
        if self.places is None:
            return np.ones(len(self.items))
        return np.array([place.end - place.start for place in self.places], np.float64)

    def of(self, *coders: str) -> Readings:
        """The readings of these coders alone, to compare two of several; KeyError when one is not there."""
        where = [self.place_of(coder) for coder in coders]
        return Readings(coders, self.items, self.codes, self.participants, self.said[where], self.places)

    def place_of(self, coder: str) -> int:
        """The coder's place on the first axis; KeyError when there is none."""
        if coder not in self.coders:
            raise KeyError(coder)
        return self.coders.index(coder)


@dataclass(frozen=True, slots=True)
class MarkedText:
    """One whole text with what each coder who read it marked: `marks[coder][code]` are spans, perhaps none.

    A coder who read the text and marked nothing stands in `marks` with an empty mapping.
    """

    item: str
    participant: str
    length: int
    marks: Mapping[str, Mapping[str, Sequence[Span]]]


def from_sets(
    read: Mapping[tuple[str, str], Collection[str]], participants: Mapping[str, str], codes: Sequence[str]
) -> Readings:
    """Text level: `read[coder, item]` holds the codes that the coder gave; a pair that is absent was not read.

    `participants` names the person behind each item and gives the items' order. EstimateError when a reading
    names an item or a code that is not among them.
    """
    coders = tuple(sorted({coder for coder, _ in read}))
    row = {coder: i for i, coder in enumerate(coders)}
    column = {item: i for i, item in enumerate(participants)}
    said = np.full((len(coders), len(column), len(codes)), NOT_READ, np.int8)
    for (coder, item), given in read.items():
        if item not in column or not set(given) <= set(codes):
            raise EstimateError(f"a reading of item {item} names an item or a code that is not in this comparison")
        said[row[coder], column[item]] = [code in given for code in codes]
    return Readings(coders, tuple(participants), tuple(codes), tuple(participants.values()), said)


def from_spans(texts: Sequence[MarkedText], codes: Sequence[str]) -> Readings:
    """Span level: every code point of a text is a unit, which each coder who read the text coded or did not.

    One coder's overlapping spans of a code count once. SpanError when a span does not fit its text,
    EstimateError when a mark's code is not among `codes`.
    """
    coders = tuple(sorted({coder for text in texts for coder in text.marks}))
    parts = [_runs(text, coders, tuple(codes)) for text in texts]
    owners = [text for text, (places, _) in zip(texts, parts, strict=True) for _ in places]
    empty = np.zeros((len(coders), 0, len(codes)), np.int8)
    return Readings(
        coders=coders,
        items=tuple(text.item for text in owners),
        codes=tuple(codes),
        participants=tuple(text.participant for text in owners),
        said=np.concatenate([empty, *(said for _, said in parts)], axis=1),
        places=tuple(place for places, _ in parts for place in places),
    )


def _runs(
    text: MarkedText, coders: tuple[str, ...], codes: tuple[str, ...]
) -> tuple[tuple[Span, ...], NDArray[np.int8]]:
    """The text cut wherever a mark begins or ends, and what each coder said of each run."""
    marks = list(_marks(text, codes))
    cuts = np.unique([0, text.length, *(edge for _, _, span in marks for edge in (span.start, span.end))])
    said = np.full((len(coders), len(cuts) - 1, len(codes)), NOT_READ, np.int8)
    said[[coders.index(coder) for coder in text.marks]] = NO
    for coder, code, span in marks:
        first, last = np.searchsorted(cuts, (span.start, span.end))
        said[coders.index(coder), first:last, code] = YES
    places = tuple(Span(int(a), int(b)) for a, b in pairwise(cuts))
    return places, said


def _marks(text: MarkedText, codes: tuple[str, ...]) -> Iterator[tuple[str, int, Span]]:
    for coder, by_code in text.marks.items():
        for code, spans in by_code.items():
            if code not in codes:
                raise EstimateError(f"a mark on item {text.item} names a code that is not in this comparison")
            for span in spans:
                if not 0 <= span.start <= span.end <= text.length:
                    raise SpanError(f"the span {span.start} to {span.end} does not fit item {text.item}")
                yield coder, codes.index(code), span


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An item (at span level a place in it) that some coders gave the code and others did not."""

    item: str
    code: str
    yes: tuple[str, ...]
    no: tuple[str, ...]
    place: Span | None = None


def disagreements(readings: Readings) -> list[Disagreement]:
    """What to talk about, most even splits first, then the codes that coders differ on most, then as items stand."""
    yes, no = (readings.said == YES).sum(axis=0), (readings.said == NO).sum(axis=0)
    split = (yes > 0) & (no > 0)
    weights = readings.weights
    twice = weights @ (yes + no > 1)
    rate = weights @ split / np.maximum(twice, 1)
    evenness = np.minimum(yes, no) / np.maximum(yes + no, 1)
    item, code = np.nonzero(split)
    order = np.lexsort((item, code, -rate[code], -evenness[item, code]))
    return _joined([_disagreement(readings, i, j) for i, j in zip(item[order], code[order], strict=True)])


def _disagreement(readings: Readings, item: int, code: int) -> Disagreement:
    said = readings.said[:, item, code]
    return Disagreement(
        item=readings.items[item],
        code=readings.codes[code],
        yes=tuple(c for c, s in zip(readings.coders, said, strict=True) if s == YES),
        no=tuple(c for c, s in zip(readings.coders, said, strict=True) if s == NO),
        place=readings.places[item] if readings.places else None,
    )


def _joined(found: list[Disagreement]) -> list[Disagreement]:
    """Neighbouring runs with one and the same split are one place: another code's mark had cut them."""
    kept: list[Disagreement] = []
    for each in found:
        last = kept[-1] if kept else None
        if last and last.place and each.place and _continues(last, each) and last.place.end == each.place.start:
            kept[-1] = Disagreement(each.item, each.code, each.yes, each.no, Span(last.place.start, each.place.end))
        else:
            kept.append(each)
    return kept


def _continues(a: Disagreement, b: Disagreement) -> bool:
    return (a.item, a.code, a.yes, a.no) == (b.item, b.code, b.yes, b.no)
