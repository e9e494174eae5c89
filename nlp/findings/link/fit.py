"""A theme beside an indicator: both figures with intervals, and a fit proposed from what was declared before looking."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from nlp.findings.indicators import Figure
from nlp.findings.link.ties import Expectation, Link
from nlp.findings.prevalence import Estimate
from nlp.intervals import wilson

TOO_WIDE = 0.2
SILENT = 0.05
"""A theme that at most this share of people express counts as hardly spoken of."""

_DECLARED = (Expectation.ANOTHER_SIDE, Expectation.BEYOND)


class Fit(StrEnum):
    """How voice and indicator stand to each other; only a person can make it a finding."""

    CONVERGENCE = "convergence"
    COMPLEMENTARITY = "complementarity"
    EXPANSION = "expansion"
    DIVERGENCE = "divergence"
    SILENCE = "silence"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class JointRow:
    """One row of a joint display. Shares in 0..1; `estimate` is None when `refusal` says why."""

    link: Link
    figure: Figure
    indicator_low: float | None
    indicator_high: float | None
    estimate: Estimate | None
    refusal: str
    proposed: Fit
    because: str


def joint_row(link: Link, figure: Figure, estimate: Estimate | None, refusal: str = "") -> JointRow:
    """Set both figures side by side and propose a fit from the declared expectation alone."""
    bounds = _bounds(figure)
    fit, because = _propose(link, figure, bounds, estimate)
    low, high = bounds if bounds else (None, None)
    return JointRow(link, figure, low, high, estimate, refusal, fit, because)


def _bounds(figure: Figure) -> tuple[float, float] | None:
    """The publisher's own interval, else Wilson's from the published counts; None where neither can be had."""
    if figure.percent is not None and figure.low is not None and figure.high is not None:
        return figure.low / 100, figure.high / 100
    if figure.count is not None and figure.denominator:
        return wilson(figure.count, figure.denominator)
    return None


def _propose(
    link: Link, figure: Figure, bounds: tuple[float, float] | None, estimate: Estimate | None
) -> tuple[Fit, str]:
    reason = _no_fit(link, figure, bounds, estimate)
    if reason or estimate is None:
        return Fit.NOT_JUDGED, reason
    if bounds is None or link.expectation in _DECLARED:
        return _declared(link, estimate)
    if link.expectation in (Expectation.MORE, Expectation.FEWER):
        return _directed(link, bounds, estimate)
    low, high = bounds if link.expectation is Expectation.SAME else (1 - bounds[1], 1 - bounds[0])
    return _levelled(low, high, estimate)


def _no_fit(link: Link, figure: Figure, bounds: tuple[float, float] | None, estimate: Estimate | None) -> str:
    """Why no fit is proposed; "" where one may be."""
    if link.expectation is Expectation.CONTEXT:
        return "The link gives context only: no expectation was declared, so no fit is proposed."
    if estimate is None or (figure.percent is None and figure.count is None):
        return "One of the two figures is not there, so no fit is proposed."
    if figure.warnings:
        return "The indicator carries a quality warning, so no fit is proposed."
    if bounds is None and link.expectation not in _DECLARED:
        return "The indicator is published without its base, so no interval and no fit can be given."
    return ""


def _levelled(low: float, high: float, estimate: Estimate) -> tuple[Fit, str]:
    expected, heard = _range(low, high), _range(estimate.low, estimate.high)
    if estimate.high < SILENT <= low:
        return (
            Fit.SILENCE,
            f"If both told the same story, {expected} was to be expected; hardly anybody speaks of it ({heard}).",
        )
    if estimate.high < low or estimate.low > high:
        return Fit.DIVERGENCE, f"If both told the same story, {expected} was to be expected; {heard} was heard."
    if estimate.high - estimate.low > TOO_WIDE:
        return (
            Fit.NOT_JUDGED,
            f"What was heard ({heard}) is too wide to tell; {expected} was to be expected. Read more people.",
        )
    return Fit.CONVERGENCE, f"What was heard ({heard}) and what was to be expected ({expected}) overlap."


def _directed(link: Link, bounds: tuple[float, float], estimate: Estimate) -> tuple[Fit, str]:
    published, heard = _range(*bounds), _range(estimate.low, estimate.high)
    above, below = estimate.low > bounds[1], estimate.high < bounds[0]
    expected, against = (above, below) if link.expectation is Expectation.MORE else (below, above)
    way = "more" if link.expectation is Expectation.MORE else "fewer"
    if expected:
        return (
            Fit.CONVERGENCE,
            f"{way.capitalize()} were expected to say it than the published {published}; {heard} was heard.",
        )
    if against:
        return (
            Fit.DIVERGENCE,
            f"{way.capitalize()} were expected to say it than the published {published}, yet {heard} was heard.",
        )
    return (
        Fit.NOT_JUDGED,
        f"What was heard ({heard}) and the published figure ({published}) overlap, so neither way can be told.",
    )


def _declared(link: Link, estimate: Estimate) -> tuple[Fit, str]:
    heard = _range(estimate.low, estimate.high)
    if estimate.high < SILENT:
        return Fit.SILENCE, f"It is measured, and hardly anybody speaks of it ({heard})."
    if estimate.high - estimate.low > 2 * TOO_WIDE:
        return Fit.NOT_JUDGED, f"What was heard ({heard}) is too wide to tell. Read more people."
    if link.expectation is Expectation.BEYOND:
        return (
            Fit.EXPANSION,
            f"The link declares that the theme reaches further than the indicator; {heard} speak of it.",
        )
    return (
        Fit.COMPLEMENTARITY,
        f"The link declares that the theme tells another side of the same matter; {heard} speak of it.",
    )


def _range(low: float, high: float) -> str:
    return f"{low:.0%} to {high:.0%}"
