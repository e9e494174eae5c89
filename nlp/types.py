"""The library's data: small, frozen, and free of behaviour beyond what their names promise.

Offsets everywhere are Python code points, half-open, over the text they are said to belong to.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Label(StrEnum):
    """What a detection identifies."""

    PERSON = "PERSON"
    LOCATION = "LOCATION"
    ORG = "ORG"
    DATE = "DATE"
    AGE = "AGE"
    PHONE = "PHONE"
    EMAIL = "EMAIL"
    ID = "ID"
    URL = "URL"
    DETAIL = "DETAIL"


class Voice(StrEnum):
    """Who speaks."""

    CHILD = "child"
    YOUNG_PERSON = "young_person"
    PARENT_CARER = "parent_carer"
    PRACTITIONER = "practitioner"
    UNKNOWN = "unknown"


class Via(StrEnum):
    """Whose hand wrote the words down."""

    SELF = "self"
    PRACTITIONER = "practitioner"
    PARENT_CARER = "parent_carer"
    INTERPRETER = "interpreter"
    UNKNOWN = "unknown"


class Provenance(StrEnum):
    """How close the text is to what was said."""

    VERBATIM = "verbatim"
    REPORTED = "reported"
    AI_DRAFTED = "ai_drafted"
    UNKNOWN = "unknown"


class Stance(StrEnum):
    """How the speaker stands to the theme; never part of the code itself."""

    GOING_WELL = "going_well"
    WORRY = "worry"
    MIXED = "mixed"
    NEED = "need"


class CodeStatus(StrEnum):
    """Where a code stands in co-production."""

    DRAFT = "draft"
    AGREED = "agreed"
    RETIRED = "retired"


class Band(StrEnum):
    """How sure a suggestion is, in a word."""

    LIKELY = "likely"
    POSSIBLE = "possible"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open stretch of a text."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The words that the span covers."""
        return text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Detection:
    """A span that a detector believes identifies someone, and why it believes so.

    A doubt (`masked` false) is too unsure to be masked: it is kept for a person to look at.
    """

    start: int
    end: int
    label: Label
    score: float
    detector: str
    why: str
    masked: bool = True


@dataclass(frozen=True, slots=True)
class Redaction:
    """A detection with the words that take its place; `start`, `end` lie in the source text."""

    start: int
    end: int
    label: Label
    surrogate: str
    score: float
    detector: str
    why: str


@dataclass(frozen=True, slots=True)
class CleanText:
    """A de-identified text with where each surrogate stands in it.

    `surrogates[i]` is the span, in `text`, of the words that replaced `plan[i]`; the spans of
    `doubts` lie in `text` too.
    """

    text: str
    plan: tuple[Redaction, ...]
    surrogates: tuple[Span, ...]
    doubts: tuple[Detection, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """A unit cut for coding: an exact tile of its text."""

    position: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What a code does not cover, and the code that does."""

    text: str
    see: str = ""


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A text that looks like the code but belongs elsewhere."""

    text: str
    belongs_to: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """One code of a codebook."""

    id: str
    label: str
    definition: str = ""
    young_label: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[Exclusion, ...] = ()
    examples: tuple[str, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()
    parent: str = ""
    status: CodeStatus = CodeStatus.DRAFT
    co_produced_by: tuple[str, ...] = ()
    date: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """A group of codes under one heading."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a codebook's change log."""

    version: str
    date: str
    note: str


@dataclass(frozen=True, slots=True)
class Codebook:
    """A versioned set of codes. `fingerprint` is the SHA-256 of all that a matcher reads."""

    id: str
    title: str
    version: str
    provenance: str
    codes: tuple[Code, ...]
    families: tuple[Family, ...] = ()
    changes: tuple[Change, ...] = ()
    description: str = ""
    date: str = ""
    fingerprint: str = ""

    def code(self, code_id: str) -> Code:
        """The code of that id; KeyError when there is none."""
        for code in self.codes:
            if code.id == code_id:
                return code
        raise KeyError(code_id)

    @property
    def active_codes(self) -> tuple[Code, ...]:
        """The codes that may still be suggested and used."""
        return tuple(code for code in self.codes if code.status is not CodeStatus.RETIRED)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The machine's proposal of one code for one text, with the words behind it.

    `start` and `end` give the evidence in the text that was read. It comes closest to `nearest`, a
    sentence of the codebook, or to a confirmed excerpt: `like` is that text's place among the decided
    ones. `against` is what the codebook says of words like these that do not belong here, where that
    is close. `calibrated_on` is how many random reads the probability rests on; with none it is a
    rank and not a percentage.
    """

    code: str
    probability: float
    band: Band
    start: int
    end: int
    nearest: str
    like: int | None = None
    against: str = ""
    calibrated_on: int = 0
