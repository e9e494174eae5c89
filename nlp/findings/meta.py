"""Shares of several councils put together: a random-effects model on the logit scale, with how far councils differ.

Each council's share counts as a blind read of so many people as its own interval is worth (its effective number), also
where nobody, or everybody, was found. Between-council variance by REML, the interval by Hartung and Knapp
(Stat Med 2001) and never narrower than without them (Röver, Knapp and Friede, BMC Med Res Methodol 2015).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats
from scipy.optimize import brentq

from nlp.errors import EstimateError
from nlp.intervals import Z

Floats = NDArray[np.float64]
LEAST = 3
METHOD = "random effects on the logit scale, REML, Hartung–Knapp interval"
ASSUMPTIONS = (
    "Each council drew its people at random and read them blind, under a code that means the same.",
    "The councils are a fair sample of councils like them; each counts by how surely its share is known.",
    "Nobody was read in two councils.",
)
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Told:
    """What one council says of a code: `meaning` tells what it means there, `of` what it is a share of.

    `share`, `low` and `high` run from 0 to 1; `held_back` says why there are none.
    """

    council: str
    meaning: str
    of: str
    share: float = 0.0
    low: float = 0.0
    high: float = 1.0
    held_back: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """A random-effects model. `mean`, its interval and the prediction interval are on the scale of what went in.

    `tau2` is the variance between studies, `i2` (0 to 1) its part of all variance, `q` Cochran's statistic on `df`
    degrees of freedom with its p-value; `weights` add up to 1.
    """

    mean: float
    error: float
    low: float
    high: float
    next_low: float
    next_high: float
    tau2: float
    i2: float
    q: float
    df: int
    p: float
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Together:
    """A code over councils: the mean share, where the share of one more council is to be expected, and who went in.

    `councils` with their weights; `left_out` with the reason. `model` is on the logit scale.
    """

    share: float
    low: float
    high: float
    next_low: float
    next_high: float
    of: str
    councils: tuple[tuple[str, float], ...]
    left_out: tuple[tuple[str, str], ...]
    model: Model


def together(told: Sequence[Told]) -> Together:
    """One code's shares put together. EstimateError where that would say nothing or mislead, and what would help."""
    used = [t for t in told if not t.held_back]
    _require(used)
    model = random_effects(*_logits(used))
    share, low, high, next_low, next_high = (
        float(special.expit(x)) for x in (model.mean, model.low, model.high, model.next_low, model.next_high)
    )
    councils = tuple((t.council, w) for t, w in zip(used, model.weights, strict=True))
    left_out = tuple((t.council, t.held_back) for t in told if t.held_back)
    return Together(share, low, high, next_low, next_high, used[0].of, councils, left_out, model)


def _require(used: Sequence[Told]) -> None:
    if len(used) < LEAST:
        shown = {0: "none shows", 1: "1 shows"}.get(len(used), f"{len(used)} show")
        raise EstimateError(f"shares are put together from {LEAST} councils on; {shown} this one")
    if len({t.meaning for t in used}) > 1:
        raise EstimateError(
            f"the code does not mean the same everywhere: {_sides([(t.council, t.meaning) for t in used])}."
            " Agree on one version of it, and read under that"
        )
    if len({t.of for t in used}) > 1:
        raise EstimateError(
            f"the shares are not of the same: {'; '.join(f'{t.council} tells of {t.of}' for t in used)}."
            " Draw people in each council"
        )
    for council in (t.council for t in used):
        if sum(t.council == council for t in used) > 1:
            raise EstimateError(f"“{council}” is there twice, and its people would count twice")


def _sides(meanings: Sequence[tuple[str, str]]) -> str:
    """Who holds with whom."""
    groups: dict[str, list[str]] = {}
    for council, meaning in meanings:
        groups.setdefault(meaning, []).append(council)
    return " apart from ".join(" and ".join(names) for names in groups.values())


