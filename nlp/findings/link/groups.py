"""L2: differences between groups of a study, over a family of comparisons that was declared before looking.

Each group's share comes from its own reads (its own error rates), with an interval for *people like these*, which is
scaled for what one person or family says hanging together. Two intervals are put together by MOVER, and the false
discovery rate over the whole family is held by Benjamini and Hochberg's step-up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from nlp.errors import LinkError
from nlp.findings.link.levels import Level, Refusal, refuse_comparison
from nlp.findings.prevalence import Estimate

_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Comparison:
    """One theme between two groups."""

    code: str
    one: str
    other: str


@dataclass(frozen=True, slots=True)
class Family:
    """The comparisons that were declared together, by whom and when, before anybody looked."""

    comparisons: tuple[Comparison, ...]
    by: str
    declared_at: str

    def __post_init__(self) -> None:
        if not self.comparisons or len(set(self.comparisons)) != len(self.comparisons):
            raise LinkError(
                "A family of comparisons is empty or names one twice; say which groups and themes it is about."
            )


@dataclass(frozen=True, slots=True)
class GroupDifference:
    """One group's share less another's (-1 to 1) with its 95% interval; `q` is the false discovery rate at which it stands.

    Where it is refused, the numbers are None: it still counts in the family.
    """

    comparison: Comparison
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    q: float | None
    refusal: str = ""


def differences(
    family: Family, shares: Mapping[tuple[str, str], Estimate], *, level: Level, first_read_at: str
) -> list[GroupDifference]:
    """Every comparison of the family, in its order. `shares` by code and group.

    LinkError when the family was declared after reading began: what is chosen after a look is not a test.
    """
    if family.declared_at >= first_read_at:
        raise LinkError(
            "No comparison of groups: this family was declared after reading had begun. Declare the groups and themes "
            "first, then draw a counting round and read it."
        )
    found = [_difference(c, shares, level) for c in family.comparisons]
    return _with_rates(found)


def _difference(comparison: Comparison, shares: Mapping[tuple[str, str], Estimate], level: Level) -> GroupDifference:
    one, other = (shares.get((comparison.code, group)) for group in (comparison.one, comparison.other))
    read = {g: e.read if e else 0 for g, e in ((comparison.one, one), (comparison.other, other))}
    refusal: Refusal | None = refuse_comparison(level, read)
    if refusal is not None or one is None or other is None:
        return GroupDifference(comparison, None, None, None, None, None, str(refusal))
    apart = one.share - other.share
    down = float(np.hypot(one.share - one.low, other.high - other.share))
    up = float(np.hypot(one.high - one.share, other.share - other.low))
    return GroupDifference(comparison, apart, max(apart - down, -1.0), min(apart + up, 1.0), _p(apart, down, up), None)


def _p(apart: float, down: float, up: float) -> float:
    """Two-sided, from the arm that reaches towards nought: it is .05 where the interval just touches it."""
    arm = down if apart > 0 else up
    if arm <= 0:
        return 1.0 if apart == 0 else 0.0
    return float(2 * norm.sf(_Z * abs(apart) / arm))


def _with_rates(found: Sequence[GroupDifference]) -> list[GroupDifference]:
    """Benjamini and Hochberg over the whole family; what was refused counts as tested and not found."""
    ps = np.array([1.0 if d.p is None else d.p for d in found])
    order = np.argsort(ps)
    stepped = ps[order] * len(ps) / np.arange(1, len(ps) + 1)
    rates = np.empty(len(ps))
    rates[order] = np.minimum(np.minimum.accumulate(stepped[::-1])[::-1], 1.0)
    return [
        d if d.p is None else GroupDifference(d.comparison, d.difference, d.low, d.high, d.p, float(q))
        for d, q in zip(found, rates, strict=True)
    ]
