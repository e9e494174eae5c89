"""Shares over strata: the default estimator, and the interval for more strata than two.

Bounds of each stratum are mid-P, added by MOVER (Donner and Zou 2012); over many strata that adds every stratum's slack,
and a score interval with one constrained fit for all is narrower (after Yan and Su 2010).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nlp.errors import EstimateError
from nlp.findings.prevalence.sample import Floats, Sample, Whole
from nlp.intervals import Z, mid_p_bounds

FIVE = 5
NOTHING_READ = "nothing has been read yet; read some of the counting round first"
_HALVINGS = 80
MOST_TIMES = 40.0
STEPS = 64


@dataclass(frozen=True, slots=True, eq=False)
class Strata:
    """Arrays of shape (..., strata): each one's part of the whole, its share among what was read, and how many reads
    that is worth (Kish, finite population): infinite where all was read. A part of 0 is no stratum.
    """

    part: Floats
    share: Floats
    reads: Floats

    @property
    def estimate(self) -> Floats:
        """The share over all strata."""
        return np.asarray((self.part * self.share).sum(axis=-1))


def strata_of(sample: Sample, labels: Whole, count: int, *, finite: bool = True) -> Strata:
    """Strata by `labels` (0 to count - 1). One without a read is merged with its neighbour; EstimateError when none has any.

    Without `finite` the reads speak of more than what is loaded, and reading all leaves doubt.
    """
    labels = _merged(sample, labels, count)
    size = np.bincount(labels, sample.counts_for, count)
    here, w, g = labels[sample.read], calibrated(sample, labels, count), sample.counts_for[sample.read]
    total = np.bincount(here, w * g, count)
    spread = np.bincount(here, g * g * w * (np.maximum(w - 1, 0) if finite else w), count)
    positives = np.bincount(here, w * g * sample.positive[sample.read], count)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(total > 0, positives / total, 0.0)
        reads = np.where(spread > 1e-9, total**2 / spread, np.inf)
    return Strata(size / size.sum(), np.clip(share, 0, 1), reads)


def from_counts(size: Floats, read: Floats, positives: Floats, *, finite: bool = True) -> Strata:
    """Strata in each of which so many of `size` units were drawn alike and read; arrays (..., strata). As `strata_of`."""
    count = size.shape[-1]
    if not read.any(axis=-1).all():
        raise EstimateError(NOTHING_READ)
    away = np.where(read[..., None, :] > 0, np.abs(np.arange(count)[:, None] - np.arange(count)), count)
    to = np.equal(away.argmin(axis=-1)[..., None], np.arange(count))
    size, n, x = ((v[..., None] * to).sum(axis=-2) for v in (size, read, positives))
    left = np.maximum(size - n, 0) if finite else size
    with np.errstate(divide="ignore", invalid="ignore"):
        share, reads = np.where(n > 0, x / n, 0.0), np.where(left > 0, n * size / left, np.inf)
    return Strata(size / size.sum(axis=-1, keepdims=True), share, reads)


def calibrated(sample: Sample, labels: Whole, count: int) -> Floats:
    """Weights of the units read that add up to each stratum's size, so that a draw read in part counts for what was read."""
    here, w = labels[sample.read], sample.weight[sample.read]
    size, read = np.bincount(labels, minlength=count), np.bincount(here, minlength=count)
    total = np.bincount(here, w, count)
    return np.asarray(np.where((size == read)[here], 1.0, w * size[here] / total[here]), np.float64)


def _merged(sample: Sample, labels: Whole, count: int) -> Whole:
    """Labels without strata of which nothing was read: each goes to the nearest that has a read."""
    read = np.bincount(labels[sample.read], minlength=count)
    has = np.flatnonzero(read)
    if not len(has):
        raise EstimateError(NOTHING_READ)
    to = has[np.abs(np.arange(count)[:, None] - has[None, :]).argmin(axis=1)]
    return np.asarray(to[labels], np.int64)


def by_suggestion(sample: Sample) -> Whole:
    """Two strata: 1 where the code is suggested, 0 where it is not."""
    return sample.suggested.astype(np.int64)


def five_classes(machine: Floats) -> Whole:
    """Five strata by the machine's probability, each with as much expected spread as the others (Dalenius and Hodges 1959)."""
    spread = np.sqrt(np.clip(machine, 0.01, 0.99) * (1 - np.clip(machine, 0.01, 0.99)))
    order = np.argsort(machine, kind="stable")
    reached = np.empty(len(machine))
    reached[order] = np.cumsum(spread[order]) / spread.sum()
    return np.minimum((reached * FIVE * (1 - 1e-12)).astype(np.int64), FIVE - 1)


def mover(strata: Strata) -> tuple[Floats, Floats]:
    """Lower and upper bound of the share over strata, shape (...)."""
    low_arm, high_arm = arms(strata)
    return strata.estimate - low_arm, strata.estimate + high_arm


