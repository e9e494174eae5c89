"""How far coders agree: coefficients by code and over all codes, with intervals that resample participants.

- percent: the share of pairs of readings of one item that agree.
- cohen: Cohen (1960). With several coders their pairs are pooled by the items that both read, which is
  Conger's kappa (1980) where everybody read everything.
- fleiss: Fleiss (1971), for unequal numbers of readings as in Gwet (2014), Handbook of Inter-Rater Reliability.
- alpha: Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, nominal.
- ac1: Gwet (2008), doi 10.1348/000711006X126600; steadier where a code is rare or nearly always given.
Over all codes, observed and expected disagreement are averaged before they are set against each other: pooled
kappa, De Vries et al. (2008), doi 10.1177/1525822X08317166. For codes of which each item is given exactly one,
that is the coefficient for so many categories (all but percent and AC1).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import isnan, nan

import numpy as np

from nlp.errors import EstimateError
from nlp.findings.agreement import code_sets
from nlp.findings.agreement.bootstrap import Floats, interval, over, resamples
from nlp.findings.agreement.code_sets import SetSums
from nlp.findings.agreement.readings import Readings
from nlp.findings.agreement.sums import (
    GIVEN,
    READ,
    Edges,
    Sums,
    beyond_quiet,
    beyond_rare,
    coefficients,
    edges,
    pooled,
    sum_up,
)

NEVER_TWICE = "no item was read by two coders"
NO_CHANCE = "everyone gave the same answer to every item, so chance alone would agree as often"
ONE_PERSON = "an interval needs items of at least two participants"
_NEEDS_BOTH = np.array([False, True, True, True, False])  # kappas and alpha: undefined where only one answer is given


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A value with its 95% interval; NaN where it is undefined, and then `why` says why."""

    value: float
    low: float
    high: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Coefficients:
    """The coefficients of one comparison; the module says what each is."""

    percent: Coefficient
    cohen: Coefficient
    fleiss: Coefficient
    alpha: Coefficient
    ac1: Coefficient


