"""The words that take an identifier's place: typed, with the role the text gives, the same within a case.

A case is what belongs together (a participant's voices). The numbers start anew in each case, and a
case's ledger is keyed with the study's secret, so a surrogate tells nothing in another release.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from nlp.deid.coarsen import age_band, birth_band, district, month_of, shifted
from nlp.deid.invented import invented_name
from nlp.deid.known import fold
from nlp.deid.policy import Policy, default_policy
from nlp.deid.roles import ROLES, organisation_kind, role_of
from nlp.types import Detection, Label, Redaction

PLAIN = {
    Label.PHONE: "[Phone number]", Label.EMAIL: "[Email address]", Label.ID: "[Reference]", Label.URL: "[Web address]",
    Label.DETAIL: "[Detail]",
}  # fmt: skip
SHIFT_DAYS = 90
_PLACES = ("Place", "Address")
_ORGANISATIONS = (
    "School",
    "Nursery",
    "College",
    "Hospital",
    "Surgery",
    "Home",
    "Place of worship",
    "Club",
    "Centre",
    "Team",
    "Organisation",
)
_NUMBERED = "|".join((*ROLES, *_PLACES, *_ORGANISATIONS, "Person"))
SURROGATE = re.compile(
    rf"\[(?:(?P<numbered>{_NUMBERED}) \d+|(?P<plain>Phone number|Email address|Reference|Web address|Detail|Postcode)"
    r"|(?P<date>Date|Date of birth|Born \d{4} to \d{4}|(?:January|February|March|April|May|June|July|August|September|October"
    r"|November|December)(?: \d{4})?|\d{1,2} [A-Z][a-z]+ \d{4})|(?P<age>Age|Aged (?:under \d+|\d+ to \d+|\d+ or over))"
    r"|(?P<district>[A-Z]{1,2}\d[A-Z\d]?))\]"
)
_NEUTRAL_PLAIN = {
    "Phone number": "a phone number", "Email address": "an email", "Reference": "a reference", "Web address": "a website",
    "Detail": "a detail", "Postcode": "a place",
}  # fmt: skip
_BIRTH = re.compile(r"(?i)(?:\bd\.?\s?o\.?\s?b\b|\bborn\b|\bbirth)[^\n]{0,12}$")


@dataclass(slots=True)
class Ledger:
    """What a case's names became so far: keyed digests to surrogates; holds no name."""

    secret: bytes = b""
    case: str = ""
    known: dict[str, str] = field(default_factory=dict)

    def digest(self, label: Label, words: str) -> str:
        """Keyed by the study's secret, so that nobody can look a name up in it."""
        return hmac.new(self.secret, f"{self.case}\0{label}\0{words}".encode("utf-8", "replace"), sha256).hexdigest()[
            :32
        ]


def plan_redactions(text: str, detections: Sequence[Detection], policy: Policy | None = None) -> tuple[Redaction, ...]:
    """The plan of a text that is a case of its own."""
    return plan_case([text], [detections], Ledger(), policy)[0]


def plan_case(
    texts: Sequence[str], plans: Sequence[Sequence[Detection]], ledger: Ledger, policy: Policy | None = None
) -> list[tuple[Redaction, ...]]:
    """Give each detection of a case's texts its surrogate; `ledger` learns the new ones.

    Detections must be resolved: sorted and disjoint within their text.
    """
    chosen = policy or default_policy()
    mentions = [_Mention(text, d) for text, plan in zip(texts, plans, strict=True) for d in plan]
    names = _Names(ledger, chosen)
    names.meet(m for m in mentions if m.detection.label in (Label.PERSON, Label.LOCATION, Label.ORG))
    return [
        tuple(_redaction(_Mention(text, d), names, chosen, ledger) for d in plan)
        for text, plan in zip(texts, plans, strict=True)
    ]


def neutralise(clean_text: str) -> str:
    """Clean text with each surrogate as neutral words, so that a model reads no signal in it."""
    return SURROGATE.sub(_neutral, clean_text)


def _neutral(match: re.Match[str]) -> str:
    kind = match["numbered"]
    if kind in _PLACES or match["district"]:
        return "a place"
    if kind in _ORGANISATIONS:
        return "a service"
    if kind:
        return "someone"
    if match["plain"]:
        return _NEUTRAL_PLAIN[match["plain"]]
    return "an age" if match["age"] else "a date"


@dataclass(frozen=True, slots=True)
class _Mention:
    text: str
    detection: Detection

    @property
    def words(self) -> str:
        return self.text[self.detection.start : self.detection.end]

    @property
    def folded(self) -> str:
        return " ".join(fold(w) for w in re.findall(r"\w+", self.words))


