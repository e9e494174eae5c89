"""The contract of a detector: texts in, detections out, each with why it was made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from nlp.types import Detection


class Detector(Protocol):
    """One stage of the cascade, measurable alone.

    `name` carries its version (`patterns.v1`), so that a stored detection keeps its meaning.
    """

    name: str

    def detect(self, texts: Sequence[str]) -> list[list[Detection]]:
        """One list of detections for each text, offsets in that text; any order."""
        ...
