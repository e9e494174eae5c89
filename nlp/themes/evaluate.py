"""How well suggestions rank and how honest their probabilities are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from nlp.themes.corpus import CodedSet
from nlp.themes.views import Reading
from nlp.types import Span

MIN_POSITIVES = 5


@dataclass(frozen=True, slots=True)
class ThemeScores:
    """One row of the table; shares in 0..1, `n` texts that carry a code.

    `macro_ap` averages over codes with at least five positives; `top3_error` is the expected
    calibration error of the three best suggestions (ten equal-count bins).
    """

    n: int
    macro_ap: float
    micro_ap: float
    recall_at_3: float
    first_right: float
    top3_error: float


def score(truth: NDArray[np.bool_], probabilities: NDArray[np.float64]) -> ThemeScores:
    """Scores for arrays of shape (texts, codes)."""
    coded = truth.any(axis=1)
    top = np.argsort(-probabilities, axis=1, kind="stable")
    return ThemeScores(
        n=int(coded.sum()),
        macro_ap=_macro_ap(truth, probabilities),
        micro_ap=float(average_precision_score(truth.ravel(), probabilities.ravel())) if truth.any() else float("nan"),
        recall_at_3=recall_at(truth[coded], top[coded], 3),
        first_right=float(np.mean(np.take_along_axis(truth[coded], top[coded][:, :1], 1)))
        if coded.any()
        else float("nan"),
        top3_error=_calibration_error(truth, probabilities, top[:, :3]),
    )


def by_voice(coded: CodedSet, probabilities: NDArray[np.float64]) -> dict[str, ThemeScores]:
    """Scores over all texts, then for each voice that is known."""
    truth = coded.truth()
    found = {"all": score(truth, probabilities)}
    for voice in sorted({t.voice for t in coded.texts} - {""}):
        rows = [i for i, t in enumerate(coded.texts) if t.voice == voice]
        found[voice] = score(truth[rows], probabilities[rows])
    return found


def recall_at(truth: NDArray[np.bool_], top: NDArray[np.int64], k: int) -> float:
    """Of a text's codes, the share that stands among its first `k`; the mean over coded texts."""
    coded = truth.any(axis=1)
    if not coded.any():
        return float("nan")
    found = np.take_along_axis(truth[coded], top[coded][:, :k], axis=1).sum(axis=1)
    return float((found / truth[coded].sum(axis=1)).mean())


def recall_by_text(truth: NDArray[np.bool_], scores: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """For each text, the share of its codes that stands among its first `k`; every text has a code."""
    top = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.asarray(np.take_along_axis(truth, top, axis=1).sum(axis=1) / truth.sum(axis=1), np.float64)


def _macro_ap(truth: NDArray[np.bool_], probabilities: NDArray[np.float64]) -> float:
    kept = [j for j in range(truth.shape[1]) if truth[:, j].sum() >= MIN_POSITIVES]
    if not kept:
        return float("nan")
    return float(np.mean([average_precision_score(truth[:, j], probabilities[:, j]) for j in kept]))


def _calibration_error(truth: NDArray[np.bool_], probabilities: NDArray[np.float64], top: NDArray[np.int64]) -> float:
    said = np.take_along_axis(probabilities, top, 1).ravel()
    right = np.take_along_axis(truth, top, 1).ravel()
    bins = np.array_split(np.argsort(said, kind="stable"), 10)
    return float(sum(len(b) * abs(said[b].mean() - right[b].mean()) for b in bins if len(b)) / max(1, len(said)))


@dataclass(frozen=True, slots=True)
class EvidenceScore:
    """Of the codes that a person gave, in texts of several sentences, how often the highlighted sentence holds marked words.

    `shown` counts only codes that would be suggested; NaN where there is none.
    """

    n: int
    right: float
    shown_n: int
    shown_right: float


def evidence_score(
    coded: CodedSet, reading: Reading, best: NDArray[np.int64], shown: NDArray[np.bool_]
) -> EvidenceScore:
    """`best` (texts, codes) is the place in the reading of the highlighted sentence, `shown` whether it would be suggested."""
    column = {code.id: j for j, code in enumerate(coded.codebook.active_codes)}
    several = np.bincount(reading.owner, minlength=len(coded.texts)) > 1
    marks = [
        (bool(shown[i, column[code]]), _touches(reading.spans[best[i, column[code]]], span))
        for i, text in enumerate(coded.texts)
        if several[i]
        for code, span in text.evidence
        if code in column
    ]
    seen = [right for was_shown, right in marks if was_shown]
    return EvidenceScore(len(marks), _share([right for _, right in marks]), len(seen), _share(seen))


def _touches(a: Span, b: Span) -> bool:
    return min(a.end, b.end) > max(a.start, b.start)


def _share(found: list[bool]) -> float:
    return float(np.mean(found)) if found else float("nan")
