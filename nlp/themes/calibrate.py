"""Honest probabilities: scores against what people decided on randomly drawn texts.

Beta calibration, pooled over codes (Kull, Silva Filho and Flach, "Beta calibration", AISTATS 2017), on
scores of texts that the model had not learnt from. A straight line (Platt) cannot say that low scores are
too low and high ones too high, which is how these scores err; isotonic regression needs far more reads.
Only the codes that come first for a text are fitted on: they are the ones shown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from nlp.themes.crossfit import CrossFitted
from nlp.themes.views import Matrix

FEWEST_TEXTS = 25
SHOWN = 8
USUAL, DRAWN = np.array([0.9, 0.2, 0.8]), 5.0  # what the sets that settings were picked on agree on


@dataclass(frozen=True, slots=True)
class Calibration:
    """A curve from log-odds to probabilities; `texts` is how many random texts it rests on.

    `low` bends the scores below even odds and `high` those above; both 1 with no shift leave all as it is.
    """

    low: float
    high: float
    shift: float
    texts: int

    @property
    def enough(self) -> bool:
        """Whether percentages may be shown; below that, ranks and bands alone."""
        return self.texts >= FEWEST_TEXTS

    def probabilities(self, scores: Matrix) -> Matrix:
        """From log-odds of any shape to probabilities of the same shape."""
        bent = -self.low * np.logaddexp(0.0, -scores) + self.high * np.logaddexp(0.0, scores) + self.shift
        return np.asarray(expit(bent), np.float64)


def calibrate(fitted: CrossFitted, random: NDArray[np.bool_]) -> Calibration:
    """Fit on the randomly drawn texts, each scored by a model that never saw it.

    `random` says for each decided text whether a uniform draw brought it, blind. Below `FEWEST_TEXTS` of
    them the scores are left as they are.
    """
    drawn = np.flatnonzero(random)
    if len(drawn) < FEWEST_TEXTS:
        return Calibration(1.0, 1.0, 0.0, len(drawn))
    scores, lessons = fitted.held_out(drawn), fitted.lessons.only(drawn)
    used = (lessons.weights > 0) & _first(scores)
    low, high, shift = _curve(scores[used], lessons.labels[used])
    return Calibration(low, high, shift, len(drawn))


def _first(scores: Matrix) -> NDArray[np.bool_]:
    """Each text's best `SHOWN` codes."""
    out = np.zeros(scores.shape, bool)
    np.put_along_axis(out, np.argsort(-scores, axis=1, kind="stable")[:, :SHOWN], True, axis=1)
    return out


def _curve(scores: NDArray[np.float64], labels: NDArray[np.float64]) -> tuple[float, float, float]:
    """Low, high and shift of least logistic loss, drawn to what is usual; never falling."""
    views = np.stack([-np.logaddexp(0.0, -scores), np.logaddexp(0.0, scores), np.ones_like(scores)], axis=1)

    def loss(p: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = views @ p
        value = (np.logaddexp(0.0, z) - labels * z).sum() + DRAWN * ((p - USUAL) ** 2).sum()
        return float(value), views.T @ (expit(z) - labels) + 2 * DRAWN * (p - USUAL)

    bounds = [(0.02, 6.0), (0.02, 6.0), (None, None)]
    low, high, shift = minimize(loss, USUAL, jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(low), float(high), float(shift)