def _redaction(mention: _Mention, names: _Names, policy: Policy, ledger: Ledger) -> Redaction:
    d = mention.detection
    return Redaction(d.start, d.end, d.label, _surrogate(mention, names, policy, ledger), d.score, d.detector, d.why)


def _surrogate(mention: _Mention, names: _Names, policy: Policy, ledger: Ledger) -> str:
    label, words = mention.detection.label, mention.words
    if label is Label.DATE:
        return _date(mention, policy, ledger)
    if label is Label.AGE:
        band = age_band(words) if policy.ages == "band" else ""
        return f"[Aged {band}]" if band else "[Age]"
    if label in PLAIN:
        return PLAIN[label]
    if label is Label.LOCATION and district(words):
        return f"[{district(words)}]" if policy.postcodes == "district" else "[Postcode]"
    return names.of(mention)


def _date(mention: _Mention, policy: Policy, ledger: Ledger) -> str:
    words = mention.words
    if _BIRTH.search(mention.text[max(0, mention.detection.start - 24) : mention.detection.start]):
        band = birth_band(words) if policy.birth_dates == "band" else ""
        return f"[Born {band}]" if band else "[Date of birth]"
    if policy.dates == "shift":
        days = int(ledger.digest(Label.DATE, "shift")[:8], 16) % (2 * SHIFT_DAYS + 1) - SHIFT_DAYS
        return f"[{shifted(words, days)}]" if shifted(words, days) else "[Date]"
    month = month_of(words) if policy.dates == "month" else ""
    return f"[{month}]" if month else "[Date]"


class _Names:
    """Who and what is named in a case: one surrogate for each, however it is written."""

    def __init__(self, ledger: Ledger, policy: Policy) -> None:
        self._ledger, self._policy = ledger, policy
        self._entity: dict[tuple[Label, str], int] = {}
        self._kinds: dict[int, str] = {}
        self._order: list[int] = []
        self._given: dict[int, str] = {}

    def meet(self, mentions: Iterable[_Mention]) -> None:
        for mention in mentions:
            entity = self._recognise(mention)
            kind = _kind(mention)
            if self._kinds.get(entity, "Person") in ("Person", "Place", "Organisation"):
                self._kinds[entity] = kind if kind != "Person" or entity not in self._kinds else self._kinds[entity]
        taken = set(self._ledger.known.values())
        for entity in self._order:
            self._given[entity] = self._from_ledger(entity) or self._new(entity, taken)
            taken.add(self._given[entity])
        for (label, words), entity in self._entity.items():
            self._ledger.known.setdefault(self._ledger.digest(label, words), self._given[entity])

    def of(self, mention: _Mention) -> str:
        if self._policy.names == "invented" and mention.detection.label is Label.PERSON:
            return invented_name(mention.words, lambda part: self._ledger.digest(Label.PERSON, part))
        return self._given[self._entity[mention.detection.label, mention.folded]]

    def _recognise(self, mention: _Mention) -> int:
        label, whole = mention.detection.label, mention.folded
        known = next(
            (e for (kind, w), e in reversed(self._entity.items()) if kind is label and _same(label, w, whole)), None
        )
        if known is None:
            known = len(self._order)
            self._order.append(known)
        self._entity.setdefault((label, whole), known)
        return self._entity[label, whole]

    def _from_ledger(self, entity: int) -> str:
        digests = (self._ledger.digest(label, words) for (label, words), e in self._entity.items() if e == entity)
        return next((self._ledger.known[d] for d in digests if d in self._ledger.known), "")

    def _new(self, entity: int, taken: set[str]) -> str:
        kind = self._kinds[entity] if self._policy.names != "number" or self._kinds[entity] not in ROLES else "Person"
        number = 1
        while f"[{kind} {number}]" in taken:
            number += 1
        return f"[{kind} {number}]"


def _kind(mention: _Mention) -> str:
    d = mention.detection
    if d.label is Label.PERSON:
        return role_of(mention.text, d.start, d.end) or "Person"
    if d.label is Label.ORG:
        return organisation_kind(mention.text, d.start, d.end)
    return "Address" if any(ch.isdigit() for ch in mention.words) else "Place"


def _same(label: Label, known: str, named: str) -> bool:
    if known == named or (label is Label.PERSON and known in (named.removesuffix("s"), f"{named}s")):
        return True
    alone = " " not in known or " " not in named
    return label is Label.PERSON and alone and known.split(" ", maxsplit=1)[0] == named.split(" ", maxsplit=1)[0]