def effective_number(share: float, low: float, high: float) -> float:
    """How many people, each read blind and alone, would tell a share as surely as its 95% interval does.

    Wilson's interval for that many is as wide; where nobody or everybody was found, the mid-P bound is the same. NaN for
    an interval that says nothing, or everything.
    """
    if share in (0.0, 1.0):
        bound = high if share == 0.0 else 1 - low
        return math.log(0.05) / math.log1p(-bound) if 0 < bound < 1 else math.nan
    quarter = ((high - low) / 2) ** 2
    if not 0 < quarter < 0.25:
        return math.nan
    b = 2 * quarter - share * (1 - share)
    return 2 * Z**2 * (0.25 - quarter) / (b + math.sqrt(b**2 + 4 * (0.25 - quarter) * quarter))


def _logits(used: Sequence[Told]) -> tuple[Floats, Floats]:
    """Shares and variances on the logit scale.

    A variance taken at each council's own share would weigh low shares down and pull the mean up, so all are taken at
    the share of everybody together (Bakbergenuly and Kulinskaya 2018); half a person is added to both sides (Haldane).
    """
    numbers = [effective_number(t.share, t.low, t.high) for t in used]
    if unclear := next((t.council for t, n in zip(used, numbers, strict=True) if math.isnan(n)), ""):
        raise EstimateError(f"the interval of “{unclear}” says nothing, or everything; it cannot be weighed")
    n, share = np.array(numbers), np.array([t.share for t in used])
    yes, no = share * n + _HALF, (1 - share) * n + _HALF
    every = float(yes.sum() / (yes + no).sum())
    return np.log(yes / no), 1 / (n * every * (1 - every))


def random_effects(effects: Floats, variances: Floats) -> Model:
    """Studies' effects with their variances under one model; at least three of them.

    The prediction interval is that of Higgins, Thompson and Spiegelhalter (2009), on two degrees of freedom less than studies.
    """
    k = len(effects)
    fixed = 1 / variances
    q = float(fixed @ (effects - fixed @ effects / fixed.sum()) ** 2)
    tau2 = reml(effects, variances)
    w = 1 / (variances + tau2)
    mean = float(w @ effects / w.sum())
    spread = float(w @ (effects - mean) ** 2) / (k - 1)
    error = math.sqrt(max(1.0, spread) / w.sum())
    t = float(stats.t.ppf(0.975, k - 1))
    ahead = float(stats.t.ppf(0.975, k - 2)) * math.sqrt(tau2 + error**2)
    typical = (k - 1) * fixed.sum() / (fixed.sum() ** 2 - (fixed**2).sum())
    return Model(
        mean, error, mean - t * error, mean + t * error, mean - ahead, mean + ahead, tau2, float(tau2 / (tau2 + typical)),
        q, k - 1, float(stats.chi2.sf(q, k - 1)), tuple(float(x) for x in w / w.sum()),
    )  # fmt: skip


def dersimonian_laird(effects: Floats, variances: Floats) -> float:
    """The variance between studies by moments (DerSimonian and Laird 1986)."""
    w = 1 / variances
    q = w @ (effects - w @ effects / w.sum()) ** 2
    return max(0.0, float((q - len(w) + 1) / (w.sum() - (w**2).sum() / w.sum())))


def reml(effects: Floats, variances: Floats) -> float:
    """The variance between studies by restricted maximum likelihood (Viechtbauer 2005): where its slope is nought."""

    def slope(tau2: float) -> float:
        w = 1 / (variances + tau2)
        away = (effects - w @ effects / w.sum()) ** 2
        return float(w**2 @ away - w.sum() + (w**2).sum() / w.sum())

    if slope(0.0) <= 0:
        return 0.0
    above = dersimonian_laird(effects, variances) + float(variances.max())
    while slope(above) > 0:
        above *= 2
    return float(brentq(slope, 0.0, above, xtol=1e-12))
