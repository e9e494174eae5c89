"""How often the machine's suggestions miss or mislead, group by group, measured on what people read blind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.findings.agreement.bootstrap import over, resamples

FEWEST_PEOPLE = 10
RESAMPLES, SEED = 1000, 1
EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class BlindText:
    """One text read blind: whose it is, its group, the codes that the reader gave and those that were suggested."""

    participant: str
    group: str
    given: frozenset[str]
    suggested: frozenset[str]


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its 95% interval, people drawn anew (percentile bootstrap); `of` is how many it is a share of."""

    value: float
    low: float
    high: float
    of: int


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """Of the codes that people gave a group, the share not suggested; of those suggested, the share that nobody gave.

    Both None with fewer than ten people, or where there is nothing to be a share of.
    """

    group: str
    people: int
    texts: int
    missed: Share | None
    unneeded: Share | None


def error_rates(texts: Iterable[BlindText]) -> list[ErrorRates]:
    """The rates of everybody first, then of each group in the order of its name; groups without a name are left out."""
    by_group: dict[str, list[BlindText]] = defaultdict(list)
    for text in texts:
        by_group[EVERYBODY].append(text)
        if text.group:
            by_group[text.group].append(text)
    names = sorted(by_group, key=lambda name: (name != EVERYBODY, name))
    return [_of(name, by_group[name]) for name in names]


def _of(group: str, texts: list[BlindText]) -> ErrorRates:
    people = list(dict.fromkeys(t.participant for t in texts))
    place = {person: i for i, person in enumerate(people)}
    # Columns: codes missed, codes given, codes suggested for nothing, codes suggested.
    counts = np.zeros((len(people), 4))
    for t in texts:
        row = (len(t.given - t.suggested), len(t.given), len(t.suggested - t.given), len(t.suggested))
        counts[place[t.participant]] += row
    few = len(people) < FEWEST_PEOPLE
    missed, unneeded = (None, None) if few else (_share(counts[:, :2]), _share(counts[:, 2:]))
    return ErrorRates(group, len(people), len(texts), missed, unneeded)


def _share(counts: NDArray[np.float64]) -> Share | None:
    part, whole = counts.sum(axis=0)
    if whole == 0:
        return None
    rng = np.random.default_rng(SEED)
    sums = np.concatenate([times @ counts for times in resamples(len(counts), RESAMPLES, rng)])
    low, high = np.nanquantile(over(sums[:, 0], sums[:, 1]), (0.025, 0.975))
    return Share(float(part / whole), float(low), float(high), int(whole))