def arms(strata: Strata) -> tuple[Floats, Floats]:
    """How far below and above the estimate the mid-P bounds lie, added by MOVER, shape (...)."""
    known = np.isinf(strata.reads) | (strata.part <= 0)
    reads = np.where(known, 1.0, strata.reads)
    low, high = mid_p_bounds(strata.share * reads, reads)
    below, above = (np.where(known, 0.0, a) for a in (strata.share - low, high - strata.share))
    return _added(strata.part, below), _added(strata.part, above)


def _added(part: Floats, arm: Floats) -> Floats:
    return np.asarray(np.sqrt(((part * arm) ** 2).sum(axis=-1)))


def score(strata: Strata) -> tuple[Floats, Floats]:
    """Lower and upper bound by the score test, one constrained fit for all strata, shape (...)."""
    mirrored = Strata(strata.part, 1 - strata.share, strata.reads)
    return np.asarray(1 - _score_above(mirrored)), _score_above(strata)


def _score_above(strata: Strata) -> Floats:
    """Where the score test turns above the estimate: halving over the logarithm of the fit's multiplier."""
    near = np.full(strata.estimate.shape, -12.0)
    far = np.full(strata.estimate.shape, 12.0)
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        whole, spread = _fitted(strata, np.asarray(10**middle))
        over = whole - strata.estimate > Z * np.sqrt(spread)
        near, far = np.where(over, near, middle), np.where(over, middle, far)
    return np.minimum(_fitted(strata, np.asarray(10**far))[0], 1.0)


def _fitted(strata: Strata, pull: Floats) -> tuple[Floats, Floats]:
    """The likeliest shares with a whole pulled upwards by `pull`: that whole, and its variance, shape (...)."""
    known = np.isinf(strata.reads) | (strata.part <= 0)
    n = np.where(known, 1.0, strata.reads)
    a = np.where(known, 1.0, pull[..., None] * strata.part)
    # n (found - p) + a p (1 - p) = 0, the root in 0..1, written without a difference of near numbers
    b = n - a
    root = np.sqrt(b * b + 4 * a * n * strata.share)
    p = np.where(b > 0, 2 * n * strata.share / np.where(b > 0, b + root, 1.0), (root - b) / (2 * a))
    p = np.where(known, strata.share, np.clip(p, 0, 1))
    spread = np.where(known, 0.0, strata.part**2 * p * (1 - p) / n).sum(axis=-1)
    return np.asarray((strata.part * p).sum(axis=-1)), np.asarray(spread)


def never_against_what_was_seen(
    low: ArrayLike, high: ArrayLike, *, positives: ArrayLike, read: ArrayLike, loaded: ArrayLike
) -> tuple[Floats, Floats]:
    """Bounds of a share of what is loaded, with at least the positives seen and at most all but the negatives seen."""
    seen, count, of = (np.asarray(v, np.float64) for v in (positives, read, loaded))
    return np.maximum(low, seen / of), np.minimum(high, 1 - (count - seen) / of)


Bounds = Callable[[Strata], tuple[Floats, Floats]]


def reads_to_halve(strata: Strata, read: int, loaded: int, bounds: Bounds, *, finite: bool = True) -> int | None:
    """How many more units to read, each stratum in the same proportion, for an interval half as wide; 0 where it has none.

    Shares are held as they are. Without `finite`, for people like these, it may be more than are loaded.
    """
    times = np.geomspace(1, max(loaded / read, 1) if finite else MOST_TIMES, STEPS)[:, None]
    if finite:
        reads = _plain(strata, times, loaded)
        low, high = _when_read(strata, reads, loaded, bounds)
    else:
        reads, (low, high) = read * times, bounds(_repeated(strata, strata.reads * times))
    width = high - low
    if width[0] <= 0:
        return 0
    enough = np.flatnonzero(width <= width[0] / 2)
    return math.ceil(reads[enough[0]].sum() - read) if len(enough) else None


def _plain(strata: Strata, times: Floats, loaded: int) -> Floats:
    """How many of each stratum have been read when each is read so many times over, until all of it is."""
    size = strata.part * loaded
    return np.minimum(np.where(np.isinf(strata.reads), size, size / (1 + size / strata.reads)) * times, size)


def _when_read(strata: Strata, reads: Floats, loaded: int, bounds: Bounds) -> tuple[Floats, Floats]:
    """The bounds when so many of each stratum are read, shape (times,)."""
    size = strata.part * loaded
    worth = np.where(size - reads > 1e-9, reads * size / np.maximum(size - reads, 1e-9), np.inf)
    low, high = bounds(_repeated(strata, worth))
    seen = (reads * strata.share).sum(axis=-1)
    return never_against_what_was_seen(low, high, positives=seen, read=reads.sum(axis=-1), loaded=loaded)


def _repeated(strata: Strata, reads: Floats) -> Strata:
    return Strata(np.broadcast_to(strata.part, reads.shape), np.broadcast_to(strata.share, reads.shape), reads)
