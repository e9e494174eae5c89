"""What a counting round drew and found of one code, and the truths that it can and can't speak about."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from nlp.errors import EstimateError

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Yes = NDArray[np.bool_]

MIN_READS = 30
MIN_PEOPLE_LOADED = 20
MIN_SUGGESTED_READS = 10
TEXTS_ONLY = (
    "the counting round drew texts, not people, so it cannot say how many people ever said this: who was read once may"
    " have said it elsewhere; draw people and read all that each of them said"
)


class Unit(StrEnum):
    """What was drawn and read whole."""

    PERSON = "people"
    TEXT = "texts"


class Truth(StrEnum):
    """What a share is a share of. An interval for one covers that one, and may well miss the others."""

    TEXTS_LOADED = "the texts loaded here"
    PEOPLE_LOADED = "the people loaded here"
    TEXTS_LIKE_THESE = "texts that people like these would give"
    PEOPLE_LIKE_THESE = "people like these"

    @property
    def unit(self) -> Unit:
        """Texts or people."""
        return Unit.TEXT if self in (Truth.TEXTS_LOADED, Truth.TEXTS_LIKE_THESE) else Unit.PERSON

    @property
    def wider(self) -> bool:
        """Whether it reaches beyond what is loaded."""
        return self in (Truth.TEXTS_LIKE_THESE, Truth.PEOPLE_LIKE_THESE)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One entry for each unit that could have been drawn; arrays of shape (units,).

    `suggested`: the code is suggested for it (a person: for any of their texts). `read`: it was drawn with a known
    probability and read blind, whole. `positive`: it holds the code, where it was read. `weight`: one over its
    probability, where it was read. `machine`: how probable the machine holds the code to be, 0 to 1. `cluster`: whose
    it is, a person's or a family's number. `counts_for`: how many of the wider world it stands for; 1 without raking.
    `by_suggestion`: the draw took suggested and other units apart, each with its own probability.
    """

    unit: Unit
    suggested: Yes
    read: Yes
    positive: Yes
    weight: Floats
    machine: Floats = field(default_factory=lambda: np.zeros(0))
    cluster: Whole = field(default_factory=lambda: np.zeros(0, np.int64))
    counts_for: Floats = field(default_factory=lambda: np.zeros(0))
    by_suggestion: bool = False

    def __post_init__(self) -> None:
        """Fill what was left out, and take hold of arrays of the right kind; EstimateError when they do not fit."""
        count = len(self.suggested)
        kinds = {"suggested": bool, "read": bool, "positive": bool, "weight": float, "machine": float,
                 "cluster": np.int64, "counts_for": float}  # fmt: skip
        left_out = {
            "machine": np.asarray(self.suggested, float),
            "cluster": np.arange(count),
            "counts_for": np.ones(count),
        }
        for name, kind in kinds.items():
            value = getattr(self, name)
            held = np.asarray(left_out[name] if name in left_out and not len(value) else value, kind)
            if held.shape != (count,):
                raise EstimateError("the parts of a sample differ in length")
            object.__setattr__(self, name, held)
        if (self.weight[self.read] < 1 - 1e-9).any():
            raise EstimateError("a probability of being drawn lies outside 0 to 1")

    def __len__(self) -> int:
        return len(self.suggested)

    def only(self, rows: Yes) -> Sample:
        """The same of some units alone: a group, a place, a period."""
        names = ("suggested", "read", "positive", "weight", "machine", "cluster", "counts_for")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})


def require_truth(sample: Sample, truth: Truth) -> None:
    """EstimateError when what was drawn cannot tell of this truth."""
    if truth.unit is Unit.PERSON and sample.unit is Unit.TEXT:
        raise EstimateError(TEXTS_ONLY)
    if truth.unit is Unit.TEXT and sample.unit is Unit.PERSON:
        raise EstimateError("people were drawn, not texts; the share of texts is a second figure of its own here")


def require_reads(sample: Sample) -> None:
    """EstimateError when too few were read; never for how many of them hold the code.

    Thirty, or all where fewer exist; where the draw itself was by suggestion, ten suggested and thirty others, or all.
    """
    read, loaded = int(sample.read.sum()), len(sample)
    if sample.unit is Unit.PERSON and loaded < MIN_PEOPLE_LOADED and read < loaded:
        _refuse(read, loaded - read)
    _require(read, loaded, MIN_READS)
    if sample.by_suggestion:
        here, found = sample.suggested, sample.suggested & sample.read
        _require(int(found.sum()), int(here.sum()), MIN_SUGGESTED_READS, " of those suggested")
        _require(read - int(found.sum()), loaded - int(here.sum()), MIN_READS, " of those not suggested")


def _require(read: int, loaded: int, least: int, of: str = "") -> None:
    wanted = min(least, loaded)
    if read < wanted:
        _refuse(read, wanted - read, of)


def _refuse(read: int, missing: int, of: str = "") -> None:
    raise EstimateError(f"{read}{of} read so far; read at least {missing} more{of} before a share is shown")
