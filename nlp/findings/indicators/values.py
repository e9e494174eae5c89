"""One published value with everything that must be known beside it: status, base, quality, place, time and source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Why a value is or is not there; the letters are those of government statistics."""

    OK = "ok"
    CONFIDENTIAL = "c"
    NOT_APPLICABLE = "z"
    UNAVAILABLE = "x"
    ROUNDS_TO_ZERO = "k"
    LOW = "low"
    UNRELIABLE = "u"
    MISSING = "missing"


STATUS_WORDS = {
    Status.OK: "published",
    Status.CONFIDENTIAL: "held back by the publisher, so that nobody can be recognised",
    Status.NOT_APPLICABLE: "does not apply here",
    Status.UNAVAILABLE: "not available",
    Status.ROUNDS_TO_ZERO: "rounds to nought, but is not nought",
    Status.LOW: "low: rounds to nought, but is not nought",
    Status.UNRELIABLE: "of low reliability, so not published",
    Status.MISSING: "blank in the file: nobody says why",
}


class Polarity(StrEnum):
    """Which way is good, as the publisher or a person says; never worked out."""

    HIGHER = "higher is better"
    LOWER = "lower is better"
    NEITHER = "neither way is better"
    NOT_STATED = "not stated"


class NoteKind(StrEnum):
    """What a quality note is about."""

    NOT_KNOWN = "not known"
    SMALL = "small group"
    UNRELIABLE = "low reliability"
    BREAK = "break in the series"
    RETIRED = "retired category"
    PARTS = "parts and total"
    MEANING = "what it measures"
    PUBLISHER = "publisher's note"


@dataclass(frozen=True, slots=True)
class Note:
    """A quality note in plain words; it travels with the value to every page and export."""

    kind: NoteKind
    words: str


@dataclass(frozen=True, slots=True)
class Area:
    """Where. `code` is the code of national statistics, `old_code` the three-digit one of the DfE; either may be ""."""

    code: str
    old_code: str
    name: str
    level: str


@dataclass(frozen=True, slots=True)
class Period:
    """When. `start` and `end` are ISO dates, "" where the publisher does not say what the year is; `order` sorts."""

    label: str
    start: str
    end: str
    order: int


@dataclass(frozen=True, slots=True)
class Source:
    """The file that a value stands in."""

    file: str
    kind: str
    sha256: str
    publisher: str
    licence: str
    url: str = ""
    retrieved_on: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of one indicator.

    `value` is None unless `status` is ok; `symbol` is what the cell held. `numerator`, `denominator`, `low`, `high`
    (95% interval) and `not_known_share` (0 to 1) are as published or None. `rounding_base` is what the counts of this
    level are multiples of, 1 where they are not rounded, None where that cannot be seen. `row` is the file's.
    """

    indicator: str
    label: str
    unit: str
    polarity: Polarity
    area: Area
    period: Period
    filters: tuple[tuple[str, str], ...]
    value: float | None
    status: Status
    symbol: str
    row: int
    numerator: float | None = None
    numerator_status: Status = Status.MISSING
    denominator: float | None = None
    low: float | None = None
    high: float | None = None
    not_known_share: float | None = None
    rounding_base: int | None = None
    revision: str = ""
    notes: tuple[Note, ...] = ()

    @property
    def percent_of_known(self) -> float | None:
        """The percentage among those whose situation is known, where that can be worked out."""
        if self.unit != "%" or self.numerator is None or self.denominator is None or self.not_known_share is None:
            return None
        known = self.denominator * (1 - self.not_known_share)
        return 100 * self.numerator / known if known else None


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file as read: its source, its values, and what a person should know about the reading."""

    source: Source
    values: Sequence[Value]
    remarks: tuple[str, ...] = ()
