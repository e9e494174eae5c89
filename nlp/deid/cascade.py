"""The cascade: read, run each detector, carry names through the case, resolve, replace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from nlp.deid.apply import apply_plan
from nlp.deid.detector import Detector
from nlp.deid.known import find_people, name_parts
from nlp.deid.names import NameDetector
from nlp.deid.patterns import PatternDetector
from nlp.deid.patterns.dates import ages_beside_names
from nlp.deid.policy import Policy, default_policy
from nlp.deid.propagate import propagate
from nlp.deid.readable import readable
from nlp.deid.resolve import doubts_beside, resolve, with_support
from nlp.deid.surrogates import Ledger, plan_case
from nlp.deid.tagger import ModelDetector
from nlp.text import Normalised
from nlp.types import CleanText, Detection


class Deidentifier:
    """Texts in, clean texts out; offsets are those of the texts as given.

    Without `carry_names`, a name found once is not looked for in the rest of its case: to measure a
    stage alone.
    """

    method = "deid.cascade.v2"

    def __init__(
        self, detectors: Sequence[Detector], policy: Policy | None = None, *, carry_names: bool = True
    ) -> None:
        self.detectors = tuple(detectors)
        self._policy = policy or default_policy()
        self._carry_names = carry_names

    def with_detector(self, detector: Detector) -> Deidentifier:
        """The same cascade with one detector more."""
        return Deidentifier([*self.detectors, detector], self._policy, carry_names=self._carry_names)

    @property
    def fingerprint(self) -> str:
        """The detectors and their versions, in order, and the policy."""
        names = (getattr(d, "fingerprint", d.name) for d in self.detectors)
        return "+".join((*names, f"policy-{self._policy.fingerprint}"))

    def deidentify(
        self,
        texts: Sequence[str],
        cases: Sequence[str] | None = None,
        known: Mapping[str, Sequence[str]] | None = None,
        ledgers: Mapping[str, Ledger] | None = None,
    ) -> list[CleanText]:
        """One clean text for each text, in order.

        `cases` says which texts belong together (each stands alone when left out); `known` gives a
        case the names that are already on its form; `ledgers` the surrogates it had before.
        """
        groups = _groups(len(texts), cases)
        found = self.detect(texts, cases, known)
        clean: list[CleanText | None] = [None] * len(texts)
        for case, members in groups.items():
            plans = [resolve(texts[i], found[i]) for i in members]
            ledger = (ledgers or {}).get(case) or Ledger(case=case)
            redactions = plan_case([texts[i] for i in members], plans, ledger, self._policy)
            for i, plan in zip(members, redactions, strict=True):
                clean[i] = _with_doubts(apply_plan(texts[i], plan), doubts_beside(texts[i], found[i], plan))
        return [c for c in clean if c is not None]

    def detect(
        self, texts: Sequence[str], cases: Sequence[str] | None = None, known: Mapping[str, Sequence[str]] | None = None
    ) -> list[list[Detection]]:
        """All detections of all detectors, unresolved, in the offsets of the texts as given."""
        copies = [readable(text) for text in texts]
        results = [detector.detect([c.text for c in copies]) for detector in self.detectors]
        found = [[d for result in results for d in result[i]] for i in range(len(texts))]
        if len(self.detectors) > 1:
            found = [with_support([*ds, *ages_beside_names(c.text, ds)]) for c, ds in zip(copies, found, strict=True)]
        for case, members in _groups(len(texts), cases).items():
            words = [copies[i].text for i in members]
            names = (known or {}).get(case, ())
            if names:
                parts = name_parts(names)
                for i, text in zip(members, words, strict=True):
                    found[i] += find_people(text, parts, why="a name that is known in this case")
            if self._carry_names and any(found[i] for i in members):
                for i, more in zip(members, propagate(words, [found[i] for i in members]), strict=True):
                    found[i] += more
        return [
            detections if copy.text == text else [_to_source(copy, d) for d in detections]
            for text, copy, detections in zip(texts, copies, found, strict=True)
        ]


def default_deidentifier(policy: Policy | None = None) -> Deidentifier:
    """The cascade as shipped."""
    return Deidentifier([PatternDetector(), NameDetector(), ModelDetector()], policy)


def _with_doubts(clean: CleanText, doubts: Sequence[Detection]) -> CleanText:
    """The doubts move from the source's offsets to the clean text's."""
    moved = [replace(d, start=d.start + shift, end=d.end + shift) for d in doubts for shift in [_shift(clean, d.start)]]
    return replace(clean, doubts=tuple(moved))


def _shift(clean: CleanText, place: int) -> int:
    before = [s.end - r.end for r, s in zip(clean.plan, clean.surrogates, strict=True) if r.end <= place]
    return before[-1] if before else 0


def _groups(count: int, cases: Sequence[str] | None) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for i in range(count):
        groups.setdefault(f"case {cases[i]}" if cases is not None else f"text {i}", []).append(i)
    return {key.removeprefix("case "): members for key, members in groups.items()}


def _to_source(normalised: Normalised, detection: Detection) -> Detection:
    span = normalised.to_source(detection.start, detection.end)
    return replace(detection, start=span.start, end=span.end)
