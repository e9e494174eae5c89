"""Counts without a correction, named as what they are: no estimate of how many express a theme."""

from __future__ import annotations

from dataclasses import dataclass

from nlp.findings.prevalence.sample import Sample, Yes


@dataclass(frozen=True, slots=True)
class Raw:
    """Shares (0 to 1) of the units loaded: those with the code suggested, and those in which a person confirmed it.

    The first counts what the machine found wrongly and lacks what it missed; the second lacks what nobody was shown.
    """

    suggested: float
    confirmed: float


def raw(sample: Sample, confirmed: Yes) -> Raw:
    """Raw counts over all units loaded; `confirmed` says of each whether a person accepted the suggestion."""
    return Raw(float(sample.suggested.mean()), float((confirmed & sample.suggested).mean()))
