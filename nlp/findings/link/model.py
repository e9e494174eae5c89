"""L3: a theme on measures of the same people, with the machine's error corrected by what was read blind.

Design-based supervised learning (Egami, Hinck, Stewart and Wei 2023): every person's outcome is the machine's guess
plus, where they were read, the weighted difference of what was found; its mean is right whatever the machine does. A
logistic regression on it, with variances by person or family (sandwich) and Student's t for few of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from nlp.errors import LinkError
from nlp.findings.link.levels import Level, refuse, refuse_model

Floats = NDArray[np.float64]
STEPS = 50
FAR = 12.0


@dataclass(frozen=True, slots=True)
class Term:
    """One measure: the odds of voicing the theme for one unit more of it, with the 95% interval."""

    name: str
    odds_ratio: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Model:
    """Terms in the order given; `people` in the model, `read` of them blind, in so many `clusters`."""

    terms: tuple[Term, ...]
    people: int
    read: int
    clusters: int


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """One entry a person. `machine`: how probable the machine holds the theme, 0 to 1. `read`: drawn and read blind;
    `found`: holds the theme, where read. `probability`: of being drawn, logged before reading. `cluster`: family."""

    machine: Floats
    read: NDArray[np.bool_]
    found: NDArray[np.bool_]
    probability: Floats
    cluster: NDArray[np.int64]


def regress(
    people: People, measures: Floats, names: Sequence[str], *, level: Level, consented: bool, expected: float
) -> Model:
    """The theme on `measures`, shape (people, terms). LinkError where the tie or the reads do not carry a model."""
    if measures.shape != (len(people.machine), len(names)) or not np.isfinite(measures).all():
        raise LinkError("No model of people: measures and people differ in number, or a measure is blank.")
    clusters = len(np.unique(people.cluster[people.read]))
    refuse(
        refuse_model(
            level,
            consented=consented,
            read=int(people.read.sum()),
            expected=expected,
            terms=len(names),
            clusters=clusters,
        )
    )
    centre, spread = measures.mean(axis=0), measures.std(axis=0)
    if (spread == 0).any():
        raise LinkError("No model of people: a measure is the same for everybody.")
    design = np.column_stack([np.ones(len(measures)), (measures - centre) / spread])
    weights, variance = _fit(design, _outcome(people), people.cluster)
    arm = float(t.ppf(0.975, clusters - design.shape[1])) * np.sqrt(np.diag(variance))
    ratio, low, high = (np.exp(b[1:] / spread) for b in (weights, weights - arm, weights + arm))
    terms = tuple(Term(n, float(r), float(lo), float(hi)) for n, r, lo, hi in zip(names, ratio, low, high, strict=True))
    return Model(terms, len(measures), int(people.read.sum()), clusters)


def _outcome(people: People) -> Floats:
    """The design-adjusted outcome; it may lie outside 0 to 1, and only its mean is meant."""
    if ((people.probability <= 0) | (people.probability > 1))[people.read].any():
        raise LinkError("No model of people: somebody was read whose probability of being drawn was not logged.")
    off = np.where(people.read, people.found - people.machine, 0.0)
    return np.asarray(people.machine + off / np.where(people.read, people.probability, 1.0))


def _fit(design: Floats, outcome: Floats, cluster: NDArray[np.int64]) -> tuple[Floats, Floats]:
    weights = np.zeros(design.shape[1])
    for _ in range(STEPS):
        share = 1 / (1 + np.exp(-design @ weights))
        bread = (design * (share * (1 - share))[:, None]).T @ design
        try:
            step = np.linalg.solve(bread, design.T @ (outcome - share))
        except np.linalg.LinAlgError:
            break
        weights = weights + step
        if not np.isfinite(weights).all() or np.abs(weights).max() > FAR:
            break
        if np.abs(step).max() < 1e-9:
            return weights, _sandwich(design, outcome, weights, cluster)
    raise LinkError(
        "No model of people: the measures tell the theme apart completely, or say the same as one another. It becomes "
        "possible with more people read, or fewer measures."
    )


def _sandwich(design: Floats, outcome: Floats, weights: Floats, cluster: NDArray[np.int64]) -> Floats:
    share = 1 / (1 + np.exp(-design @ weights))
    bread = np.linalg.inv((design * (share * (1 - share))[:, None]).T @ design)
    _, place = np.unique(cluster, return_inverse=True)
    scores = np.zeros((place.max() + 1, design.shape[1]))
    np.add.at(scores, place, design * (outcome - share)[:, None])
    several = len(scores) / (len(scores) - 1)
    return np.asarray(several * bread @ scores.T @ scores @ bread)
