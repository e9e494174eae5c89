"""Saturation: whether further voices still bring something new, and about how many more would be needed.

New codes and new pairs of codes in each ten voices, in reading order, beside what chance orders give: Guest,
Namey and Chen, "A simple method to assess and report thematic saturation" (2020). How many codes there may be
is Chao's incidence estimate (1987, bias-corrected); how many further voices reach 95% of them is Chao, Colwell,
Lin and Gotelli, "Sufficient sampling for asymptotic minimum species richness estimators" (2009).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil, log

import numpy as np
from numpy.typing import NDArray

STEP = 10
FEWEST = 20
SHUFFLES = 200
ENOUGH = 0.95

Counts = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """What is new in each step in reading order, and the middle 95% of it in shuffled orders."""

    new: tuple[int, ...]
    low: Counts
    high: Counts


@dataclass(frozen=True, slots=True)
class Saturation:
    """Where reading stands; `needed` are further voices, None while too few are read or none would do."""

    read: int
    seen: int
    expected: float
    needed: int | None
    codes: Band
    pairs: Band
    hint: str


def saturation(voices: Sequence[frozenset[str]], *, seed: int) -> Saturation:
    """The curve over voices in reading order, each with the codes that people gave it."""
    pairs = [frozenset("\0".join(pair) for pair in combinations(sorted(codes), 2)) for codes in voices]
    often = Counter(code for codes in voices for code in codes)
    once, twice = (sum(n == k for n in often.values()) for k in (1, 2))
    expected = len(often) + _unseen(len(voices), once, twice)
    needed = _needed(len(voices), len(often), once, twice) if len(voices) >= FEWEST else None
    codes = _band(voices, seed)
    return Saturation(
        len(voices), len(often), expected, needed, codes, _band(pairs, seed), _hint(len(voices), codes.new, needed)
    )


def _unseen(read: int, once: int, twice: int) -> float:
    return (read - 1) / read * once * (once - 1) / (2 * (twice + 1)) if read else 0.0


def _needed(read: int, seen: int, once: int, twice: int) -> int | None:
    """Further voices until 95% of the codes that are probably there have been met."""
    expected = seen + _unseen(read, once, twice)
    if seen >= ENOUGH * expected:
        return 0
    if not twice:
        return None  # the formula needs codes met twice; with none the end is not in sight
    left = 1 - (read / (read - 1)) * (2 * twice / once**2) * (ENOUGH * expected - seen)
    step = 1 - 2 * twice / ((read - 1) * once + 2 * twice)
    return ceil(log(left) / log(step)) if left > 0 else None


def _band(voices: Sequence[frozenset[str]], seed: int) -> Band:
    dice = np.random.default_rng(seed)
    if not voices:
        return Band((), (), ())
    met = _Met(voices)
    shuffled = [met.new(dice.permutation(len(voices))) for _ in range(SHUFFLES)]
    low, high = np.percentile(np.array(shuffled), [2.5, 97.5], axis=0)
    in_order = met.new(np.arange(len(voices)))
    return Band(tuple(map(int, in_order)), tuple(map(float, low)), tuple(map(float, high)))


class _Met:
    """In which voices each code was met, laid end to end code by code, so that an order is counted without a loop."""

    def __init__(self, voices: Sequence[frozenset[str]]) -> None:
        where: dict[str, list[int]] = {}
        for place, codes in enumerate(voices):
            for code in codes:
                where.setdefault(code, []).append(place)
        self._steps = -(-len(voices) // STEP)
        self._places = np.array([place for places in where.values() for place in places], np.int64)
        self._begins = np.cumsum([0, *map(len, where.values())])[:-1]

    def new(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many codes were met for the first time in each step of an order; the last step may be short."""
        if not len(self._places):
            return np.zeros(self._steps, np.int64)
        turn = np.empty(len(order), np.int64)
        turn[order] = np.arange(len(order))
        first = np.minimum.reduceat(turn[self._places], self._begins)
        return np.bincount(first // STEP, minlength=self._steps)


def _hint(read: int, new: Sequence[int], needed: int | None) -> str:
    if read < FEWEST:
        return f"Too few voices are read to say. Read at least {FEWEST - read} more."
    last = f"The last {read % STEP or STEP} voices brought {_codes(new[-1])}."
    if needed is None:
        return f"{last} New codes still turn up too often to say how many more voices are needed."
    if needed == 0:
        return f"{last} Most codes that are probably there have been met. Reading more will mostly confirm them."
    return f"{last} About {needed} more voices would be needed to meet most of the codes that are probably there."


def _codes(count: int) -> str:
    return "no new code" if count == 0 else "1 new code" if count == 1 else f"{count} new codes"
