"""What each participant's readings add up to, and the disagreement that follows from any total of them.

Every coefficient is one less observed over expected disagreement, and both follow from sums over items. Each
participant's sums are taken once, so that a resample of participants is no more than a weighted total.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from nlp.findings.agreement.bootstrap import Floats, over
from nlp.findings.agreement.code_sets import SetSums, sum_sets
from nlp.findings.agreement.readings import NOT_READ, YES, Readings

# What a participant's readings of one code add up to; then four sums for each pair of coders.
_AGREE, TWICE, GIVEN, READ, _SAME, _YES, _ALL, _PAIRS = range(8)
_BOTH_READ, _APART, _FIRST, _SECOND = range(4)


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums of shape (participants who were read, codes, sums), and what was read by two coders.

    `people` and `units` count participants and items (code points) that two coders read: by code, then in all.
    """

    by_participant: Floats
    sets: SetSums
    people: NDArray[np.int64]
    units: NDArray[np.int64]


def sum_up(readings: Readings) -> Sums:
    """The sums of all participants with an item that anybody read."""
    read = (readings.said != NOT_READ).sum(axis=0)
    seen = np.flatnonzero(read.any(axis=1))
    names, owner = np.unique(np.array(readings.participants, np.str_)[seen], return_inverse=True)
    shape = (len(names), len(readings.items))
    holds = csr_array((readings.weights[seen], (owner, seen)), shape=shape)
    yes = (readings.said == YES).sum(axis=0)
    sums = [holds @ each for each in (*_counts(read, yes), *_pairs(readings))]
    twice = np.column_stack([read > 1, (read > 1).any(axis=1)])
    return Sums(
        by_participant=np.stack(sums, axis=-1),
        sets=sum_sets(readings, holds),
        people=((holds @ twice.astype(np.float64)) > 0).sum(axis=0),
        units=(readings.weights @ twice).astype(np.int64),
    )


def _counts(read: NDArray[np.int64], yes: NDArray[np.int64]) -> list[Floats]:
    """The first seven sums, item by item, in arrays of shape (items, codes)."""
    agreeing = yes * (yes - 1) + (read - yes) * (read - yes - 1)
    others = np.maximum(read - 1, 1)
    twice = (read > 1).astype(np.float64)
    return [
        twice * agreeing / (np.maximum(read, 1) * others),
        twice,
        yes / np.maximum(read, 1),
        (read > 0).astype(np.float64),
        twice * agreeing / others,
        twice * yes,
        twice * read,
    ]


def _pairs(readings: Readings) -> list[Floats]:
    """For each pair of coders with an item in common: both read it, they differ, the one and the other said yes."""
    sums = []
    for a, b in combinations(readings.said, 2):
        both = (a != NOT_READ) & (b != NOT_READ)
        if both.any():
            sums += [both, both & (a != b), both & (a == YES), both & (b == YES)]
    return [each.astype(np.float64) for each in sums]


def coefficients(totals: Floats) -> Floats:
    """Percent agreement, Cohen's and Fleiss' kappa, alpha and AC1; from (..., codes, sums) to (..., codes, 5)."""
    observed, expected = _rates(totals)
    return 1 - over(observed, expected)


def pooled(totals: Floats) -> Floats:
    """The same over all codes, of shape (..., 1, 5): averages of observed and of expected disagreement."""
    read = (totals[..., TWICE] > 0)[..., None]
    observed, expected = (np.where(read, x, 0.0).sum(axis=-2, keepdims=True) for x in _rates(totals))
    return 1 - over(observed, expected)


def _rates(totals: Floats) -> tuple[Floats, Floats]:
    """Observed and expected disagreement of each coefficient."""
    agree, twice, given, read, same, yes, every = np.moveaxis(totals[..., :_PAIRS], -1, 0)
    apart = 1 - over(agree, twice)
    share = over(given, read)
    by_chance = 2 * share * (1 - share)
    both, differ, first, second = _by_pair(totals)
    pairs = both.sum(axis=-1)
    cross = over(first * (both - second) + second * (both - first), both, 0.0)
    observed = [apart, over(differ.sum(axis=-1), pairs), apart, 1 - over(same, every), apart]
    expected = [
        np.ones_like(apart),
        over(cross.sum(axis=-1), pairs),
        by_chance,
        over(2 * yes * (every - yes), every * (every - 1)),
        1 - by_chance,
    ]
    return np.stack(observed, axis=-1), np.stack(expected, axis=-1)


def _by_pair(totals: Floats) -> list[Floats]:
    return [totals[..., _PAIRS + i :: 4] for i in range(4)]


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Which codes stand at an edge of what a sample can show: nobody differed, or no two agreed on yes, or on no."""

    quiet: NDArray[np.bool_]
    no_yes: NDArray[np.bool_]
    no_no: NDArray[np.bool_]

    @property
    def any(self) -> NDArray[np.bool_]:
        """Codes at any of the edges."""
        return self.quiet | self.no_yes | self.no_no


def edges(total: Floats) -> Edges:
    """The edges of a total of shape (codes, sums)."""
    both, apart, first, second = (x.sum(axis=-1) for x in _by_pair(total))
    yes = (first + second - apart) / 2
    no = both - first - second + yes
    return Edges(apart == 0, (apart > 0) & (yes == 0), (apart > 0) & (yes > 0) & (no == 0))


def beyond_quiet(totals: Floats, share: Floats, at: Edges) -> Floats:
    """The totals with a share of unseen participants whose coders all differ, for codes where nobody did."""
    return _mixed(totals, share * at.quiet, agreed=0.0, given=0.5)


def beyond_rare(totals: Floats, share: Floats, at: Edges) -> Floats:
    """The totals with a share of unseen participants whose coders all agree on the yes (or no) that no two agreed on."""
    return _mixed(_mixed(totals, share * at.no_yes, agreed=1.0, given=1.0), share * at.no_no, agreed=1.0, given=0.0)


def _mixed(totals: Floats, share: Floats, *, agreed: float, given: float) -> Floats:
    other = totals.copy()
    for to, of, part in ((_AGREE, TWICE, agreed), (GIVEN, READ, given), (_SAME, _ALL, agreed), (_YES, _ALL, given)):
        other[..., to] = part * totals[..., of]
    for to, part in ((_APART, 1 - agreed), (_FIRST, given), (_SECOND, given)):
        other[..., _PAIRS + to :: 4] = part * totals[..., _PAIRS + _BOTH_READ :: 4]
    return totals + (other - totals) * share[..., None]
