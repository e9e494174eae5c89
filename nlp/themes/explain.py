"""Why a code is suggested: the sentence that earned it, what it comes closest to, and what speaks against it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.encode import Vectors
from nlp.themes.views import CodebookViews, Matrix, Reading
from nlp.types import Band, Code, Suggestion

LIKELY_FROM, POSSIBLE_FROM = 0.5, 0.3
AGAINST_FROM, AGAINST_WITHIN = 0.35, 0.05
LIKE_CONFIRMED = 6.0


@dataclass(frozen=True, slots=True)
class Excerpts:
    """Confirmed sentences: `vectors[i]` is what a person held to express `codes[i]` in decided text `texts[i]`."""

    vectors: Vectors
    codes: NDArray[np.int64]
    texts: NDArray[np.int64]


class Explainer:
    """Turns probabilities into suggestions with their words."""

    def __init__(self, codes: Sequence[Code], views: CodebookViews, scores: Callable[[Reading], Matrix]) -> None:
        """`scores` gives log-odds, shape (texts, codes); the sentence that would score best alone is the evidence."""
        self._codes, self._views, self._scores = codes, views, scores

    def suggestions(
        self, reading: Reading, probabilities: Matrix, threshold: float, *, excerpts: Excerpts | None = None,
        calibrated_on: int = 0,
    ) -> list[list[Suggestion]]:  # fmt: skip
        """For each text its suggestions at or above `threshold`, best first; none is padded."""
        best = self.evidence(reading, excerpts)
        out = []
        for i, row in enumerate(probabilities):
            shown = [int(j) for j in np.argsort(-row, kind="stable") if row[j] >= threshold]
            out.append([self._one(j, float(row[j]), reading, int(best[i, j]), excerpts, calibrated_on) for j in shown])
        return out

    def evidence(self, reading: Reading, excerpts: Excerpts | None = None) -> NDArray[np.int64]:
        """Array of shape (texts, codes): the place in the reading of the sentence that speaks most for each code."""
        count = np.bincount(reading.owner, minlength=len(reading.wholes))
        first = np.cumsum(count) - count
        out = np.repeat(first[:, None], len(self._codes), axis=1)
        several = np.flatnonzero(count[reading.owner] > 1)
        if not len(several):
            return out
        speaks = np.full((len(reading.words), len(self._codes)), -np.inf)
        speaks[several] = self._speaks(reading.as_texts(several), excerpts)
        for i in np.flatnonzero(count > 1):
            out[i] += speaks[first[i] : first[i] + count[i]].argmax(axis=0)
        return out

    def _speaks(self, alone: Reading, excerpts: Excerpts | None) -> Matrix:
        """How much each sentence says of each code: its own log-odds, and its likeness to what people confirmed."""
        out = self._scores(alone)
        if excerpts is None:
            return out
        for j in np.unique(excerpts.codes):
            likeness = alone.sentence_vectors @ excerpts.vectors[excerpts.codes == j].T
            out[:, j] += LIKE_CONFIRMED * likeness.max(axis=1)
        return out

    def _one(
        self, j: int, probability: float, reading: Reading, best: int, excerpts: Excerpts | None, calibrated_on: int
    ) -> Suggestion:
        span, vector = reading.spans[best], reading.sentence_vectors[best]
        nearest, cosine = self._views.nearest(vector, j)
        like = _closer_excerpt(vector, j, cosine, excerpts)
        return Suggestion(
            self._codes[j].id, round(probability, 4), band(probability), span.start, span.end,
            "" if like is not None else nearest, like, self._against(vector, j, cosine), calibrated_on,
        )  # fmt: skip

    def _against(self, vector: Vectors, j: int, cosine: float) -> str:
        words, against = self._views.nearest_exclusion(vector, j)
        return words if against >= max(AGAINST_FROM, cosine - AGAINST_WITHIN) else ""


def _closer_excerpt(vector: Vectors, j: int, cosine: float, excerpts: Excerpts | None) -> int | None:
    """The decided text whose confirmed sentence is closer than the codebook's nearest, if one is."""
    if excerpts is None or not (own := np.flatnonzero(excerpts.codes == j)).size:
        return None
    likeness = excerpts.vectors[own] @ vector
    best = int(np.argmax(likeness))
    return int(excerpts.texts[own[best]]) if likeness[best] > cosine else None


def band(probability: float) -> Band:
    """The word for a probability."""
    if probability >= LIKELY_FROM:
        return Band.LIKELY
    return Band.POSSIBLE if probability >= POSSIBLE_FROM else Band.UNSURE
