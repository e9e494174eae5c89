"""How many voices may still hold a direct identifier, from a random sample that people have read.

“95% sure” is one-sided: the exact binomial bound of Clopper and Pearson (Biometrika 26:404, 1934).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from scipy.stats import beta

from nlp.deid.evaluate import DIRECT
from nlp.types import Detection

CONFIDENCE = 0.95


def expected_leaks(doubts: Iterable[Detection]) -> float:
    """How many direct identifiers a text may be expected to have kept: the sum of its doubts' probabilities."""
    return sum(d.score for d in doubts if d.label in DIRECT)


@dataclass(frozen=True, slots=True)
class LeakEstimate:
    """Of `read` voices drawn at random, `leaking` held a direct identifier that was not masked.

    `per_thousand` and `upper` are leaking voices in 1,000; `upper` is the 95% bound. `missed` counts
    the identifiers themselves, so that `missed_per_thousand` is identifiers in 1,000 voices.
    """

    read: int
    leaking: int
    missed: int

    @property
    def per_thousand(self) -> float:
        """Leaking voices in 1,000 as the sample has them; 0 before anything is read."""
        return 1000 * self.leaking / max(1, self.read)

    @property
    def missed_per_thousand(self) -> float:
        """Leaked identifiers in 1,000 voices as the sample has them."""
        return 1000 * self.missed / max(1, self.read)

    @property
    def upper(self) -> float:
        """With 95% confidence no more voices than this in 1,000 leak; 1,000 before anything is read."""
        if self.leaking >= self.read:
            return 1000.0
        return 1000 * float(beta.ppf(CONFIDENCE, self.leaking + 1, self.read - self.leaking))


def reads_needed(limit: float, leaking: int = 0) -> int:
    """How many voices must be read, with no more than `leaking` leaks, for the bound to come under `limit` in 1,000."""
    read = leaking + 1
    while LeakEstimate(read, leaking, leaking).upper > limit:
        read *= 2
    low = read // 2
    while read - low > 1:
        middle = (low + read) // 2
        low, read = (middle, read) if LeakEstimate(middle, leaking, leaking).upper > limit else (low, middle)
    return read
