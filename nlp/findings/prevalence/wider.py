"""From what is loaded to people like these: intervals stretched by how much one person's or family's words hang together."""

from __future__ import annotations

import numpy as np
from scipy.stats import t as student

from nlp.errors import EstimateError
from nlp.findings.prevalence.sample import Sample
from nlp.findings.prevalence.strata import Strata, arms, by_suggestion, calibrated
from nlp.intervals import Z


def stretched(sample: Sample, strata: Strata) -> tuple[float, float, float]:
    """Share, lower and upper bound for people like these; `strata` by suggestion, without finite correction.

    Arms grow by the clustered over the independent standard error, and from the normal to Student's t on the people
    (families) read less one. EstimateError when fewer than two were.
    """
    factor = stretch(sample, strata)
    share = float(strata.estimate)
    low_arm, high_arm = arms(strata)
    return share, share - factor * float(low_arm), share + factor * float(high_arm)


def stretch(sample: Sample, strata: Strata) -> float:
    """By how much both arms grow, at least 1."""
    people_read = len(np.unique(sample.cluster[sample.read]))
    if people_read < 2:
        raise EstimateError("one person alone tells nothing of people like these; read more of them")
    found = strata.part > 0
    independent = float((strata.part[found] ** 2 * (strata.share * (1 - strata.share) / strata.reads)[found]).sum())
    grown = np.sqrt(_clustered(sample, strata) / independent) if independent > 0 else 1.0
    return float(max(1.0, grown) * student.ppf(0.975, people_read - 1) / Z)


def _clustered(sample: Sample, strata: Strata) -> float:
    """Variance of the share with each person's, or family's, units together (linearised)."""
    labels = by_suggestion(sample)
    if (strata.part == 0).any():
        labels = np.full(len(sample), int(np.argmax(strata.part)))
    share, g = strata.share[labels], sample.counts_for
    off = g * (share - float(strata.estimate))
    read = sample.read
    off[read] += g[read] * calibrated(sample, labels, 2) * (sample.positive[read] - share[read])
    by_person = np.bincount(np.unique(sample.cluster, return_inverse=True)[1], off / g.sum())
    people = len(by_person)
    return float((by_person**2).sum()) * people / max(people - 1, 1)
