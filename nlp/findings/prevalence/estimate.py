"""One share: by the default, or narrower by a choice that was made before anything was read."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from nlp.errors import EstimateError
from nlp.findings.prevalence import strata as by_strata
from nlp.findings.prevalence.machine import Tuning, corrected_machine
from nlp.findings.prevalence.sample import Floats, Sample, Truth, Whole, require_reads, require_truth
from nlp.findings.prevalence.strata import Strata, strata_of
from nlp.findings.prevalence.wider import stretched

PLANNED_POSITIVES = 20
READS_FOR_FIVE = 100


class Method(StrEnum):
    """How a share is worked out."""

    STRATA = "two strata by the code's own suggestion, mid-P bounds added by MOVER"
    FIVE = "five strata by the machine's probability, score interval"
    PPI = "the machine's mean probability, corrected by what was read (prediction-powered; design-based)"
    PPI_TUNED = "the machine's mean probability, as far as it helps, corrected by what was read (PPI++)"


@dataclass(frozen=True, slots=True)
class Plan:
    """A choice made before reading. `expected` is the share (0 to 1) that the machine or an earlier round leads to expect."""

    method: Method = Method.STRATA
    expected: float = 0.0


DEFAULT = Plan()


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share (0 to 1) with its 95% interval, what it rests on and what it is a share of.

    `to_halve`: how many more to read for an interval half as wide; None where no reading of what is loaded would do.
    """

    share: float
    low: float
    high: float
    read: int
    loaded: int
    positives_read: int
    truth: Truth = Truth.PEOPLE_LOADED
    method: str = Method.STRATA
    assumptions: tuple[str, ...] = ()
    to_halve: int | None = None


def estimate(sample: Sample, truth: Truth, plan: Plan = DEFAULT) -> Estimate:
    """A code's share for one truth. EstimateError where what was drawn or read does not support it, and what would."""
    require_truth(sample, truth)
    require_reads(sample)
    _require_plan(sample, truth, plan)
    strata = strata_of(sample, *_labels(sample, plan.method), finite=not truth.wider)
    share, low, high = _interval(sample, strata, truth, plan)
    read, positives = int(sample.read.sum()), int(sample.positive[sample.read].sum())
    if not truth.wider and (sample.counts_for == 1).all():
        seen = {"positives": positives, "read": read, "loaded": len(sample)}
        low, high = map(float, by_strata.never_against_what_was_seen(low, high, **seen))
    share = min(max(share, 0.0), 1.0)
    low, high = min(max(low, 0.0), share), max(min(high, 1.0), share)
    halve = _to_halve(strata, plan.method, read, len(sample), truth)
    return Estimate(
        share, low, high, read, len(sample), positives, truth, plan.method, assumptions(sample, truth, plan), halve
    )


def _to_halve(strata: Strata, method: Method, read: int, loaded: int, truth: Truth) -> int | None:
    if method in _TUNING:  # a quarter of the variance, which goes as 1/read - 1/loaded
        return math.ceil(4 / (1 / read + 3 / loaded)) - read
    return by_strata.reads_to_halve(strata, read, loaded, _BOUNDS[method], finite=not truth.wider)


def _require_plan(sample: Sample, truth: Truth, plan: Plan) -> None:
    read = int(sample.read.sum())
    if plan.method is Method.STRATA:
        return
    if truth.wider:
        raise EstimateError(f"a share for {truth} is given by the default method alone")
    if plan.method is Method.FIVE and read < READS_FOR_FIVE:
        raise EstimateError(f"five strata need {READS_FOR_FIVE} reads; {read} were read. Use the default")
    if plan.method in _TUNING and read * plan.expected < PLANNED_POSITIVES:
        raise EstimateError(
            f"this method needs {PLANNED_POSITIVES} expected among the reads, by what was known before them;"
            f" {read * plan.expected:.0f} are. Use the default, or read more"
        )


def _labels(sample: Sample, method: Method) -> tuple[Whole, int]:
    if method is Method.FIVE:
        return by_strata.five_classes(sample.machine), by_strata.FIVE
    return by_strata.by_suggestion(sample), 2


_TUNING = {Method.PPI: Tuning.WHOLE, Method.PPI_TUNED: Tuning.FITTED}
_BOUNDS: dict[Method, Callable[[Strata], tuple[Floats, Floats]]] = {
    Method.STRATA: by_strata.mover,
    Method.FIVE: by_strata.score,
}


def _interval(sample: Sample, strata: Strata, truth: Truth, plan: Plan) -> tuple[float, float, float]:
    if plan.method in _TUNING:
        return corrected_machine(sample, _TUNING[plan.method])
    if truth.wider:
        return stretched(sample, strata)
    low, high = _BOUNDS[plan.method](strata)
    return float(strata.estimate), float(low), float(high)


def assumptions(sample: Sample, truth: Truth, plan: Plan = DEFAULT) -> tuple[str, ...]:
    """What has to hold for the interval to mean what it says, in plain words."""
    said = [
        f"Those read were drawn at random from all {sample.unit} loaded, and nothing but chance decided who was read first.",
        "Whoever read them saw no suggestion, and what they decided is what the code means.",
        f"It is a share of {truth}" + (", no more." if not truth.wider else ": those loaded are like the others."),
    ]
    if truth.wider:
        said.append("What one person, or one family, says hangs together; different ones were drawn apart.")
    if plan.method is not Method.STRATA:
        said.append("The method was chosen before anything was read.")
    if (sample.counts_for != 1).any():
        said.append("Those loaded were weighted to the make-up of a population; within each group they are like it.")
    return tuple(said)
