"""Honest probabilities: scores against what people decided on randomly drawn texts.

Platt's method, pooled over codes (J. Platt, "Probabilistic outputs for support vector machines",
1999), on scores of texts that the model had not learnt from. It was the safest of four calibrators on
every measured set; isotonic regression was among the worst below a hundred texts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from nlp.themes.learn import Learned, Lessons
from nlp.themes.views import Matrix

FEWEST_TEXTS = 25
FOLDS = 5
DRAWN = 0.5


@dataclass(frozen=True, slots=True)
class Calibration:
    """A straight line from log-odds to log-odds; `texts` is how many random texts it rests on."""

    slope: float
    shift: float
    texts: int

    @property
    def enough(self) -> bool:
        """Whether percentages may be shown; below that, ranks and bands alone."""
        return self.texts >= FEWEST_TEXTS

    def probabilities(self, scores: Matrix) -> Matrix:
        """From log-odds of any shape to probabilities of the same shape."""
        return np.asarray(expit(self.slope * scores + self.shift), np.float64)


NONE = Calibration(1.0, 0.0, 0)


def calibrate(lessons: Lessons, random: NDArray[np.bool_], *, seed: int = 0) -> Calibration:
    """Fit on the randomly drawn texts, each scored by a model that never saw it.

    `random` says for each text whether a uniform draw brought it, blind. Below `FEWEST_TEXTS` of them
    the scores are left as they are.
    """
    drawn = np.flatnonzero(random)
    if len(drawn) < FEWEST_TEXTS:
        return Calibration(NONE.slope, NONE.shift, len(drawn))
    scores = _held_out_scores(lessons, drawn, seed)
    known = lessons.weights[drawn] > 0
    slope, shift = _line(scores[known], lessons.labels[drawn][known])
    return Calibration(slope, shift, len(drawn))


def _held_out_scores(lessons: Lessons, drawn: NDArray[np.int64], seed: int) -> Matrix:
    order = np.random.default_rng(seed).permutation(len(drawn))
    scores = np.zeros((len(drawn), lessons.match.shape[1]))
    everything = np.arange(len(lessons.match))
    for fold in range(FOLDS):
        mine = order[fold::FOLDS]
        learned = Learned(lessons.only(np.setdiff1d(everything, drawn[mine])))
        held = lessons.only(drawn[mine])
        scores[mine] = learned.score(held.match, held.reading)
    return scores


def _line(scores: NDArray[np.float64], labels: NDArray[np.float64]) -> tuple[float, float]:
    """Slope and shift of least logistic loss, lightly drawn to the scores as they are."""

    def loss(p: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = p[0] * scores + p[1]
        error = expit(z) - labels
        value = (np.logaddexp(0.0, z) - labels * z).sum() + DRAWN * ((p[0] - 1) ** 2 + p[1] ** 2)
        return float(value), np.array([error @ scores + 2 * DRAWN * (p[0] - 1), error.sum() + 2 * DRAWN * p[1]])

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0.05, 5.0), (None, None)]).x
    return float(found[0]), float(found[1])
