"""How many express a theme, corrected for what the machine missed and wrongly suggested.

Default estimator of a counting round: blind reads of a known random draw, post-stratified by the
code's own suggestion; mid-P bounds in each stratum, combined by MOVER (Donner and Zou 2012).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nlp.errors import EstimateError
from nlp.intervals import mid_p

MIN_READS = 30
MIN_SUGGESTED_READS = 10
_ALL = float("inf")


@dataclass(frozen=True, slots=True)
class Read:
    """One unit of a draw: whether it was suggested, whether it was read and found to hold the code.

    `weight` is one over its inclusion probability.
    """

    suggested: bool
    positive: bool
    weight: float


@dataclass(frozen=True, slots=True)
class Stratum:
    """Units in all, the effective number read (Kish, finite population) and positives among it."""

    size: int
    reads: float
    positives: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share with its 95% interval, what it rests on and what it is a share of."""

    share: float
    low: float
    high: float
    read: int
    loaded: int
    positives_read: int


def estimate_share(
    strata: Sequence[Stratum], *, seen_positive: int = 0, seen_negative: int = 0
) -> tuple[float, float, float]:
    """Estimate, lower and upper bound of a share over strata.

    The bounds never contradict what was seen: at least `seen_positive` units hold the code and at
    least `seen_negative` do not. EstimateError when nothing was read.
    """
    strata = _merge_unread(strata)
    total = sum(s.size for s in strata)
    point = low_arm = high_arm = 0.0
    for s in strata:
        share = s.positives / s.reads if s.reads != _ALL else s.positives / s.size
        low, high = (share, share) if s.reads == _ALL else mid_p(s.positives, s.reads)
        weight = s.size / total
        point += weight * share
        low_arm += (weight * (share - low)) ** 2
        high_arm += (weight * (high - share)) ** 2
    point = min(point, 1.0)
    low = max(point - low_arm**0.5, seen_positive / total)
    high = min(point + high_arm**0.5, 1 - seen_negative / total)
    return point, min(low, point), max(high, point)


def _merge_unread(strata: Sequence[Stratum]) -> list[Stratum]:
    kept = [s for s in strata if s.size > 0]
    read = [s for s in kept if s.reads > 0]
    if not read:
        raise EstimateError("nothing has been read yet; read some of the counting round first")
    if len(read) == len(kept):
        return kept
    size = sum(s.size for s in kept)
    reads = sum(s.size if s.reads == _ALL else s.reads for s in read)
    return [Stratum(size, reads, sum(s.positives for s in read))]


def from_draw(reads: Sequence[Read], *, suggested_loaded: int, loaded: int) -> Estimate:
    """The default estimate of a counting round.

    `reads` are the units read; `suggested_loaded` of the `loaded` units carry the suggestion.
    EstimateError when fewer than 30 were read (or all, where fewer exist).
    """
    if len(reads) < min(MIN_READS, loaded):
        raise EstimateError(
            f"{len(reads)} read so far; read at least {min(MIN_READS, loaded) - len(reads)} more before a share is shown"
        )
    strata = [
        _stratum([r for r in reads if r.suggested], suggested_loaded),
        _stratum([r for r in reads if not r.suggested], loaded - suggested_loaded),
    ]
    positives = sum(r.positive for r in reads)
    share, low, high = estimate_share(strata, seen_positive=positives, seen_negative=len(reads) - positives)
    return Estimate(share, low, high, len(reads), loaded, positives)


def _stratum(reads: Sequence[Read], size: int) -> Stratum:
    if not reads:
        return Stratum(size, 0.0, 0.0)
    if len(reads) == size:
        return Stratum(size, _ALL, float(sum(r.positive for r in reads)))
    weights = np.array([r.weight for r in reads])
    weights *= max(1.0, size / weights.sum())  # a draw read in part counts for no more than was read
    share = float(weights @ [r.positive for r in reads] / weights.sum())
    effective = float(weights.sum() ** 2 / (weights * (weights - 1)).sum())
    return Stratum(size, effective, share * effective)
