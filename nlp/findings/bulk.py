"""From which score on a code's suggestions may be accepted many at a time, by how often they were right where people read blind.

One says of a person whether all suggestions of the code from a score on were right, since texts of one person resemble
one another: people are independent, texts are not. The bound is Clopper and Pearson's (Biometrika 26, 1934), one-sided,
with the chance of error shared among the scores that are tried (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scipy.stats import beta

SCORES = (0.5, 0.7, 0.9)
NEEDED = 0.8
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Judged:
    """A suggestion on a text that was read blind: its score (0 to 1), whose text, and whether the reader gave the code."""

    score: float
    person: str
    right: bool


@dataclass(frozen=True, slots=True)
class Step:
    """Suggestions from `score` on: of `people` read, `right` had no wrong one; `least` is the bound on that share."""

    score: float
    people: int
    right: int
    least: float

    @property
    def safe(self) -> bool:
        """Whether so many are right that a person need not read each."""
        return self.least >= NEEDED


def steps(judged: Sequence[Judged]) -> tuple[Step, ...]:
    """What the blind readings say at each of SCORES, lowest first."""
    return tuple(_step(score, [j for j in judged if j.score >= score]) for score in SCORES)


def _step(score: float, judged: Iterable[Judged]) -> Step:
    right: dict[str, bool] = {}
    for one in judged:
        right[one.person] = right.get(one.person, True) and one.right
    return Step(score, len(right), sum(right.values()), at_least(sum(right.values()), len(right), len(SCORES)))


def at_least(right: int, read: int, tried: int = 1) -> float:
    """The share that is right at least, with 95% confidence over `tried` looks; 0 where nothing is right or read."""
    return float(beta.ppf((1 - CONFIDENCE) / tried, right, read - right + 1)) if right else 0.0


def safe_step(found: Sequence[Step]) -> Step | None:
    """The lowest score that is safe; None where none is."""
    return next((step for step in found if step.safe), None)


def people_needed(tried: int = len(SCORES)) -> int:
    """How many people must be read, all without a wrong suggestion, before anything is safe."""
    return next(n for n in range(1, 1000) if at_least(n, n, tried) >= NEEDED)
