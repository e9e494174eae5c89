"""The words that take an identifier's place: typed, numbered, the same for the same name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nlp.types import Detection, Label, Redaction

NUMBERED = {Label.PERSON: "Person", Label.LOCATION: "Place", Label.ORG: "Organisation"}
PLAIN = {
    Label.DATE: "[Date]",
    Label.AGE: "[Age]",
    Label.PHONE: "[Phone number]",
    Label.EMAIL: "[Email address]",
    Label.ID: "[Reference]",
    Label.URL: "[Web address]",
}
SURROGATE = re.compile(
    r"\[(?:(?:Person|Place|Organisation) \d+|Date|Age|Phone number|Email address|Reference|Web address)\]"
)
NEUTRAL = {
    "Person": "someone", "Place": "a place", "Organisation": "a service", "Date": "a date", "Age": "an age",
    "Phone number": "a phone number", "Email address": "an email", "Reference": "a reference", "Web address": "a website",
}  # fmt: skip


def plan_redactions(text: str, detections: Sequence[Detection]) -> tuple[Redaction, ...]:
    """Give each detection its surrogate; a name met again in the text gets the same one."""
    numbers = _Numbers()
    return tuple(
        Redaction(d.start, d.end, d.label, _surrogate(text, d, numbers), d.score, d.detector, d.why) for d in detections
    )


def neutralise(clean_text: str) -> str:
    """Clean text with each surrogate as neutral words, so that a model reads no signal in it."""
    return SURROGATE.sub(lambda m: NEUTRAL[m[0].strip("[]").rstrip("0123456789").strip()], clean_text)


def _surrogate(text: str, detection: Detection, numbers: _Numbers) -> str:
    if detection.label in PLAIN:
        return PLAIN[detection.label]
    return f"[{NUMBERED[detection.label]} {numbers.of(detection.label, text[detection.start : detection.end])}]"


class _Numbers:
    """Numbers within one text; "Sarah" after "Sarah Jones" is the same person."""

    def __init__(self) -> None:
        self._known: dict[tuple[Label, str], int] = {}
        self._last: dict[Label, int] = {}

    def of(self, label: Label, words: str) -> int:
        tokens = re.findall(r"\w+", words.casefold())
        whole = " ".join(tokens)
        # A lone first name is the last full name that begins with it; two full names are two people.
        near = next((w for n, w in reversed(self._known) if n is label and _same_person(label, w, whole)), whole)
        number = self._known.get((label, near), 0)
        if not number:
            number = self._last[label] = self._last.get(label, 0) + 1
        self._known.setdefault((label, whole), number)
        return number


def _same_person(label: Label, known: str, named: str) -> bool:
    if known == named:
        return True
    alone = " " not in known or " " not in named
    return label is Label.PERSON and alone and known.split(" ", maxsplit=1)[0] == named.split(" ", maxsplit=1)[0]
