"""Recognisers for identifiers that have a shape: UK numbers, contacts, dates, ages, addresses.

A check digit that holds makes a detection certain; a cue word makes it likely; neither, and it
is left to the other detectors. Add a row to one of the four tables to add a recogniser.
"""

from __future__ import annotations

from collections.abc import Sequence

from nlp.deid.patterns.contacts import CONTACTS
from nlp.deid.patterns.dates import DATES
from nlp.deid.patterns.judgments import JUDGMENTS, is_court_document
from nlp.deid.patterns.numbers import NUMBERS
from nlp.deid.patterns.places import PLACES
from nlp.deid.patterns.recogniser import METHOD, Recogniser, look_at
from nlp.types import Detection

RECOGNISERS: tuple[Recogniser, ...] = (*CONTACTS, *NUMBERS, *PLACES, *DATES)


class PatternDetector:
    """Runs every recogniser of a table over each text."""

    name = METHOD

    def __init__(self, recognisers: Sequence[Recogniser] = RECOGNISERS) -> None:
        self._recognisers = tuple(recognisers)

    def detect(self, texts: Sequence[str]) -> list[list[Detection]]:
        """One list of detections for each text."""
        return [self._detect(text) for text in texts]

    def _detect(self, text: str) -> list[Detection]:
        look = look_at(text)
        recognisers = (*self._recognisers, *JUDGMENTS) if is_court_document(text) else self._recognisers
        fitting = (r for r in recognisers if r.may_stand_in(look))
        matches = ((r, match) for r in fitting for match in r.shape.finditer(text))
        return [found for r, match in matches if (found := r.read(match)) is not None]
