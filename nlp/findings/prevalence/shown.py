"""Decisions that were made with a suggestion on screen: they enter only as a difference to blind second readings.

Who sees a suggestion leans towards it, and no test of affordable size can tell that nobody did. So what was shown counts
less what a blind reading of some of the same units by somebody else took back, and more what it added.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nlp.errors import EstimateError
from nlp.findings.prevalence.sample import Floats, Yes
from nlp.findings.prevalence.strata import from_counts, mover
from nlp.intervals import mid_p_bounds

MIN_TWICE = 20


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """Units of one stratum: how many there are, what those decided with a suggestion shown were found to hold, and of those
    read twice (a random part) what the first and the blind second reading found.
    """

    size: int
    shown: Yes
    first: Yes
    second: Yes


@dataclass(frozen=True, slots=True)
class Blind:
    """Units of one stratum: how many there are, were read blind, and hold the code."""

    size: int
    read: int
    positives: int


def with_shown(suggested: Shown, other: Blind) -> tuple[float, float, float]:
    """Share of all units, lower and upper bound: the suggested ones by the difference, the others read blind.

    EstimateError below 20 units read twice (or all where fewer were shown): then the blind reads alone are what counts.
    """
    twice = len(suggested.first)
    wanted = min(MIN_TWICE, len(suggested.shown))
    if twice < wanted or not twice:
        raise EstimateError(f"{twice} read twice so far; read at least {max(wanted, 1) - twice} more blind")
    if not other.read and other.size:
        raise EstimateError("none of those not suggested has been read; read some of the counting round first")
    total = suggested.size + other.size
    here, below, above = _difference(suggested)
    there = from_counts(*(np.array([n], float) for n in (other.size, other.read, other.positives)))
    low_there, high_there = mover(there)
    part, rest = suggested.size / total, other.size / total
    share = part * here + rest * float(there.estimate)
    low = share - float(np.hypot(part * below, rest * (there.estimate - low_there)))
    high = share + float(np.hypot(part * above, rest * (high_there - there.estimate)))
    share = min(max(share, 0.0), 1.0)
    return share, min(max(low, 0.0), share), max(min(high, 1.0), share)


def _difference(of: Shown) -> tuple[float, float, float]:
    """The stratum's share with its arms down and up: shown, less taken back, more added, by MOVER."""
    taken, added = of.first & ~of.second, ~of.first & of.second
    shares = np.array([of.shown.mean(), taken.mean(), added.mean()])
    low, high = mid_p_bounds(shares * _worth(of), _worth(of))
    low, high = (np.where(_complete(of), shares, bound) for bound in (low, high))
    share = float(shares[0] - shares[1] + shares[2])
    below = float(np.linalg.norm([shares[0] - low[0], high[1] - shares[1], shares[2] - low[2]]))
    above = float(np.linalg.norm([high[0] - shares[0], shares[1] - low[1], high[2] - shares[2]]))
    return share, below, above


def _worth(of: Shown) -> Floats:
    """Effective reads: shown ones out of the stratum, those read twice out of the stratum as well."""
    counts = np.array([len(of.shown), len(of.first), len(of.first)], float)
    return np.asarray(counts * of.size / np.maximum(of.size - counts, 1e-9))


def _complete(of: Shown) -> Yes:
    return np.array([len(of.shown) == of.size, *(2 * [len(of.first) == of.size])])
