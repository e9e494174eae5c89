"""Who is read, in many studies at once; masks of shape (runs, units)."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from nlp.findings.prevalence.sample import Floats, Whole, Yes
from nlp.findings.prevalence.strata import FIVE

MIXED, LEAST = 0.3, 5  # so much of a draw by strata is by their size alone; so many of each at least


def uniform(runs: int, units: int, reads: int, dice: Generator) -> Yes:
    """A uniform draw without replacement in each study."""
    if reads >= units:
        return np.ones((runs, units), bool)
    keys = dice.random((runs, units))
    return np.asarray(keys < np.partition(keys, reads, axis=1)[:, reads, None])


def stratified(labels: Whole, count: int, machine: Floats, reads: int, dice: Generator) -> Yes:
    """A draw from strata, mostly by size and planned spread; the largest stratum takes what is left over."""
    size = counts(labels, count)
    mean = totals(labels, count, machine) / np.maximum(size, 1)
    near = size * np.clip(np.sqrt(mean * (1 - mean)), 0.1, 0.5)
    part = (1 - MIXED) * near / near.sum(axis=1, keepdims=True) + MIXED * size / labels.shape[1]
    wanted = np.minimum(np.maximum(np.round(part * reads), LEAST), size).astype(np.int64)
    rows, largest = np.arange(len(size)), size.argmax(axis=1)
    left = wanted[rows, largest] + reads - wanted.sum(axis=1)
    wanted[rows, largest] = np.clip(left, 1, size[rows, largest])
    return _first_of_each(labels, size.astype(np.int64), wanted, dice)


def equally(labels: Whole, count: int, reads: int, dice: Generator) -> Yes:
    """So many of each label, or all where there are fewer."""
    size = counts(labels, count).astype(np.int64)
    return _first_of_each(labels, size, np.minimum(size, reads), dice)


def _first_of_each(labels: Whole, size: Whole, wanted: Whole, dice: Generator) -> Yes:
    order = np.argsort(labels + dice.random(labels.shape), axis=1)
    sorted_labels = np.take_along_axis(labels, order, axis=1)
    begins = np.cumsum(size, axis=1) - size
    place = np.arange(labels.shape[1]) - np.take_along_axis(begins, sorted_labels, axis=1)
    read = np.zeros(labels.shape, bool)
    np.put_along_axis(read, order, place < np.take_along_axis(wanted, sorted_labels, axis=1), axis=1)
    return read


def counts(labels: Whole, count: int, among: Yes | None = None) -> Floats:
    """How many units of each label, shape (runs, count); only those `among` where given."""
    return totals(labels, count, None if among is None else among.astype(float))


def totals(labels: Whole, count: int, values: Floats | None) -> Floats:
    """The sum of `values` by label, shape (runs, count)."""
    runs = len(labels)
    flat = (labels + count * np.arange(runs)[:, None]).ravel()
    return (
        np.bincount(flat, None if values is None else values.ravel(), runs * count).reshape(runs, count).astype(float)
    )


def five(machine: Floats) -> Whole:
    """`five_classes` in each study."""
    spread = np.sqrt(np.clip(machine, 0.01, 0.99) * (1 - np.clip(machine, 0.01, 0.99)))
    order = np.argsort(machine, axis=1, kind="stable")
    reached = np.empty(machine.shape)
    ordered = np.cumsum(np.take_along_axis(spread, order, axis=1), axis=1)
    np.put_along_axis(reached, order, ordered / spread.sum(axis=1, keepdims=True), axis=1)
    return np.minimum((reached * FIVE * (1 - 1e-12)).astype(np.int64), FIVE - 1)
