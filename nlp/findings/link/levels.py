"""What a tie of each level carries: the verbs that it permits, the least that it needs, and refusals that say what would do.

The levels are those of joint reading: the same place and time (L0), many areas (L1), groups within a study (L2), the same
people (L3). No level permits to say that one thing brings about another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from nlp.errors import LinkError
from nlp.findings.indicators.quality import WARN_NOT_KNOWN

LEAST_AREAS = 10
LEAST_READ_IN_GROUP = 30
LEAST_READ = 30
LEAST_CLUSTERS = 20
EVENTS_A_PARAMETER = 10


class Level(StrEnum):
    """How near voices and indicator are to being about the same people."""

    CONTEXT = "L0"
    AREAS = "L1"
    GROUPS = "L2"
    PEOPLE = "L3"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a level needs, what it may be said with, and what it does not show."""

    name: str
    needs: str
    verbs: tuple[str, ...]
    not_shown: str


RULES = {
    Level.CONTEXT: Rule(
        "the same place and time",
        "an area and a period",
        ("stands beside", "alongside"),
        "Whether the two have anything to do with each other.",
    ),
    Level.AREAS: Rule(
        "many areas",
        f"{LEAST_AREAS} areas or more, each with its own blind reads, in the same period",
        ("stands beside", "alongside", "is associated with, across areas"),
        "Anything about people: what goes together across areas need not go together in any person.",
    ),
    Level.GROUPS: Rule(
        "groups within a study",
        f"{LEAST_READ_IN_GROUP} people read blind in each group, and the groups declared before looking",
        ("stands beside", "alongside", "differs between groups"),
        "Why the groups differ.",
    ),
    Level.PEOPLE: Rule(
        "the same people",
        f"a consented link between voices and measures, {EVENTS_A_PARAMETER} expected with and without the theme for each "
        "term of the model",
        ("stands beside", "alongside", "differs between groups", "is associated with, among these people"),
        "That one brings about the other.",
    ),
}

_CAUSE = r"caus(?:e|es|ed|ing)|leads? to|led to|results? in|resulted in|brings? about|due to|driv(?:es|en) by|proves?|predicts?"
_ASSOCIATION = r"associated|association|correlat\w+|linked to|goes? with|related to"
_DIFFERENCE = r"more likely|less likely|differs? between|difference between"
_TOO_STRONG = {
    Level.CONTEXT: (_CAUSE, _ASSOCIATION, _DIFFERENCE),
    Level.AREAS: (_CAUSE, _DIFFERENCE),
    Level.GROUPS: (_CAUSE, _ASSOCIATION),
    Level.PEOPLE: (_CAUSE,),
}


def too_strong(level: Level, words: str) -> tuple[str, ...]:
    """Words that say more than a tie of this level carries, as they stand in the text."""
    found = re.finditer(rf"\b(?:{'|'.join(_TOO_STRONG[level])})\b", words, re.IGNORECASE)
    return tuple(dict.fromkeys(m[0] for m in found))


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is not given, why, and what would make it possible."""

    what: str
    why: str
    possible: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}. It becomes possible with {self.possible}."


def refuse(refusal: Refusal | None) -> None:
    """LinkError with the refusal's words, where there is one."""
    if refusal is not None:
        raise LinkError(str(refusal))


def refuse_association(
    level: Level, areas: int, periods: Iterable[str], not_known: Iterable[float | None]
) -> Refusal | None:
    """Why no association across areas is given, or None."""
    what, kinds, worst = "No association across areas", set(periods), max((s or 0 for s in not_known), default=0)
    if level is not Level.AREAS:
        return Refusal(
            what,
            f"the link is of level {level} ({RULES[level].name})",
            f"a link of level L1: {RULES[Level.AREAS].needs}",
        )
    if areas < LEAST_AREAS:
        few = f"{areas} {'area' if areas == 1 else 'areas'} can line up by chance alone"
        return Refusal(
            what, few, f"{LEAST_AREAS - areas} more areas, {LEAST_AREAS} in all, each with its own blind reads"
        )
    if len(kinds) > 1:
        return Refusal(
            what, f"the figures are of {len(kinds)} different periods", "figures of one period for every area"
        )
    if worst >= WARN_NOT_KNOWN:
        why = (
            f"in one area {worst:.0%} of the group is “information not known”, so the order is one of what is recorded"
        )
        return Refusal(what, why, "areas in which fewer than a fifth are not known, or rates on a known base")
    return None


def refuse_comparison(level: Level, read: Mapping[str, int]) -> Refusal | None:
    """Why groups are not compared, or None. `read` are the people read blind in each."""
    what = "No comparison of groups"
    if level not in (Level.GROUPS, Level.PEOPLE):
        return Refusal(
            what,
            f"the link is of level {level} ({RULES[level].name})",
            f"a link of level L2: {RULES[Level.GROUPS].needs}",
        )
    few = {name: n for name, n in read.items() if n < LEAST_READ_IN_GROUP}
    if few:
        name, n = min(few.items(), key=lambda item: item[1])
        more = LEAST_READ_IN_GROUP - n
        return Refusal(what, f"too few people of “{name}” were read", f"at least {more} more of them read blind")
    return None


def refuse_model(
    level: Level, *, consented: bool, read: int, expected: float, terms: int, clusters: int
) -> Refusal | None:
    """Why no model is fitted, or None. `expected` is the share that was expected before reading (0 to 1).

    It rests on what was planned and never on what was found: intervals that are shown only after enough was found do
    not cover what they should.
    """
    what = "No model of people"
    if level is not Level.PEOPLE:
        return Refusal(
            what,
            f"the link is of level {level} ({RULES[level].name})",
            f"a link of level L3: {RULES[Level.PEOPLE].needs}",
        )
    if not consented:
        return Refusal(
            what, "nobody says that people consented to tie what they said to measures of them", "their consent to it"
        )
    if read < LEAST_READ:
        return Refusal(what, f"{read} people were read blind", f"at least {LEAST_READ - read} more read")
    if clusters < LEAST_CLUSTERS:
        return Refusal(
            what, f"those read are of {clusters} families or people", f"{LEAST_CLUSTERS} or more, drawn apart"
        )
    events, needed = read * min(expected, 1 - expected), EVENTS_A_PARAMETER * terms
    if events < needed:
        more = round(needed / max(min(expected, 1 - expected), 1e-9)) - read
        why = f"{terms} terms need {needed} people expected on either side of the theme, and {events:.0f} were"
        return Refusal(what, why, f"about {more} more people read, or fewer terms")
    return None
