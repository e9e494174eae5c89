"""The estimators for many uniform or stratified draws at once: the same numbers as `estimate` gives for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from nlp.findings.prevalence.machine import UNSEEN
from nlp.findings.prevalence.sample import Floats, Whole, Yes
from nlp.findings.prevalence.strata import Bounds, Strata, arms, from_counts, mover, never_against_what_was_seen
from nlp.findings.prevalence.trial.draws import counts, totals
from nlp.findings.prevalence.trial.worlds import Worlds
from nlp.intervals import Z, wilson_bounds


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Shares with their bounds, shape (runs,)."""

    share: Floats
    low: Floats
    high: Floats


def by_strata(
    worlds: Worlds, read: Yes, labels: Whole, count: int, bounds: Bounds = mover, among: Yes | None = None
) -> Found:
    """The share over strata, of what is loaded, or of those `among` it."""
    strata = _strata(worlds, read, labels, count, among=among)
    loaded = read.shape[1] if among is None else among.sum(axis=1)
    return _of_the_loaded(worlds, read, loaded, strata.estimate, *bounds(strata))


def blind_alone(worlds: Worlds, read: Yes) -> Found:
    """What the reads say without a machine: Wilson with the finite-population correction. Widths are judged by it."""
    n, loaded = read.sum(axis=1).astype(float), read.shape[1]
    share = (worlds.holds & read).sum(axis=1) / n
    with np.errstate(divide="ignore"):
        low, high = wilson_bounds(share, n * loaded / (loaded - n))
    return Found(share, np.minimum(low, share), np.maximum(high, share))


def like_these(worlds: Worlds, read: Yes) -> Found:
    """The share for people like these, with persons' units together."""
    labels = worlds.suggested.astype(np.int64)
    strata = _strata(worlds, read, labels, 2, finite=False)
    below, above = arms(strata)
    grown = _stretch(worlds, read, labels, strata)
    share = strata.estimate
    return Found(share, np.maximum(share - grown * below, 0), np.minimum(share + grown * above, 1))


def with_machine(worlds: Worlds, read: Yes, *, fitted: bool) -> Found:
    """The machine's mean corrected by uniform reads: PPI, or PPI++ where fitted."""
    n, loaded = read.sum(axis=1, keepdims=True).astype(float), read.shape[1]
    y, f = np.where(read, worlds.holds, 0.0), np.where(read, worlds.machine, 0.0)
    lean = _lean(y, f, read, n) if fitted else 1.0
    off = np.where(read, y - lean * f - (y - lean * f).sum(axis=1, keepdims=True) / n, 0.0)
    share = lean * worlds.machine.mean(axis=1, keepdims=True) + (y - lean * f).sum(axis=1, keepdims=True) / n
    share = np.clip(share, 0, 1)[:, 0]
    variance = ((off**2).sum(axis=1) + UNSEEN) * ((loaded - n) / (n * loaded * (n - 1)))[:, 0]
    usable = (share > 0) & (share < 1) & (variance > 0)
    worth = np.where(usable, share * (1 - share) / np.where(usable, variance, 1.0), n[:, 0])
    return _of_the_loaded(worlds, read, loaded, share, *wilson_bounds(share, worth))


def differences(one: Found, other: Found) -> Found:
    """One group's share less the other's, by MOVER."""
    apart = one.share - other.share
    down, up = (
        np.hypot(one.share - one.low, other.high - other.share),
        np.hypot(one.high - one.share, other.share - other.low),
    )
    return Found(apart, np.maximum(apart - down, -1), np.minimum(apart + up, 1))


def _lean(y: Floats, f: Floats, read: Yes, n: Floats) -> Floats:
    centred = np.where(read, f - f.sum(axis=1, keepdims=True) / n, 0.0)
    spread = (centred**2).sum(axis=1, keepdims=True)
    return np.where(
        spread > 0, np.clip((centred * y).sum(axis=1, keepdims=True) / np.where(spread > 0, spread, 1), 0, 1), 0.0
    )


def _strata(
    worlds: Worlds, read: Yes, labels: Whole, count: int, *, finite: bool = True, among: Yes | None = None
) -> Strata:
    every = (counts(labels, count, rows) for rows in (among, read, read & worlds.holds))
    return from_counts(*every, finite=finite)


def _of_the_loaded(worlds: Worlds, read: Yes, loaded: int | Whole, share: Floats, low: Floats, high: Floats) -> Found:
    seen = {"positives": (worlds.holds & read).sum(axis=1), "read": read.sum(axis=1), "loaded": loaded}
    low, high = never_against_what_was_seen(low, high, **seen)
    share = np.clip(share, 0, 1)
    return Found(share, np.minimum(np.maximum(low, 0), share), np.maximum(np.minimum(high, 1), share))


def _stretch(worlds: Worlds, read: Yes, labels: Whole, strata: Strata) -> Floats:
    labels = np.where((strata.part == 0).any(axis=1)[:, None], strata.part.argmax(axis=1)[:, None], labels)
    share = np.take_along_axis(strata.share, labels, axis=1)
    weight = counts(labels, 2) / np.maximum(counts(labels, 2, read), 1)
    off = share - strata.estimate[:, None]
    off += np.where(read, np.take_along_axis(weight, labels, axis=1) * (worlds.holds - share), 0.0)
    most = int(worlds.person.max()) + 1
    by_person = totals(worlds.person, most, off / read.shape[1])
    people, people_read = ((counts(worlds.person, most, among) > 0).sum(axis=1) for among in (None, read))
    clustered = (by_person**2).sum(axis=1) * people / np.maximum(people - 1, 1)
    alone = (strata.part**2 * strata.share * (1 - strata.share) / strata.reads).sum(axis=1)
    grown = np.where(alone > 0, np.sqrt(clustered / np.where(alone > 0, alone, 1.0)), 1.0)
    return np.asarray(np.maximum(1, grown) * student.ppf(0.975, people_read - 1) / Z)
