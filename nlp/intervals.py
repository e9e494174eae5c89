"""Intervals of shares: mid-P, which may take fractions of reads, and Wilson's."""

from __future__ import annotations

from scipy.optimize import brentq
from scipy.special import betainc

ALPHA = 0.05


def mid_p(positives: float, reads: float, alpha: float = ALPHA) -> tuple[float, float]:
    """Mid-P interval of a share; positives and reads may be fractions."""
    x, n = min(positives, reads), reads
    if x <= 0:
        return 0.0, float(1 - alpha ** (1 / n))
    if x >= n:
        return float(alpha ** (1 / n)), 1.0
    low = _where(alpha / 2, x, n)
    high = _where(1 - alpha / 2, x, n)
    return low, high


def _where(tail: float, x: float, n: float) -> float:
    """The share at which the mid-P upper tail reaches `tail`; it grows with the share."""
    nearly = 1e-12
    if _mid_upper_tail(x, n, nearly) >= tail:
        return 0.0
    if _mid_upper_tail(x, n, 1 - nearly) <= tail:
        return 1.0
    return float(brentq(lambda p: _mid_upper_tail(x, n, p) - tail, nearly, 1 - nearly))


def _mid_upper_tail(x: float, n: float, p: float) -> float:
    """(P(X >= x) + P(X > x)) / 2 for X ~ Bin(n, p), continued to fractions by the beta function."""
    at_least = 1.0 if x <= 0 else betainc(x, n - x + 1, p)
    more = 0.0 if x >= n else betainc(x + 1, n - x, p)
    return float((at_least + more) / 2)


def wilson(positives: int, n: int) -> tuple[float, float]:
    """95% Wilson interval of a published share."""
    z = 1.959964
    centre = (positives + z * z / 2) / (n + z * z)
    arm = z / (n + z * z) * (positives * (n - positives) / n + z * z / 4) ** 0.5
    return max(0.0, centre - arm), min(1.0, centre + arm)
