"""A theme beside an indicator: a reasoned tie, both figures with intervals, a fit for a person to judge."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from nlp.errors import IndicatorError
from nlp.findings.indicators import Figure
from nlp.findings.prevalence import Estimate
from nlp.intervals import wilson

TOO_WIDE = 0.2


class Fit(StrEnum):
    """How voice and indicator stand to each other; only a person can make it a finding."""

    CONVERGENCE = "convergence"
    DIVERGENCE = "divergence"
    NOT_JUDGED = "not judged"


class Expectation(StrEnum):
    """What the author of a link expects of the theme's share, declared before looking."""

    SAME = "theme share about the indicator's share"
    OPPOSITE = "theme share about the indicator's complement"
    CONTEXT = "context only"


@dataclass(frozen=True, slots=True)
class Link:
    """A reasoned tie between a code (with a stance) and an indicator."""

    id: str
    title: str
    code: str
    stance: str
    file: str
    label: str
    group: str
    period: str
    area_codes: tuple[str, ...]
    expectation: Expectation
    population_note: str
    period_note: str
    why: str
    author: str
    date: str


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


def read_links(file: Path) -> list[Link]:
    """The links in a codebook's `links.yaml`; IndicatorError names the entry that is incomplete."""
    try:
        raw = yaml.safe_load(file.read_text("utf-8")) or []
    except (OSError, ValueError, yaml.YAMLError):
        raise IndicatorError(file=file.name, problem="not readable as YAML in UTF-8") from None
    if not isinstance(raw, list):
        raise IndicatorError(file=file.name, problem="expected a list of links, each beginning with “- id:”")
    return [_link(file.name, i, entry) for i, entry in enumerate(raw, 1)]


def _link(file: str, number: int, entry: Any) -> Link:
    if not isinstance(entry, dict) or not isinstance(entry.get("area_codes"), list):
        raise IndicatorError(file=file, row=number, field="area_codes", problem="a link needs a list of area codes")
    words = {k: str(v) for k, v in entry.items() if k not in ("area_codes", "expectation")}
    try:
        return Link(
            area_codes=tuple(entry["area_codes"]), expectation=Expectation[str(entry["expectation"]).upper()], **words
        )
    except (KeyError, TypeError):
        raise IndicatorError(file=file, row=number, problem="a field of the link is missing or unknown") from None


def joint_row(link: Link, figure: Figure, estimate: Estimate | None, refusal: str = "") -> JointRow:
    """Set both figures side by side and propose a fit from the declared expectation alone."""
    bounds = None
    if figure.count is not None and figure.denominator:
        bounds = wilson(figure.count, figure.denominator)
    fit, because = _propose(link, figure, bounds, estimate)
    low, high = bounds if bounds else (None, None)
    return JointRow(link, figure, low, high, estimate, refusal, fit, because)


def _propose(
    link: Link, figure: Figure, bounds: tuple[float, float] | None, estimate: Estimate | None
) -> tuple[Fit, str]:
    if link.expectation is Expectation.CONTEXT:
        return Fit.NOT_JUDGED, "The link gives context only: no expectation was declared, so no fit is proposed."
    if bounds is None or estimate is None:
        return Fit.NOT_JUDGED, "One of the two figures is not there, so no fit is proposed."
    if figure.warnings:
        return Fit.NOT_JUDGED, "The indicator carries a quality warning, so no fit is proposed."
    low, high = bounds if link.expectation is Expectation.SAME else (1 - bounds[1], 1 - bounds[0])
    expected = f"{low:.0%} to {high:.0%}"
    heard = f"{estimate.low:.0%} to {estimate.high:.0%}"
    if estimate.high < low or estimate.low > high:
        return Fit.DIVERGENCE, f"If both told the same story, {expected} was to be expected; {heard} was heard."
    if estimate.high - estimate.low > TOO_WIDE:
        return (
            Fit.NOT_JUDGED,
            f"What was heard ({heard}) is too wide to tell; {expected} was to be expected. Read more people.",
        )
    return Fit.CONVERGENCE, f"What was heard ({heard}) and what was to be expected ({expected}) overlap."
