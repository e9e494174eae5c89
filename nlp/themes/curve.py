"""Learning curves: how good suggestions are with nothing, a little and a lot confirmed, beside plain methods.

Half of a coded set is the pool that may be confirmed, the other half is the test; three seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from nlp.encode import Encoder
from nlp.themes.calibrate import calibrate
from nlp.themes.corpus import CodedSet
from nlp.themes.crossfit import GROUPS, CrossFitted
from nlp.themes.evaluate import EvidenceScore, ThemeScores, evidence_score, score
from nlp.themes.learn import Learned, Lessons
from nlp.themes.match import SHOWN_FROM, Matcher
from nlp.themes.views import Matrix

SEEDS = (0, 1, 2)
STEPS = (0, 4, 16, None)
RANDOM_TEXTS = 100
LIKELY = 0.7
NEIGHBOURS = 10
HEARD = "Heard"

Rows = NDArray[np.int64]
Truth = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A method after `confirmed` texts a code (`None`: the whole pool); means over the seeds, in 0..1."""

    method: str
    confirmed: int | None
    texts: int
    macro_ap: float
    recall_at_3: float
    micro_ap: float


@dataclass(frozen=True, slots=True)
class Honesty:
    """After a hundred random confirmations: error of the three shown, and how “likely” (0.7 or more) does.

    A figure that no seed could give is NaN.
    """

    top3_error: float
    likely_precision: float
    likely_recall: float


def halves(count: int, seed: int) -> tuple[Rows, Rows]:
    """Pool and test: positions of the two halves of a set."""
    order = np.random.default_rng(seed).permutation(count)
    return np.sort(order[::2]), np.sort(order[1::2])


def confirmed_texts(truth: Truth, pool: Rows, a_code: int | None, seed: int) -> Rows:
    """Texts of the pool, in a random order, taken while they bring a code that has fewer than `a_code`."""
    if a_code is None:
        return pool
    have, taken = np.zeros(truth.shape[1], int), []
    for i in np.random.default_rng(1000 + seed).permutation(pool):
        if (truth[i] & (have < a_code)).any():
            taken.append(i)
            have += truth[i]
    return np.asarray(taken, np.int64)


class Curve:
    """A coded set, read once."""

    def __init__(self, coded: CodedSet, encoder: Encoder) -> None:
        matcher = Matcher(coded.codebook, encoder)
        self.coded, self._matcher, self.model = coded, matcher, encoder.fingerprint
        self.truth = coded.truth()
        self.reading = matcher.read([t.text for t in coded.texts])
        self.match = matcher.scores(self.reading)
        self.prior_probabilities = np.asarray(expit(self.match), np.float64)

    def evidence(self) -> EvidenceScore:
        """Whether the highlighted sentences are those that people marked; NaN where nobody marked any."""
        if not any(text.evidence for text in self.coded.texts):
            return EvidenceScore(0, float("nan"), 0, float("nan"))
        best = self._matcher.explainer.evidence(self.reading)
        return evidence_score(self.coded, self.reading, best, self.prior_probabilities >= SHOWN_FROM)

    def points(
        self, *, seeds: Sequence[int] = SEEDS, steps: Sequence[int | None] = STEPS, methods: Sequence[str] = ()
    ) -> Iterator[CurvePoint]:
        """Every method, or those named, at every step; the plain ones from the first confirmation on."""
        for step in steps:
            for name in methods or METHODS:
                if step == 0 and name != HEARD:
                    continue
                method = METHODS[name]
                found = [self._one(method, step, seed) for seed in seeds]
                means = np.mean([[s.macro_ap, s.recall_at_3, s.micro_ap] for _, s in found], axis=0)
                yield CurvePoint(name, step, int(np.mean([n for n, _ in found])), *map(float, means))

    def honesty(self, *, seeds: Sequence[int] = SEEDS) -> Honesty:
        """Calibration after a hundred random confirmations (fewer where the pool is smaller)."""
        found = [self._honest(seed) for seed in seeds]
        return Honesty(*(_mean(column) for column in zip(*found, strict=True)))

    def lessons(self, rows: Rows) -> Lessons:
        """Texts as a coder would have closed them: every code decided."""
        labels = self.truth[rows].astype(np.float64)
        return Lessons(self.reading.only(rows), self.match[rows], labels, np.ones_like(labels))

    def _one(self, method: Method, step: int | None, seed: int) -> tuple[int, ThemeScores]:
        pool, test = halves(len(self.truth), seed)
        rows = confirmed_texts(self.truth, pool, step, seed)
        scores = method(self, rows, test) if len(rows) else self.match[test]
        return len(rows), score(self.truth[test], scores)

    def _honest(self, seed: int) -> tuple[float, float, float]:
        pool, test = halves(len(self.truth), seed)
        rows = np.random.default_rng(2000 + seed).permutation(pool)[:RANDOM_TEXTS]
        lessons = self.lessons(rows)
        calibration = calibrate(CrossFitted(lessons, np.arange(len(rows)) % GROUPS), np.ones(len(rows), bool))
        said = calibration.probabilities(Learned(lessons).score(self.match[test], self.reading.only(test)))
        truth, likely = self.truth[test], said >= LIKELY
        right = float((truth & likely).sum())
        precision = right / likely.sum() if likely.any() else float("nan")
        return score(truth, said).top3_error, precision, right / truth.sum() if truth.any() else float("nan")


