"""Many areas with few reads each: shares drawn towards what the areas have in common, as far as their own reads are few.

Beta-binomial, by largest marginal likelihood (empirical Bayes); the bounds also carry that the common part is only
estimated (a second-order correction by resampling is refused: it would need more areas than there are).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaincinv, betaln

from nlp.errors import EstimateError
from nlp.findings.prevalence.sample import Floats
from nlp.intervals import ALPHA

MIN_AREAS = 8
_MOST = 1e4


@dataclass(frozen=True, slots=True)
class Area:
    """What was read blind in one area: an effective number of reads and of positives among them; both may be fractions."""

    reads: float
    positives: float


@dataclass(frozen=True, slots=True)
class Pooled:
    """An area's share as drawn towards the others, with its 95% interval; `own` is the weight of its own reads, 0 to 1."""

    share: float
    low: float
    high: float
    own: float


def pooled(areas: Mapping[str, Area]) -> dict[str, Pooled]:
    """Each area's pooled share. EstimateError under eight areas with reads: too few to learn what they have in common."""
    read = {name: area for name, area in areas.items() if area.reads > 0}
    if len(read) < MIN_AREAS:
        raise EstimateError(f"{len(read)} areas have reads; {MIN_AREAS} are needed to borrow from one another")
    n = np.array([a.reads for a in read.values()])
    x = np.clip([a.positives for a in read.values()], 0, n)
    a, b = common(n, np.asarray(x))
    return {name: _drawn(a, b, area) for name, area in areas.items()}


def common(reads: Floats, positives: Floats) -> tuple[float, float]:
    """The two numbers of the beta distribution that areas' shares are drawn from."""
    mean = (positives.sum() + 0.5) / (reads.sum() + 1)

    def unlikely(at: Floats) -> float:
        p, size = 1 / (1 + np.exp(-at[0])), np.exp(at[1])
        a, b = p * size, (1 - p) * size
        return float(-(betaln(a + positives, b + reads - positives) - betaln(a, b)).sum())

    start = np.array([np.log(mean / (1 - mean)), np.log(20.0)])
    limits = [(start[0] - 6, start[0] + 6), (np.log(0.5), np.log(_MOST))]
    at = minimize(unlikely, start, bounds=limits, method="L-BFGS-B").x
    p, size = 1 / (1 + np.exp(-at[0])), np.exp(at[1])
    return float(p * size), float((1 - p) * size)


def _drawn(a: float, b: float, area: Area) -> Pooled:
    """The posterior mean and quantiles of one area."""
    up, down = a + area.positives, b + area.reads - area.positives
    low, high = betaincinv(up, down, [ALPHA / 2, 1 - ALPHA / 2])
    share = up / (up + down)
    return Pooled(share, min(float(low), share), max(float(high), share), area.reads / (area.reads + a + b))
