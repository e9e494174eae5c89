"""The share of texts from a draw of people: a second figure, wider than a draw of texts would give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nlp.errors import EstimateError
from nlp.findings.prevalence.estimate import Estimate
from nlp.findings.prevalence.sample import MIN_READS, Floats, Truth, Whole, Yes
from nlp.findings.prevalence.strata import Strata, mover, never_against_what_was_seen

METHOD = "ratio of texts with the code to texts read, by the code's own suggestion, over people drawn whole"


@dataclass(frozen=True, slots=True, eq=False)
class TextsOfPeople:
    """One entry for each text, shape (texts,): whose it is, whether the code is suggested, whether its person was read, and
    whether it then held the code; `weight` is one over the person's probability.
    """

    person: Whole
    suggested: Yes
    read: Yes
    positive: Yes
    weight: Floats


def texts_from_people(texts: TextsOfPeople) -> Estimate:
    """The share of the texts loaded; EstimateError under 30 people read (or all, where fewer exist)."""
    loaded, read = (len(np.unique(texts.person[rows])) for rows in (slice(None), texts.read))
    if read < min(MIN_READS, loaded):
        raise EstimateError(
            f"{read} read so far; read at least {min(MIN_READS, loaded) - read} more before a share is shown"
        )
    strata = _strata(texts, read, loaded)
    share = float(strata.estimate)
    count, positives = int(texts.read.sum()), int(texts.positive[texts.read].sum())
    seen = {"positives": positives, "read": count, "loaded": len(texts.read)}
    low, high = map(float, never_against_what_was_seen(*mover(strata), **seen))
    said = ("People were drawn at random and all their texts read, without seeing suggestions.",
            "It is a share of the texts loaded here, no more: a person of many texts counts many times.")  # fmt: skip
    return Estimate(
        share, min(low, share), max(high, share), count, len(texts.read), positives, Truth.TEXTS_LOADED, METHOD, said
    )


def _strata(texts: TextsOfPeople, read: int, loaded: int) -> Strata:
    labels = texts.suggested.astype(np.int64)
    if len(np.unique(labels[texts.read])) < len(np.unique(labels)):
        labels = np.zeros(len(labels), np.int64)
    part = np.bincount(labels, minlength=2) / len(labels)
    shares, reads = zip(*(_stratum(texts, labels == h, read, loaded) for h in (0, 1)), strict=True)
    return Strata(part, np.array(shares), np.array(reads))


def _stratum(texts: TextsOfPeople, rows: Yes, read: int, loaded: int) -> tuple[float, float]:
    """A stratum's share, and how many texts drawn one by one it is worth: by the variance between people."""
    seen = rows & texts.read
    if not seen.any() or seen.sum() == rows.sum():
        return float(texts.positive[seen].mean()) if seen.any() else 0.0, np.inf
    w = texts.weight[seen]
    share = float(np.average(texts.positive[seen], weights=w))
    off = (
        np.bincount(np.unique(texts.person[seen], return_inverse=True)[1], w * (texts.positive[seen] - share)) / w.sum()
    )
    left = 1 - read / loaded
    people = len(off)
    variance = float((off**2).sum()) * left * people / max(people - 1, 1)
    plain = float(seen.sum()) / left if left > 0 else np.inf
    fewest = min(plain, people / left) if left > 0 else np.inf
    if variance <= 0:
        return share, fewest
    return share, min(plain, max(share * (1 - share) / variance, 1.0))
