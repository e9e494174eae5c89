"""How many express each theme: of people, of texts, and of people like these; or why it cannot be said."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from nlp.errors import EstimateError
from nlp.findings import prevalence
from nlp.findings.disclosure import SMALLEST_SHOWN, may_show_share
from nlp.findings.prevalence import Estimate, Raw, Sample, Truth, Unit
from nlp.types import Code, Codebook
from service.study.codebooks import newest_codebook
from service.study.decisions import codings
from service.study.study import Study
from service.usecases.counts import Counted, counted_in
from service.usecases.rounds import counted_round

TOO_FEW = "Too few people to show: five or fewer expressed it, or five or fewer did not."
NO_ROUND = "No counting round has been drawn, so no share can be given: suggestions alone miss too much."
CHANGED = (
    "This code is new or has changed since people were read, so nobody was read for it. Draw a new counting round."
)
TEXTS_ONLY = (
    "The counting round drew texts, not people, so it cannot say how many people ever said this. Draw one by person."
)
LOADED = {Unit.PERSON: Truth.PEOPLE_LOADED, Unit.TEXT: Truth.TEXTS_LOADED}
LIKE_THESE = {Unit.PERSON: Truth.PEOPLE_LIKE_THESE, Unit.TEXT: Truth.TEXTS_LIKE_THESE}


@dataclass(frozen=True, slots=True)
class ThemeShare:
    """A theme's share; `estimate` is None when `refusal` says why none is shown.

    `outdated` units were read under an older codebook version whose code meant something else, and are left out.
    """

    code: Code
    stance: str
    estimate: Estimate | None
    refusal: str
    outdated: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """All that is said of one theme: people or texts loaded, people like these, texts, and what was not corrected."""

    share: ThemeShare
    like_these: Estimate | None = None
    texts: Estimate | None = None
    raw: Raw | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a counting round counted: so many `drawn` of those loaded and `read` whole and blind, by so many coders."""

    round: str
    unit: Unit
    loaded: int
    drawn: int
    read: int
    coders: int
    version: str


@dataclass(frozen=True, slots=True)
class Shares:
    """What the study can say of its themes. `reading` is None before any round; `refusal` is why people are not counted."""

    reading: Reading | None
    refusal: str
    themes: tuple[Heard, ...]

    @property
    def ranked(self) -> list[tuple[str, Estimate]]:
        """Themes whose share may be shown, most often heard first."""
        shown = [(h.share.code.label, h.share.estimate) for h in self.themes if h.share.estimate is not None]
        return sorted(shown, key=lambda pair: -pair[1].share)

    @property
    def outdated(self) -> int:
        """Themes for which something was read under an older version that meant something else."""
        return sum(h.share.outdated > 0 for h in self.themes)


def theme_shares(study: Study) -> list[ThemeShare]:
    """For every code of the newest codebook, the share of people who express it."""
    codebook = newest_codebook(study.db)
    round_ = counted_round(study, unit="participant")
    if round_ is None:
        return [ThemeShare(code, "", None, no_round(study)) for code in codebook.active_codes]
    counted = counted_in(study, round_)
    return [share_of(counted, code) for code in codebook.active_codes]


def shares(study: Study) -> Shares:
    """Every theme of the newest codebook, from the newest counting round of people, or else of texts."""
    codebook = newest_codebook(study.db)
    round_ = counted_round(study, unit="participant") or counted_round(study)
    if round_ is None:
        return Shares(None, NO_ROUND, tuple(_unheard(codebook, NO_ROUND)))
    counted = counted_in(study, round_)
    reading = Reading(round_.id, counted.unit, len(counted.units), len(counted.probability), len(counted.read),
                      counted.coders, round_.codebook_version)  # fmt: skip
    confirmed = _confirmed(study)
    themes = tuple(_heard(counted, code, confirmed) for code in codebook.active_codes)
    return Shares(reading, "" if counted.unit is Unit.PERSON else TEXTS_ONLY, themes)


def no_round(study: Study) -> str:
    """Why nothing can be said of people where no round of people was drawn."""
    return NO_ROUND if counted_round(study) is None else TEXTS_ONLY


def share_of(counted: Counted, code: Code, stance: str = "") -> ThemeShare:
    """The share of the units loaded that express the code (with a stance)."""
    outdated = len(counted.read) - len(counted.read_for(code.id))
    if counted.read and outdated == len(counted.read):
        return ThemeShare(code, stance, None, CHANGED, outdated)
    try:
        estimate = prevalence.estimate(counted.sample(code.id, stance), LOADED[counted.unit])
    except EstimateError as refused:
        return ThemeShare(code, stance, None, worded(refused), outdated)
    if not _may_show(counted, code.id, stance):
        return ThemeShare(code, stance, None, TOO_FEW, outdated)
    return ThemeShare(code, stance, estimate, "", outdated)


def worded(refused: EstimateError) -> str:
    """Why there is no estimate, as a sentence."""
    words = str(refused)
    return words[:1].upper() + words[1:] + "."


def _unheard(codebook: Codebook, why: str) -> list[Heard]:
    return [Heard(ThemeShare(code, "", None, why)) for code in codebook.active_codes]


def _may_show(counted: Counted, code: str, stance: str) -> bool:
    """Whether no one to five people are behind it, behind its absence, or between a stance and all stances."""
    holding, every = counted.speakers(code, stance), counted.speakers(code) | counted.speakers(code, lacking=True)
    lacking = every - holding if counted.unit is Unit.PERSON else counted.speakers(code, stance, lacking=True)
    rest = counted.speakers(code) - holding if stance else set[str]()
    return len(every) >= SMALLEST_SHOWN and not any(_few(people) for people in (holding, lacking, rest))


def _few(people: Collection[str]) -> bool:
    return 0 < len(people) < SMALLEST_SHOWN


def _heard(counted: Counted, code: Code, confirmed: Mapping[str, frozenset[str]]) -> Heard:
    share = share_of(counted, code)
    if share.estimate is None:
        return Heard(share)
    sample = counted.sample(code.id)
    like_these = prevalence.estimate(sample, LIKE_THESE[counted.unit])
    return Heard(share, like_these, _texts(counted, code), _raw(counted, sample, confirmed.get(code.id, frozenset())))


def _texts(counted: Counted, code: Code) -> Estimate | None:
    """The share of texts from a round of people; None in a round of texts, or where few have a text without it."""
    if counted.unit is Unit.TEXT or _few(counted.speakers(code.id, lacking=True)):
        return None
    return prevalence.texts_from_people(counted.texts(code.id))


def _raw(counted: Counted, sample: Sample, confirmed: frozenset[str]) -> Raw | None:
    """What was suggested and confirmed, uncorrected; None where few people are behind either."""
    agreed = np.array([any(v in confirmed for v in voices) for voices in counted.units.values()], bool)
    counts = (int(sample.suggested.sum()), int((sample.suggested & agreed).sum()))
    return prevalence.raw(sample, agreed) if all(may_show_share(n, len(sample)) for n in counts) else None


def _confirmed(study: Study) -> dict[str, frozenset[str]]:
    """For each code, the voices in which somebody confirmed it with the suggestion on screen."""
    voice_of = {row["id"]: row["voice"] for row in study.db.conn.execute("SELECT id, voice FROM segments")}
    found: dict[str, set[str]] = {}
    for coding in codings(study.db, "shown = 1"):
        if coding.segment in voice_of:
            found.setdefault(coding.code, set()).add(voice_of[coding.segment])
    return {code: frozenset(voices) for code, voices in found.items()}
