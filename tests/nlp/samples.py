"""Samples with a known truth, for tests of shares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nlp.findings.prevalence import Sample, Unit

Yes = NDArray[np.bool_]
Counts = tuple[int, int, int]


def sample(suggested: Counts, other: Counts, unit: Unit) -> Sample:
    """From (size, read, positive) among suggested and among other units."""
    parts = [(True, *suggested), (False, *other)]
    return Sample(
        unit,
        suggested=np.concatenate([np.full(size, s) for s, size, _, _ in parts]),
        read=np.concatenate([np.arange(size) < read for _, size, read, _ in parts]),
        positive=np.concatenate([np.arange(size) < found for _, size, _, found in parts]),
        weight=np.concatenate([np.full(size, size / max(read, 1)) for _, size, read, _ in parts]),
    )


def study(
    dice: np.random.Generator, texts: int, *, share: float, together: float
) -> tuple[Yes, Yes, NDArray[np.float64], NDArray[np.int64]]:
    """Texts, about three a person: who says it (`together` is the correlation within a person), where a machine of sensitivity
    .7 and specificity .95 suggests it, how probable it holds that, and whose text it is.
    """
    person = np.repeat(np.arange(texts), dice.integers(1, 6, texts))[:texts]
    strength = (1 - together) / together
    own = dice.beta(share * strength, (1 - share) * strength, texts)
    said = dice.random(texts) < own[person]
    suggested = np.where(said, dice.random(texts) < 0.7, dice.random(texts) > 0.95)
    right = 0.7 * share / (0.7 * share + 0.05 * (1 - share))
    missed = 0.3 * share / (0.3 * share + 0.95 * (1 - share))
    return said, suggested, np.where(suggested, right, missed), person


def uniform(dice: np.random.Generator, units: int, reads: int) -> tuple[Yes, NDArray[np.float64]]:
    """Who is read in a uniform draw, and the weights."""
    read = np.zeros(units, bool)
    read[dice.choice(units, reads, replace=False)] = True
    return read, np.full(units, units / reads)
