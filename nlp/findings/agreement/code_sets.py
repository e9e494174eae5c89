"""Agreement on sets of codes: Krippendorff's alpha with the MASI distance."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from nlp.findings.agreement.bootstrap import Floats, over
from nlp.findings.agreement.readings import NOT_READ, YES, Readings

_BLOCK = 1024


def masi(shared: Floats, first: Floats, second: Floats) -> Floats:
    """MASI distance (Passonneau 2006) of two sets, from how many codes they share and how many each holds.

    Jaccard's share of codes held in common, times 1 for equal sets, 2/3 where one holds the other, 1/3 where
    they overlap; taken from one. Two empty sets are equal.
    """
    union = first + second - shared
    monotony = np.where(union == shared, 1.0, np.where(shared == np.minimum(first, second), 2 / 3, 1 / 3))
    return np.asarray(1 - monotony * np.where(union > 0, shared / np.maximum(union, 1), 1.0), np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class SetSums:
    """By participant: distances within items, and how often each distinct set was given.

    A reading counts where it says yes or no to every code and another coder's of the item does too.
    """

    apart: Floats  # (participants,)
    given: csr_array  # (participants, sets)
    sets: Floats  # (sets, codes), 0 or 1


def sum_sets(readings: Readings, holds: csr_array) -> SetSums:
    """The sums of `readings`; `holds` (participants, items) is how much of an item is whose."""
    whole = (readings.said != NOT_READ).all(axis=2)
    whole &= whole.sum(axis=0) > 1
    coder, item = np.nonzero(whole)
    found = readings.said[coder, item] == YES
    packed = np.packbits(np.pad(found, ((0, 0), (0, 1))), axis=1)  # one column more, so that there is one without codes
    _, first, which = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    times = csr_array((np.ones(len(item)), (item, which.ravel())), shape=(len(readings.items), len(first)))
    return SetSums(holds @ _apart(readings, whole), holds @ times, found[first].astype(np.float64))


def _apart(readings: Readings, whole: NDArray[np.bool_]) -> Floats:
    """Each item's summed distance over ordered pairs of its readings, over one less than its readings."""
    total = np.zeros(len(readings.items))
    for a, b in combinations(range(len(readings.coders)), 2):
        both = whole[a] & whole[b]
        one, two = (readings.said[x][both] == YES for x in (a, b))
        shared, first, second = (x.sum(axis=1).astype(np.float64) for x in (one & two, one, two))
        total[both] += 2 * masi(shared, first, second)
    return np.asarray(total / np.maximum(whole.sum(axis=0) - 1, 1), np.float64)


def rates(apart: Floats, given: Floats, sets: Floats) -> tuple[Floats, Floats]:
    """Disagreement observed within items and expected between any two readings; from totals (n,) and (n, sets)."""
    size = given.sum(axis=1)
    spread = np.zeros(len(given))
    for block in _blocks(sets):
        spread += ((given @ distances(sets, sets[block])) * given[:, block]).sum(axis=1)
    return over(apart, size), over(spread, size * (size - 1))


def rates_left_out(sums: SetSums) -> tuple[Floats, Floats]:
    """The same without each participant in turn, the expected one to first order."""
    given = np.asarray(sums.given.sum(axis=0), np.float64)
    far = np.zeros(len(given))
    for block in _blocks(sums.sets):
        far[block] = given @ distances(sums.sets, sums.sets[block])
    size = given.sum() - np.asarray(sums.given.sum(axis=1), np.float64)
    spread = given @ far - 2 * (sums.given @ far)
    return over(sums.apart.sum() - sums.apart, size), over(spread, size * (size - 1))


def distances(a: Floats, b: Floats) -> Floats:
    """MASI distances between the sets of two 0/1 arrays of shape (sets, codes)."""
    return masi(a @ b.T, a.sum(axis=1)[:, None], b.sum(axis=1)[None])


def _blocks(sets: Floats) -> list[slice]:
    """The distances of all sets at once might not fit in memory."""
    return [slice(start, start + _BLOCK) for start in range(0, len(sets), _BLOCK)]
