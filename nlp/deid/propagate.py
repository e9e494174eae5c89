"""A name found once in a case is masked everywhere in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from nlp.deid.allow import is_harmless
from nlp.deid.known import NameParts, find_people, fold, name_parts
from nlp.deid.lexicon import listed
from nlp.types import Detection, Label

NAME = "propagation.v1"
SURE = 0.6
_WHY = "named elsewhere in this case"


def propagate(texts: Sequence[str], found: Sequence[Sequence[Detection]]) -> list[list[Detection]]:
    """For the texts of one case and what was found in each: what else follows from it."""
    people: set[str] = set()
    others: dict[str, Label] = {}
    for text, detections in zip(texts, found, strict=True):
        for d in detections:
            words = text[d.start : d.end].strip()
            if d.score < SURE or not d.masked or is_harmless(words):
                continue
            if d.label is Label.PERSON:
                people.update(_telling(words))
            elif d.label in (Label.ORG, Label.LOCATION) and _is_telling_phrase(words):
                others[words.casefold()] = d.label
    parts = name_parts(people)
    return [_new(text, parts, others, detections) for text, detections in zip(texts, found, strict=True)]


def _new(text: str, parts: NameParts, others: dict[str, Label], found: Sequence[Detection]) -> list[Detection]:
    more = [
        *(find_people(text, parts, why=_WHY, detector=NAME, score=0.8) if parts.whole else ()),
        *_phrases(text, others),
    ]
    covered = {i for d in found if d.masked for i in range(d.start, d.end)} if more else set()
    return [d for d in more if not covered.issuperset(range(d.start, d.end))]


def _telling(words: str) -> Iterable[str]:
    """The parts of a name that would not strike a bystander as a word."""
    parts = [p for p in re.findall(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*", words) if len(p) > 2]
    return [p for p in parts if fold(p) not in listed("everyday") or p[0].isupper()]


def _is_telling_phrase(words: str) -> bool:
    return len(words) > 3 and (" " in words.strip() or fold(words) not in listed("everyday"))


def _phrases(text: str, others: dict[str, Label]) -> Iterable[Detection]:
    if not others:
        return
    longest_first = sorted(others, key=len, reverse=True)
    shape = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)
    for match in shape.finditer(text):
        label = others.get(match[0].casefold())
        if label is not None:
            yield Detection(match.start(), match.end(), label, 0.8, NAME, _WHY)
