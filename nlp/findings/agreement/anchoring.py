"""What coders changed once they saw the machine's suggestions: towards it, and away from it.

A revision is logged beside the blind decision that it follows, so both are known of the same reader and text. How far
readers agree with the machine when blind and when suggestions are on screen is `coefficients.shift`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.errors import EstimateError
from nlp.findings.agreement.readings import NOT_READ, Readings


@dataclass(frozen=True, slots=True)
class Revised:
    """Of `read` readings, in `apart` reader and machine differed when blind; then so many moved each way.

    `code` is empty over all codes, where each code of a reading counts for itself.
    """

    code: str
    read: int
    apart: int
    towards: int
    away: int


def revisions(blind: Readings, after: Readings, machine: str, reader: str) -> tuple[Revised, ...]:
    """What readers changed after the reveal, code by code and then over all.

    EstimateError when the two are not of the same items and codes; KeyError when either coder is missing.
    """
    if blind.codes != after.codes or blind.items != after.items:
        raise EstimateError("a revision is compared with the blind reading of the same items and codes")
    shown, before = blind.said[blind.place_of(machine)], blind.said[blind.place_of(reader)]
    now = after.said[after.place_of(reader)]
    read = (shown != NOT_READ) & (before != NOT_READ) & (now != NOT_READ)
    counts = [read, read & (before != shown), read & (before != shown) & (now == shown),
              read & (before == shown) & (now != shown)]  # fmt: skip
    rows = [_counts(code, [c[:, i] for c in counts]) for i, code in enumerate(blind.codes)]
    return (*rows, _counts("", counts))


def _counts(code: str, of: list[NDArray[np.bool_]]) -> Revised:
    read, apart, towards, away = (int(each.sum()) for each in of)
    return Revised(code, read, apart, towards, away)
