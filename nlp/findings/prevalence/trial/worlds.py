"""Studies of a cell, many at once, with what is true of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy.special import ndtri

from nlp.findings.prevalence.sample import Floats, Whole, Yes
from nlp.findings.prevalence.trial.cells import Cell

SIZES = np.arange(1, 9)
_TAIL = 0.75  # each further text of a person is so much rarer: 3.1 texts on average
WORSE_PART = 0.35


@dataclass(frozen=True, slots=True, eq=False)
class Worlds:
    """Units of many studies; arrays of shape (runs, units).

    `holds`: the theme is there; `suggested` and `machine`: what the machine says; `person`: whose it is, 0 upwards in
    each run; `worse`: of the group that the machine hears less well.
    """

    holds: Yes
    suggested: Yes
    machine: Floats
    person: Whole
    worse: Yes

    @property
    def truth(self) -> Floats:
        """The share of the units loaded that hold the theme, shape (runs,)."""
        return np.asarray(self.holds.mean(axis=1))


def texts(cell: Cell, runs: int, dice: Generator) -> Worlds:
    """As many texts as are loaded, of as many persons as it takes."""
    weights = _weights(cell)
    mean = float(SIZES[: cell.most_texts] @ weights)
    people = int(1.25 * cell.loaded / mean) + 30
    ends = np.cumsum(dice.choice(SIZES[: cell.most_texts], (runs, people), p=weights), axis=1)
    starts = np.zeros((runs, cell.loaded + 1), np.int64)
    np.put_along_axis(starts, np.minimum(ends, cell.loaded), 1, axis=1)
    person = np.cumsum(starts[:, :-1], axis=1)
    return _speak(cell, person, people, dice)


def people(cell: Cell, runs: int, dice: Generator) -> Worlds:
    """As many persons as are loaded: whether any of their texts holds it, or is suggested."""
    weights = _weights(cell)
    sizes = dice.choice(SIZES[: cell.most_texts], runs * cell.loaded, p=weights)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    said = _speak(cell, owner[None, :], len(sizes), dice)
    shape, count = (runs, cell.loaded), len(sizes)
    holds, suggested = (np.bincount(owner, a[0], count).reshape(shape) > 0 for a in (said.holds, said.suggested))
    missed = np.bincount(owner, np.log1p(-np.minimum(said.machine[0], 1 - 1e-12)), count).reshape(shape)
    person = np.broadcast_to(np.arange(cell.loaded), shape)
    return Worlds(holds, suggested, 1 - np.exp(missed), person, np.zeros(shape, bool))


def ever(cell: Cell) -> float:
    """How many of people like these ever say it."""
    never, said = 1.0, 0.0
    for told, weight in enumerate(_weights(cell)):
        never *= _not_again(cell, told)
        said += float(weight) * (1 - never)
    return said


def _not_again(cell: Cell, told: int) -> float:
    """How probably a person's next text lacks it when none of the first `told` had it."""
    if not cell.icc:
        return 1 - cell.share
    return ((1 - cell.share) * _strength(cell) + told) / (_strength(cell) + told)


def _weights(cell: Cell) -> Floats:
    weights = _TAIL ** SIZES[: cell.most_texts]
    return np.asarray(weights / weights.sum())


def _strength(cell: Cell) -> float:
    """The two numbers of the beta distribution of persons' own shares, added up."""
    return (1 - cell.icc) / cell.icc


def _speak(cell: Cell, person: Whole, people: int, dice: Generator) -> Worlds:
    """What is said in texts of these persons, and what the machine makes of it; `person` of shape (runs, texts)."""
    shape = (len(person), people)

    def of_person(values: Any) -> Any:
        return np.take_along_axis(values, person, axis=1)

    own = _own(cell, shape, dice)
    holds = dice.random(person.shape) < of_person(own)
    worse = of_person(dice.random(shape) < WORSE_PART) if cell.worse_group else np.zeros(person.shape, bool)
    edge = float(ndtri(cell.specificity))
    apart = edge + float(ndtri(cell.sensitivity))
    less = apart - edge - float(ndtri(cell.sensitivity - cell.worse_group))
    heard = np.sqrt(cell.machine_icc) * of_person(dice.standard_normal(shape))
    heard += np.sqrt(1 - cell.machine_icc) * dice.standard_normal(person.shape) + holds * (apart - worse * less)
    logit = np.log(cell.share / (1 - cell.share)) + apart * heard - apart**2 / 2
    machine = 1 / (1 + np.exp(-np.clip(cell.slope * logit + cell.shift, -30, 30)))
    return Worlds(holds, heard > edge, machine, person, np.asarray(worse, bool))


def _own(cell: Cell, shape: tuple[int, int], dice: Generator) -> Floats:
    """Each person's own share of texts with the theme."""
    if not cell.icc:
        return np.full(shape, cell.share)
    return dice.beta(cell.share * _strength(cell), (1 - cell.share) * _strength(cell), shape)
