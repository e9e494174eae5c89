"""L1: do a theme and an indicator go together across areas? Errors in both are allowed for; chance by permutation.

The slope is the method-of-moments estimate for errors in variables (Fuller 1987, chapter 3.1), the areas' own error
variances taken off; its interval is a jackknife over areas. It says nothing about people (Robinson 1950).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from nlp.errors import LinkError
from nlp.findings.link.levels import Level, Refusal, refuse, refuse_association

Floats = NDArray[np.float64]

ECOLOGICAL = (
    "This is about areas, not people: a person-level link was not made. What goes together across areas need not go "
    "together in any family."
)
LEAST_RELIABLE = 0.5
PERMUTATIONS = 9_999


@dataclass(frozen=True, slots=True)
class AreaPair:
    """One area's two shares (0 to 1), each with its 95% interval; `not_known` is the indicator's share not known."""

    area: str
    period: str
    heard: float
    heard_low: float
    heard_high: float
    published: float
    published_low: float
    published_high: float
    not_known: float | None = None


@dataclass(frozen=True, slots=True)
class Association:
    """How the theme's share rises with the indicator's, points for a point, and whether chance would do as much.

    `rank` is Spearman's correlation as seen; `correlation` is corrected for the errors of both figures. `reliability`
    is the part of the indicator's spread that is not its own error.
    """

    areas: int
    slope: float
    low: float
    high: float
    rank: float
    correlation: float
    p: float
    reliability: float
    warning: str = ECOLOGICAL


def associate(pairs: Sequence[AreaPair], *, level: Level, seed: int) -> Association:
    """The association over areas; LinkError under ten areas, over mixed periods, or where errors drown the differences."""
    refuse(refuse_association(level, len(pairs), [p.period for p in pairs], [p.not_known for p in pairs]))
    y, x = np.array([p.heard for p in pairs]), np.array([p.published for p in pairs])
    v, u = (
        _variances([(p.heard_low, p.heard_high) for p in pairs]),
        _variances([(p.published_low, p.published_high) for p in pairs]),
    )
    total = float(x.var(ddof=1))
    reliability = (total - float(u.mean())) / total if total > 0 else 0.0
    if reliability < LEAST_RELIABLE:
        why = "the published figures' own intervals are about as wide as the differences between areas"
        refuse(Refusal("No association across areas", why, "areas that differ more, or figures on larger bases"))
    slope = _slope(x, y, u)
    arm = float(stats.t.ppf(0.975, len(x) - 2)) * _jackknife(x, y, u)
    rank = float(stats.spearmanr(x, y).statistic)
    if not np.isfinite(rank):
        raise LinkError("No association across areas: one of the two figures is the same everywhere.")
    return Association(
        len(x), slope, slope - arm, slope + arm, rank, _correlation(x, y, u, v), _by_chance(x, y, seed), reliability
    )


def _variances(intervals: Sequence[tuple[float, float]]) -> Floats:
    bounds = np.array(intervals)
    return np.asarray(((bounds[:, 1] - bounds[:, 0]) / (2 * 1.959964)) ** 2)


def _slope(x: Floats, y: Floats, u: Floats) -> float:
    return float(np.cov(x, y)[0, 1] / max(x.var(ddof=1) - u.mean(), 1e-12))


def _jackknife(x: Floats, y: Floats, u: Floats) -> float:
    k = len(x)
    left = [np.arange(k) != i for i in range(k)]
    slopes = np.array([_slope(x[keep], y[keep], u[keep]) for keep in left])
    return float(np.sqrt((k - 1) / k * ((slopes - slopes.mean()) ** 2).sum()))


def _correlation(x: Floats, y: Floats, u: Floats, v: Floats) -> float:
    spread = (x.var(ddof=1) - u.mean()) * (y.var(ddof=1) - v.mean())
    return float(np.clip(np.cov(x, y)[0, 1] / np.sqrt(spread), -1, 1)) if spread > 0 else float("nan")


def _by_chance(x: Floats, y: Floats, seed: int) -> float:
    """How often areas dealt out at random line up at least as well, by ranks; two-sided."""
    rng = np.random.default_rng(seed)
    a, b = stats.rankdata(x), stats.rankdata(y)
    a, b = a - a.mean(), b - b.mean()
    dealt = np.array([rng.permutation(b) for _ in range(PERMUTATIONS)])
    as_much = np.abs(dealt @ a) >= abs(a @ b) - 1e-9
    return float((1 + as_much.sum()) / (1 + PERMUTATIONS))
