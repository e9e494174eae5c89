"""Intervals of shares: mid-P, which may take fractions of reads, and Wilson's. Each for one share or for arrays of them."""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize.elementwise import find_root
from scipy.special import betainc, betaincinv

ALPHA = 0.05
Z = 1.959963984540054
_NEAR = {"xatol": 1e-12, "xrtol": 1e-12}
_SLACK = 1e-12  # a bound nearer to 0 or 1 than this is 0 or 1

Array = NDArray[np.float64]


def mid_p(positives: float, reads: float, alpha: float = ALPHA) -> tuple[float, float]:
    """Mid-P interval of a share; positives and reads may be fractions."""
    low, high = mid_p_bounds(positives, reads, alpha)
    return float(low), float(high)


def mid_p_bounds(positives: ArrayLike, reads: ArrayLike, alpha: float = ALPHA) -> tuple[Array, Array]:
    """Mid-P bounds of many shares at once, in the common shape of `positives` and `reads` (more than none).

    Each bound is where (P(X >= x) + P(X > x)) / 2, X ~ Bin(n, p), reaches its tail; binomial tails are
    continued to fractions by the beta function (Berry and Armitage 1995; fractions after Korn and Graubard 1998).
    """
    n = np.asarray(reads, np.float64)
    x = np.clip(np.asarray(positives, np.float64), 0.0, n)
    x, n = np.broadcast_arrays(x, n)
    low, high = np.zeros(x.shape), np.ones(x.shape)
    none, every = x <= 0, x >= n
    high[none] = 1 - alpha ** (1 / n[none])
    low[every] = alpha ** (1 / n[every])
    inside = ~none & ~every
    low[inside] = _where(alpha / 2, x[inside], n[inside])
    high[inside] = _where(1 - alpha / 2, x[inside], n[inside])
    return low, high


def _where(tail: float, x: Array, n: Array) -> Array:
    """The share at which the mid-P upper tail reaches `tail`; the exact tails on either side of it bracket it."""
    if not x.size:
        return x
    below = np.maximum(betaincinv(x, n - x + 1, tail) * (1 - _SLACK), _SLACK)
    above = np.minimum(1 - (1 - betaincinv(x + 1, n - x, tail)) * (1 - _SLACK), 1 - _SLACK)
    target = np.full(x.shape, tail)
    found = find_root(_over, (below, above), args=(x, n, target), tolerances=_NEAR).x
    return np.where(_over(below, x, n, target) >= 0, 0.0, np.where(_over(above, x, n, target) <= 0, 1.0, found))


def _over(p: Array, x: Array, n: Array, tail: Array) -> Array:
    return np.asarray((betainc(x, n - x + 1, p) + betainc(x + 1, n - x, p)) / 2 - tail, np.float64)


def wilson(positives: int, n: int) -> tuple[float, float]:
    """95% Wilson interval of a published share."""
    low, high = wilson_bounds(positives / n, n)
    return float(low), float(high)


def wilson_bounds(share: ArrayLike, reads: ArrayLike) -> tuple[Array, Array]:
    """95% Wilson bounds of many shares at once; reads may be fractions, and infinite where a share is known."""
    p, n = np.asarray(share, np.float64), np.asarray(reads, np.float64)
    centre = (p + Z * Z / 2 / n) / (1 + Z * Z / n)
    arm = Z / (1 + Z * Z / n) * np.sqrt(p * (1 - p) / n + Z * Z / 4 / n**2)
    return np.maximum(0.0, centre - arm), np.minimum(1.0, centre + arm)


def reads_for(half_width: float, size: int) -> int:
    """Random reads of `size` units after which a share is known to within `half_width`, whatever it is, at 95%.

    The normal approximation at a share of one half, where it is widest, with the finite population correction.
    """
    if size == 0:
        return 0
    from_many = (1.959964 / (2 * half_width)) ** 2
    return min(size, ceil(from_many / (1 + (from_many - 1) / size)))
