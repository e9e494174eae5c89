"""What to read next: counting draws with their probabilities, and the order of a review.

The queue is a sampling design. A counting round is a uniform draw over everything; declared focus codes
add a draw from strata, and what is read by choice (a diverse start, rare codes, uncertain items) is certain
to be read. A unit that could come by several ways has the probability of coming by any, known before it is
read. After the allocation that the project simulated (see `docs/decisions.md`) and Neyman (1934).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from nlp.encode import Vectors
from nlp.errors import EstimateError
from nlp.intervals import mid_p_bounds

METHOD = "themes.queue.v1"

FOCUS_MOST = 5
CLASSES = 5
PROPORTIONAL = 0.3
FEWEST_IN_STRATUM = 5
SPREAD_LEAST, SPREAD_MOST = 0.1, 0.5
START = 40

Shares = NDArray[np.float64]
Yes = NDArray[np.bool_]


class Stream(StrEnum):
    """Why an item is read."""

    UNIFORM = "uniform"
    FOCUS = "focus"
    DIVERSE = "diverse"
    RARE = "rare"
    UNCERTAIN = "uncertain"
    LIKELY = "likely"
    POSSIBLE = "possible"
    REST = "rest"
    RECODE = "recode"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A unit to be read: the ways by which it came, and how probable it was to come by any."""

    unit: str
    streams: tuple[Stream, ...]
    probability: float


@dataclass(frozen=True, slots=True)
class Focus:
    """Up to five declared codes and how many reads they get. `shares` has shape (units, codes), for all units in order."""

    shares: Shares
    reads: int
    suggested_from: float


def person_shares(of_texts: Shares) -> Shares:
    """From shape (texts, codes) to (codes,): how probable it is that any of a person's texts holds each code."""
    return np.asarray(1 - np.prod(1 - of_texts, axis=0), np.float64)


def counting(
    units: Sequence[str],
    *,
    reads: int,
    seed: int,
    focus: Focus | None = None,
    chosen: Mapping[Stream, Sequence[str]] | None = None,
) -> list[Drawn]:
    """A counting draw, in a reading order that tells nothing of the streams. EstimateError for a design that cannot be."""
    if not units or reads < 1:
        raise EstimateError("there is nobody to draw")
    dice = np.random.default_rng(seed)
    count = len(units)
    taken: dict[Stream, Yes] = {Stream.UNIFORM: np.zeros(count, bool)}
    taken[Stream.UNIFORM][dice.choice(count, min(reads, count), replace=False)] = True
    missed_by_all = np.full(count, 1 - min(reads, count) / count)
    if focus is not None:
        probability, drawn = _focus_draw(focus, count, dice)
        taken[Stream.FOCUS] = drawn
        missed_by_all *= 1 - probability
    place = {unit: i for i, unit in enumerate(units)}
    for stream, wanted in (chosen or {}).items():
        taken[stream] = np.zeros(count, bool)
        taken[stream][[place[unit] for unit in wanted]] = True
        missed_by_all[taken[stream]] = 0.0
    read = np.flatnonzero(np.any(list(taken.values()), axis=0))
    return [
        Drawn(units[i], tuple(s for s, rows in taken.items() if rows[i]), float(1 - missed_by_all[i]))
        for i in dice.permutation(read)
    ]


def _focus_draw(focus: Focus, count: int, dice: np.random.Generator) -> tuple[Shares, Yes]:
    """Each unit's probability in the focus draw, and whether it came."""
    if focus.shares.shape[0] != count or not 1 <= focus.shares.shape[1] <= FOCUS_MOST:
        raise EstimateError(f"a focus is on one to {FOCUS_MOST} codes, with a share for every unit")
    strata = _strata(focus)
    probability, drawn = np.zeros(count), np.zeros(count, bool)
    for rows, reads in zip(strata, _allocated(focus, strata), strict=True):
        probability[rows] = reads / len(rows)
        drawn[dice.choice(rows, reads, replace=False)] = True
    return probability, drawn


def _strata(focus: Focus) -> list[NDArray[np.int64]]:
    """One code: suggested or not. More: five classes of how much the units are expected to tell."""
    if focus.shares.shape[1] == 1:
        suggested = focus.shares[:, 0] >= focus.suggested_from
        parts = [np.flatnonzero(suggested), np.flatnonzero(~suggested)]
    else:
        parts = np.array_split(np.argsort(_telling(focus.shares), kind="stable"), CLASSES)
    return [part for part in parts if len(part)]


def _telling(shares: Shares) -> Shares:
    """How uncertain a unit is, over all focus codes, each against its own variance."""
    p = np.clip(shares, 0.01, 0.99)
    mean = p.mean(axis=0)
    return np.asarray(np.sqrt((p * (1 - p) / (mean * (1 - mean))).mean(axis=1)), np.float64)


def _allocated(focus: Focus, strata: Sequence[NDArray[np.int64]]) -> list[int]:
    """Reads of each stratum: seven tenths by size and spread, three tenths by size alone, never under five."""
    sizes = np.array([len(rows) for rows in strata], float)
    spreads = np.array([_spread(focus.shares[rows]) for rows in strata])
    neyman = sizes * spreads / (sizes * spreads).sum()
    share = (1 - PROPORTIONAL) * neyman + PROPORTIONAL * sizes / sizes.sum()
    wanted = np.maximum(np.round(share * focus.reads), FEWEST_IN_STRATUM)
    return [int(n) for n in np.minimum(wanted, sizes)]


