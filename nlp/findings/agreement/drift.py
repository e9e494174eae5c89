"""Drift: how one coder's use of a code moves over time, beside what the machine expected of the same texts.

Later texts may simply hold a code more often. The machine reads all texts by one rule, so what the coder gave less what
it expected moves where the coder does. It learns from decisions, and then may drift along: a level line is no proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan, nan

import numpy as np
from numpy.typing import NDArray

from nlp.errors import EstimateError
from nlp.findings.agreement.bootstrap import Floats, interval, over, resamples
from nlp.findings.agreement.coefficients import ONE_PERSON, Coefficient
from nlp.intervals import wilson

TOO_FEW = "there are too few readings to set later ones against earlier ones"
FEWEST_HALF = 10


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive readings, numbered from 1: the share given the code with its 95% Wilson interval, and the share expected."""

    first: int
    last: int
    share: float
    low: float
    high: float
    expected: float


@dataclass(frozen=True, slots=True)
class Drift:
    """One coder's use of a code; `change` is what the later half gave beyond what was expected, less that of the earlier."""

    code: str
    blocks: tuple[Block, ...]
    change: Coefficient


def drift(
    code: str, given: NDArray[np.bool_], expected: Floats, participants: list[str], *, size: int = 25, times: int = 2000,
    seed: int = 0,
) -> Drift:  # fmt: skip
    """Readings in the order in which they were made, in blocks of `size`; a remainder of less than half joins the last.

    `expected` is the machine's probability of each text. The interval of the change resamples participants.
    EstimateError when the three are not of one length.
    """
    if not len(given) == len(expected) == len(participants):
        raise EstimateError("each reading needs what was given, what was expected and a participant")
    ends = [*range(size, len(given) - size // 2, size), len(given)] if len(given) else []
    blocks = [_block(given, expected, a, b) for a, b in zip([0, *ends], ends, strict=False)]
    return Drift(code, tuple(blocks), _change(given - expected, participants, times, seed))


def _block(given: NDArray[np.bool_], expected: Floats, first: int, end: int) -> Block:
    part = given[first:end]
    low, high = wilson(int(part.sum()), len(part))
    return Block(first + 1, end, float(part.mean()), low, high, float(expected[first:end].mean()))


def _change(beyond: Floats, participants: list[str], times: int, seed: int) -> Coefficient:
    half = len(beyond) // 2
    if half < FEWEST_HALF:
        return Coefficient(nan, nan, nan, TOO_FEW)
    later = np.arange(len(beyond)) >= half
    names, owner = np.unique(np.array(participants, np.str_), return_inverse=True)
    sums = np.zeros((len(names), 4))
    np.add.at(sums, owner, np.column_stack([beyond * ~later, ~later, beyond * later, later]))
    value = float(_moved(sums.sum(axis=0)))
    if len(names) < 2:
        return Coefficient(value, nan, nan, ONE_PERSON)
    drawn = resamples(len(names), times, np.random.default_rng(seed))
    replicates = np.concatenate([_moved(each @ sums) for each in drawn])
    low, high = interval(np.asarray(value), replicates, _moved(sums.sum(axis=0) - sums), np.asarray(False))
    return Coefficient(value, float(low), float(high), ONE_PERSON if isnan(low) else "")


def _moved(sums: Floats) -> Floats:
    early, early_reads, late, late_reads = np.moveaxis(sums, -1, 0)
    return over(late, late_reads) - over(early, early_reads)
