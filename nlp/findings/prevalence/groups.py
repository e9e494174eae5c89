"""Groups, places and periods: each with its own error rates; compared only where that was declared before reading.

One correction for all groups hides a machine that hears one group worse, and with it the true difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nlp.errors import EstimateError
from nlp.findings.prevalence.estimate import DEFAULT, Estimate, Plan, estimate
from nlp.findings.prevalence.sample import MIN_READS, Sample, Truth, Yes


@dataclass(frozen=True, slots=True)
class Difference:
    """One group's share less another's (-1 to 1), with its 95% interval."""

    difference: float
    low: float
    high: float


def by_group(
    sample: Sample, groups: Mapping[str, Yes], truth: Truth, plan: Plan = DEFAULT
) -> dict[str, Estimate | EstimateError]:
    """Each group's share from its own reads and its own suggestions, or why there is none.

    `groups` says of every unit whether it belongs; one that belongs to several counts in each.
    """
    return {name: _own(sample.only(rows), truth, plan) for name, rows in groups.items()}


def _own(sample: Sample, truth: Truth, plan: Plan) -> Estimate | EstimateError:
    try:
        return estimate(sample, truth, plan)
    except EstimateError as refused:
        return refused


def compare(one: Estimate, other: Estimate, *, declared: bool) -> Difference:
    """How much more often `one` expresses it than `other`; the two intervals put together by MOVER.

    EstimateError when the groups weren't declared before reading, or fewer than 30 of either were read.
    """
    if not declared:
        raise EstimateError("groups are compared only where they were declared before anything was read")
    least = min(one.read, other.read)
    if least < MIN_READS:
        raise EstimateError(
            f"{least} of one group were read; read at least {MIN_READS - least} more of it to compare the two"
        )
    apart = one.share - other.share
    down = float(np.hypot(one.share - one.low, other.high - other.share))
    up = float(np.hypot(one.high - one.share, other.share - other.low))
    return Difference(apart, max(apart - down, -1.0), min(apart + up, 1.0))


def equal_reads(sizes: Mapping[str, int], reads: int) -> dict[str, int]:
    """Reads of each group for comparing them: as equal as the groups' sizes allow."""
    left, out = reads, dict[str, int]()
    for i, (name, size) in enumerate(sorted(sizes.items(), key=lambda item: item[1])):
        out[name] = min(size, left // (len(sizes) - i))
        left -= out[name]
    return {name: out[name] for name in sizes}
