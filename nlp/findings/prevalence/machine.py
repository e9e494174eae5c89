"""The machine's mean probability over everything, corrected by what a random draw of reads found.

Prediction-powered inference (Angelopoulos and others 2023), tuned (PPI++, 2023); with known probabilities of being drawn
it is design-based supervised learning (Egami and others 2023). Intervals by Wilson on an effective number of reads.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from nlp.findings.prevalence.sample import Floats, Sample
from nlp.findings.prevalence.strata import calibrated
from nlp.intervals import wilson_bounds

UNSEEN = 0.25  # a quarter of a read that is wholly wrong: where a good machine errs rarely, few reads may hold no error


class Tuning(StrEnum):
    """How far the machine is leant on."""

    WHOLE = "whole"
    FITTED = "fitted"


def corrected_machine(sample: Sample, tuning: Tuning) -> tuple[float, float, float]:
    """Share, lower and upper bound for the units loaded."""
    y, f, w = sample.positive[sample.read].astype(float), sample.machine[sample.read], _weights(sample)
    g = sample.counts_for[sample.read]
    lean = 1.0 if tuning is Tuning.WHOLE else _lean(y, f, w)
    wrong = y - lean * f
    mean_wrong = float(np.average(wrong, weights=w * g))
    share = lean * float(np.average(sample.machine, weights=sample.counts_for)) + mean_wrong
    share = min(max(share, 0.0), 1.0)
    count = len(y)
    off = g**2 * ((wrong - mean_wrong) ** 2 + UNSEEN / count)
    spread = float((w * np.maximum(w - 1, 0) * off).sum()) * count / max(count - 1, 1)
    variance = spread / float(sample.counts_for.sum()) ** 2
    low, high = wilson_bounds(share, _worth(share, variance, count, len(sample)))
    return share, float(low), float(high)


def _weights(sample: Sample) -> Floats:
    return calibrated(sample, np.zeros(len(sample), np.int64), 1)


def _lean(y: Floats, f: Floats, w: Floats) -> float:
    """The multiple of the machine, 0 to 1, that leaves least unexplained in the reads."""
    centred = f - np.average(f, weights=w)
    spread = float(np.average(centred**2, weights=w))
    return float(np.clip(np.average(centred * y, weights=w) / spread, 0, 1)) if spread > 0 else 0.0


def _worth(share: float, variance: float, read: int, loaded: int) -> float:
    """How many plain reads the variance is worth; with nothing varying, as many as were read."""
    if read == loaded:
        return np.inf
    return share * (1 - share) / variance if 0 < share < 1 and variance > 0 else float(read)
