"""Intervals by resampling participants: a person's texts are alike, so people are drawn again, never texts."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]
_CHUNK = 250
_TAILS = (0.025, 0.975)


def resamples(participants: int, count: int, rng: np.random.Generator) -> Iterator[Floats]:
    """How often each participant is drawn in each resample, in arrays of shape (up to 250, participants)."""
    for start in range(0, count, _CHUNK):
        rows = min(_CHUNK, count - start)
        drawn = rng.integers(participants, size=(rows, participants))
        drawn += np.arange(rows)[:, None] * participants
        times = np.bincount(drawn.ravel(), minlength=rows * participants)
        yield times.reshape(rows, participants).astype(np.float64)


def interval(point: Floats, replicates: Floats, left_out: Floats, plain: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """95% BCa interval (Efron 1987) of each figure; the plain percentile one where `plain` is set.

    `point` has any shape; `replicates` and `left_out` (the figure without each participant) have one axis more
    in front. Undefined replicates (NaN) are passed over. The interval always holds the point.
    """
    point, replicates = np.round(point, 12), np.sort(np.round(replicates, 12), axis=0)
    defined = np.maximum((~np.isnan(replicates)).sum(axis=0), 1)
    below = ((replicates < point).sum(axis=0) + (replicates == point).sum(axis=0) / 2) / defined
    bias = np.where(plain, 0.0, ndtri(np.clip(below, 0.001, 0.999)))
    skew = np.where(plain, 0.0, _acceleration(left_out))
    ends = []
    for tail in _TAILS:
        moved = bias + ndtri(tail)
        ends.append(_quantile(replicates, ndtr(bias + moved / (1 - skew * moved)), defined))
    low = np.fmax(ends[0], -1.0)  # below lie only mixtures of what cannot be
    return np.fmin(low, point), np.fmax(ends[1], point)


def _acceleration(left_out: Floats) -> Floats:
    """The skewness of the participants' pull on the figure, over six."""
    seen = ~np.isnan(left_out)
    mean = np.where(seen, left_out, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    pull = np.where(seen, mean - left_out, 0.0)
    spread = (pull**2).sum(axis=0) ** 1.5
    return over((pull**3).sum(axis=0), 6 * spread, 0.0)


def over(a: Floats, b: Floats, otherwise: float = nan) -> Floats:
    """The quotient, and `otherwise` where there is nothing to divide by."""
    shape = np.broadcast_shapes(np.shape(a), np.shape(b))
    return np.asarray(np.divide(a, b, out=np.full(shape, otherwise), where=b > 0), np.float64)


def _quantile(ordered: Floats, share: Floats, defined: NDArray[np.int64]) -> Floats:
    """The value at that share of each column's defined part; NaN stands last in a sorted column."""
    at = share * (defined - 1)
    below = np.floor(at).astype(np.int64)
    above = np.minimum(below + 1, defined - 1)
    low = np.take_along_axis(ordered, below[None], axis=0)[0]
    high = np.take_along_axis(ordered, above[None], axis=0)[0]
    return np.asarray(low + (at - below) * (high - low), np.float64)