def _mean(values: Sequence[float]) -> float:
    known = [v for v in values if not np.isnan(v)]
    return float(np.mean(known)) if known else float("nan")


Method = Callable[[Curve, Rows, Rows], Matrix]


def _heard(curve: Curve, rows: Rows, test: Rows) -> Matrix:
    return Learned(curve.lessons(rows)).score(curve.match[test], curve.reading.only(test))


def _words(curve: Curve, rows: Rows, test: Rows) -> Matrix:
    reading = curve.reading
    vectoriser = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2))
    known = vectoriser.fit_transform([reading.wholes[i] for i in rows])
    asked = vectoriser.transform([reading.wholes[i] for i in test])
    return _one_by_one(
        curve.truth[rows],
        len(test),
        lambda y: LinearSVC(class_weight="balanced").fit(known, y).decision_function(asked),
    )


def _vectors(curve: Curve, rows: Rows, test: Rows) -> Matrix:
    known, asked = curve.reading.text_vectors[rows], curve.reading.text_vectors[test]
    return _one_by_one(
        curve.truth[rows], len(test),
        lambda y: LogisticRegression(C=10, max_iter=300, class_weight="balanced").fit(known, y).decision_function(asked),
    )  # fmt: skip


def _one_by_one(truth: Truth, count: int, fit: Callable[[Truth], Matrix]) -> Matrix:
    """A classifier for each code; a code without examples of both kinds stays last."""
    out = np.full((count, truth.shape[1]), -10.0)
    for code in range(truth.shape[1]):
        if truth[:, code].any() and not truth[:, code].all():
            out[:, code] = fit(truth[:, code])
    return out


def _neighbours(curve: Curve, rows: Rows, test: Rows) -> Matrix:
    near = curve.reading.text_vectors[test] @ curve.reading.text_vectors[rows].T
    best = np.argsort(-near, axis=1)[:, :NEIGHBOURS]
    weight = np.take_along_axis(near, best, axis=1)[:, :, None]
    return np.asarray((weight * curve.truth[rows][best]).sum(axis=1), np.float64)


METHODS: dict[str, Method] = {
    HEARD: _heard,
    "TF-IDF + linear SVM": _words,
    "logistic regression on embeddings": _vectors,
    "nearest neighbours": _neighbours,
}


def compared(
    curve: Curve, plain: Encoder, *, seeds: Sequence[int], steps: Sequence[int | None]
) -> Iterator[CurvePoint]:
    """Heard with the curve's encoder; beside it plain methods and Heard itself on a plain encoder, step by step."""
    if curve.model == plain.fingerprint:
        yield from curve.points(seeds=seeds, steps=steps)
        return
    beside = list(Curve(curve.coded, plain).points(seeds=seeds, steps=steps))
    for step in steps:
        yield from curve.points(seeds=seeds, steps=(step,), methods=(HEARD,))
        here = [p for p in beside if p.confirmed == step]
        yield from (replace(p, method=f"{HEARD} on plain MiniLM") if p.method == HEARD else p for p in here)
