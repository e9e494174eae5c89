"""Weights that make those loaded look like a population in several ways at once (raking; Deming and Stephan 1940)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nlp.errors import EstimateError
from nlp.findings.prevalence.sample import Floats

LARGEST_USUAL = 5.0
_ROUNDS, _NEAR = 500, 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Raked:
    """Weights of mean 1, how many equal units they are worth (Kish), and whether one is over 5: then few speak for many."""

    weights: Floats
    worth: float
    heavy: bool


def rake(of: Mapping[str, list[str]], margins: Mapping[str, Mapping[str, float]]) -> Raked:
    """Weights under which each attribute's values have the population's shares.

    `of` gives each unit's value by attribute, `margins` the shares (adding up to 1) or counts by value. EstimateError where
    a value of either side is missing in the other, or where no weights do.
    """
    values = {name: np.array(of.get(name, [])) for name in margins}
    counts = {len(v) for v in values.values()}
    if len(counts) != 1 or counts == {0}:
        raise EstimateError("each attribute that is weighted needs a value for every unit")
    wanted = {name: _wanted(values[name], name, margin) for name, margin in margins.items()}
    weights = np.ones(counts.pop())
    for _ in range(_ROUNDS):
        before = weights.copy()
        for name, shares in wanted.items():
            for value, share in shares.items():
                rows = values[name] == value
                weights[rows] *= share * len(weights) / weights[rows].sum()
        if np.abs(weights - before).max() < _NEAR:
            return _raked(weights)
    raise EstimateError("no weights give all of these margins at once; leave one attribute out or join small groups")


def _wanted(
    values: np.ndarray[tuple[int], np.dtype[np.str_]], name: str, margin: Mapping[str, float]
) -> dict[str, float]:
    total = sum(margin.values())
    if total <= 0 or min(margin.values()) < 0:
        raise EstimateError(f"the margin of “{name}” holds no shares")
    wanted = {value: share / total for value, share in margin.items() if share > 0}
    if set(wanted) != set(values.tolist()):
        raise EstimateError(f"“{name}” has values that only one of study and population knows; join or rename them")
    return wanted


def _raked(weights: Floats) -> Raked:
    weights = weights / weights.mean()
    return Raked(weights, float(weights.sum() ** 2 / (weights**2).sum()), bool(weights.max() > LARGEST_USUAL))