def _spread(shares: Shares) -> float:
    p = shares.mean(axis=0)
    return float(np.clip(np.sqrt((p * (1 - p)).mean()), SPREAD_LEAST, SPREAD_MOST))


def diverse(ids: Sequence[str], vectors: Vectors, *, seed: int, count: int = START) -> list[str]:
    """Units that lie far apart: the most central one of each of `count` groups; all where there are fewer."""
    from sklearn.cluster import KMeans

    distinct = np.unique(vectors, axis=0, return_index=True)[1]
    distinct.sort()
    if len(distinct) <= count:
        return [ids[int(i)] for i in distinct]
    means = KMeans(count, n_init=1, random_state=seed).fit(vectors[distinct]).cluster_centers_
    near = vectors[distinct] @ means.T - 0.5 * (means**2).sum(axis=1)
    return [ids[int(distinct[i])] for i in dict.fromkeys(int(i) for i in near.argmax(axis=0))]


def rare(ids: Sequence[str], shares: Shares, confirmed: NDArray[np.int64], *, count: int) -> list[str]:
    """The code with the fewest confirmations asks for its best unit, in turn. `shares` (units, codes), `confirmed` (codes,)."""
    have, taken = np.array(confirmed, float), list[int]()
    for _ in range(min(count, len(ids))):
        code = int(np.argmin(have))
        best = np.where(np.isin(np.arange(len(ids)), taken), -1.0, shares[:, code])
        taken.append(int(np.argmax(best)))
        have[code] += 1
    return [ids[i] for i in taken]


def uncertain(ids: Sequence[str], shares: Shares, *, count: int) -> list[str]:
    """Units whose best code is nearest to even odds."""
    if not len(ids):
        return []
    order = np.argsort(np.abs(shares.max(axis=1) - 0.5), kind="stable")
    return [ids[int(i)] for i in order[:count]]


def review_order(
    ids: Sequence[str], shares: Shares, *, likely_from: float, possible_from: float, start: Sequence[str] = ()
) -> list[tuple[str, Stream]]:
    """Every unit once: the start, then likely ones grouped by code so that a coder stays in one idea, possible ones, the rest.

    The code with most units comes first, and in each the surest.
    """
    first = dict.fromkeys(start)
    out = [(unit, Stream.DIVERSE) for unit in first]
    if not len(ids):
        return out
    code, best = shares.argmax(axis=1), shares.max(axis=1)
    left = np.array([unit not in first for unit in ids], bool)
    bands = (
        (Stream.LIKELY, best >= likely_from),
        (Stream.POSSIBLE, (best >= possible_from) & (best < likely_from)),
        (Stream.REST, best < possible_from),
    )
    for stream, inside in bands:
        rows = np.flatnonzero(left & inside)
        size = np.bincount(code[rows], minlength=shares.shape[1])
        order = sorted(rows, key=lambda i: (-size[code[i]], code[i], -best[i], i))
        out += [(ids[int(i)], stream) for i in order]
    return out


@dataclass(frozen=True, slots=True)
class Missed:
    """Units not read and not suggested that are expected to hold a code, with a 95% interval; NaN before any such read."""

    unread: int
    estimate: float
    low: float
    high: float


def still_missed(suggested: Yes, found: Yes, read: Yes, weights: Shares) -> list[Missed]:
    """For each code, what the machine has not seen and nobody has read.

    `suggested` and `found` have shape (units, codes), `read` and `weights` (units,): read blind, and one over
    the inclusion probability.
    """
    parts = [_share(suggested[:, j], found[:, j], read, weights) for j in range(suggested.shape[1])]
    known = [p for p in parts if p.unread and p.reads]
    shares, reads = np.array([p.share for p in known]), np.array([p.reads for p in known])
    bounds = zip(*mid_p_bounds(shares * reads, reads), strict=True)  # at once: finding bounds one by one is slow
    return [p.missed(*next(bounds)) if p.unread and p.reads else p.unknown() for p in parts]


@dataclass(frozen=True, slots=True)
class _Share:
    """How often a code was found among `reads` units (fewer where weights differ) of `loaded` not suggested; `seen` as such."""

    unread: int
    loaded: float = 0.0
    seen: float = 0.0
    share: float = 0.0
    reads: float = 0.0

    def missed(self, low: float, high: float) -> Missed:
        inside = [
            min(max(bound * self.loaded - self.seen, 0.0), float(self.unread)) for bound in (self.share, low, high)
        ]
        return Missed(self.unread, *map(float, inside))

    def unknown(self) -> Missed:
        return Missed(self.unread, float("nan") if self.unread else 0.0, 0.0, float(self.unread))


def _share(suggested: Yes, found: Yes, read: Yes, weights: Shares) -> _Share:
    unread = int((~suggested & ~read).sum())
    rows = ~suggested & read
    if unread == 0 or not rows.any():
        return _Share(unread)
    loaded, seen = float(unread + rows.sum()), float(found[rows].sum())
    w = weights[rows] * max(1.0, loaded / weights[rows].sum())
    spare = float((w * (w - 1)).sum())
    reads = float(w.sum() ** 2 / spare) if spare > 0 else float(rows.sum())
    return _Share(unread, loaded, seen, float(w @ found[rows] / w.sum()), reads)