@dataclass(frozen=True, slots=True)
class CodeAgreement:
    """Agreement on one code (`code` is empty over all codes) with what it rests on.

    `prevalence` is the mean over items read of the share of coders who gave the code; `units` are the items
    (at span level the code points) that two or more coders read, of so many `participants`.
    """

    code: str
    prevalence: float
    units: int
    participants: int
    coefficients: Coefficients


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement code by code, pooled over codes, and on whole sets of codes (alpha with the MASI distance)."""

    codes: tuple[CodeAgreement, ...]
    overall: CodeAgreement
    sets: Coefficient


@dataclass(frozen=True, slots=True)
class Shift:
    """Agreement in two conditions and, in `difference`, shown less blind."""

    code: str
    blind: CodeAgreement
    shown: CodeAgreement
    difference: Coefficients


@dataclass(frozen=True, slots=True)
class Shifts:
    """The shift code by code, pooled over codes, and on whole sets of codes."""

    codes: tuple[Shift, ...]
    overall: Shift
    sets: Coefficient


def agreement(readings: Readings, *, times: int = 2000, seed: int = 0) -> Agreement:
    """Every coefficient for every code and over all, each with a 95% interval from `times` resamples of participants.

    BCa intervals (Efron 1987). Where nobody differed, or no two coders agreed on a yes (or on a no), a resample
    cannot show what was not seen: there it is mixed with a share of unseen participants, drawn from the upper
    bound's own distribution, 1 - u ** (1 / participants). What is undefined is NaN with a reason.
    """
    sums = sum_up(readings)
    ends, sets = _of_codes(sums, times, seed), _of_sets(sums.sets, times, seed)
    total = sums.by_participant.sum(axis=0)
    shares = over(total[:, GIVEN], total[:, READ])
    known = shares[~np.isnan(shares)]
    prevalence = [*shares, known.mean() if len(known) else nan]
    rows = tuple(
        CodeAgreement(
            code, float(prevalence[i]), int(sums.units[i]), int(sums.people[i]), _named(ends[:, i], sums.people[i])
        )
        for i, code in enumerate((*readings.codes, ""))
    )
    return Agreement(rows[:-1], rows[-1], sets)


def shift(blind: Readings, shown: Readings, *, times: int = 2000, seed: int = 0) -> Shifts:
    """How agreement with the machine differs where its suggestion was shown; unpaired, so cautious where people overlap.

    In both the coders are the machine and whoever decided (more coders would mix in agreement between people).
    The bounds of the two bootstraps by participant are combined by MOVER (Donner and Zou 2012).
    EstimateError when the codes differ.
    """
    if blind.codes != shown.codes:
        raise EstimateError("two agreements can be compared only over the same codes in the same order")
    before, after = (agreement(each, times=times, seed=seed + i) for i, each in enumerate((blind, shown)))
    codes = tuple(_shift(b, a) for b, a in zip(before.codes, after.codes, strict=True))
    return Shifts(codes, _shift(before.overall, after.overall), _difference(before.sets, after.sets))


def _shift(blind: CodeAgreement, shown: CodeAgreement) -> Shift:
    names = [field.name for field in fields(Coefficients)]
    differences = (_difference(getattr(blind.coefficients, n), getattr(shown.coefficients, n)) for n in names)
    return Shift(blind.code, blind, shown, Coefficients(*differences))


def _difference(blind: Coefficient, shown: Coefficient) -> Coefficient:
    value = shown.value - blind.value
    low = value - float(np.hypot(shown.value - shown.low, blind.high - blind.value))
    high = value + float(np.hypot(shown.high - shown.value, blind.value - blind.low))
    return Coefficient(value, low, high, blind.why or shown.why)


def _named(ends: Floats, people: int) -> Coefficients:
    return Coefficients(*(_coefficient(value, low, high, people) for value, low, high in ends.T))


def _coefficient(value: float, low: float, high: float, people: int) -> Coefficient:
    why = NEVER_TWICE if people == 0 else NO_CHANCE if isnan(value) else ONE_PERSON if people < 2 else ""
    low, high = (nan, nan) if why else (low, high)
    return Coefficient(float(value), float(low), float(high), why)


def _of_codes(sums: Sums, times: int, seed: int) -> Floats:
    """Value, low and high of every coefficient, code by code and pooled: (3, codes and one more, 5)."""
    total = sums.by_participant.sum(axis=0)
    point, people = _both(total), len(sums.by_participant)
    if people < 2:
        return np.stack([point, point, point])
    at, each = edges(total), sums.by_participant.reshape(people, -1)
    rng, replicates = np.random.default_rng(seed), []
    for drawn in resamples(people, times, rng):
        share = 1 - rng.random((len(drawn), 1)) ** (1 / np.maximum(sums.people[:-1], 1))
        replicates.append(_replicates((drawn @ each).reshape(-1, *total.shape), share, at))
    plain = np.append(at.any, at.quiet.all())[:, None]
    low, high = interval(point, np.concatenate(replicates), _both(total - sums.by_participant), plain)
    return np.stack([point, low, high])


def _both(totals: Floats) -> Floats:
    return np.concatenate([coefficients(totals), pooled(totals)], axis=-2)


def _replicates(totals: Floats, share: Floats, at: Edges) -> Floats:
    """What resamples give; what only kappas and alpha cannot do without is mixed in for them alone."""
    quiet = beyond_quiet(totals, share, at)
    by_code = np.where(_NEEDS_BOTH, coefficients(beyond_rare(quiet, share, at)), coefficients(quiet))
    return np.concatenate([by_code, pooled(quiet if at.quiet.all() else totals)], axis=-2)


def _of_sets(sums: SetSums, times: int, seed: int) -> Coefficient:
    given = np.asarray(sums.given.sum(axis=0), np.float64)
    (value,) = 1 - over(*code_sets.rates(sums.apart.sum()[None], given[None], sums.sets))
    people = int((sums.given.sum(axis=1) > 0).sum())
    if people < 2 or isnan(value):
        return _coefficient(value, nan, nan, people)
    quiet = sums.apart.sum() == 0
    rng, replicates = np.random.default_rng(seed), []
    for drawn in resamples(len(sums.apart), times, rng):
        observed, expected = code_sets.rates(drawn @ sums.apart, (sums.given.T @ drawn.T).T, sums.sets)
        unseen = 1 - rng.random(len(drawn)) ** (1 / people) if quiet else 0.0
        replicates.append(1 - over(observed + unseen * (1 - observed), expected))
    left_out = 1 - over(*code_sets.rates_left_out(sums))
    low, high = interval(value, np.concatenate(replicates), left_out, quiet)
    return _coefficient(value, float(low), float(high), people)
