"""The cascade: normalise, run each detector, resolve, replace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nlp.deid.apply import apply_plan
from nlp.deid.detector import Detector
from nlp.deid.names import NameDetector
from nlp.deid.ner import NerDetector
from nlp.deid.patterns import PatternDetector
from nlp.deid.resolve import resolve
from nlp.deid.surrogates import plan_redactions
from nlp.text import Normalised, normalise
from nlp.types import CleanText, Detection


class Deidentifier:
    """Texts in, clean texts out; offsets are those of the texts as given."""

    method = "deid.cascade.v1"

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self.detectors = tuple(detectors)

    @property
    def fingerprint(self) -> str:
        """The detectors and their versions, in order."""
        return "+".join(getattr(d, "fingerprint", d.name) for d in self.detectors)

    def deidentify(self, texts: Sequence[str]) -> list[CleanText]:
        """One clean text for each text, in order."""
        found = self.detect(texts)
        return [
            apply_plan(text, plan_redactions(text, resolve(text, detections)))
            for text, detections in zip(texts, found, strict=True)
        ]

    def detect(self, texts: Sequence[str]) -> list[list[Detection]]:
        """All detections of all detectors, unresolved, in the offsets of the texts as given."""
        normalised = [normalise(text) for text in texts]
        readable = [n.text for n in normalised]
        results = [detector.detect(readable) for detector in self.detectors]
        return [[_to_source(n, d) for result in results for d in result[i]] for i, n in enumerate(normalised)]


def default_deidentifier() -> Deidentifier:
    """The cascade as shipped."""
    return Deidentifier([PatternDetector(), NameDetector(), NerDetector()])


def _to_source(normalised: Normalised, detection: Detection) -> Detection:
    span = normalised.to_source(detection.start, detection.end)
    return replace(detection, start=span.start, end=span.end)
