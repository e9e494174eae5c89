"""Words that a person has marked as identifying: they are found wherever they stand again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from nlp.types import Detection, Label


class MarkedDetector:
    """Finds words that people marked in another text of the same case, as whole words, in any case of letters."""

    name = "person"

    def __init__(self, marked: Mapping[str, Label]) -> None:
        self._shapes = {
            label: re.compile(rf"(?<!\w)(?:{'|'.join(_longest_first(marked, label))})(?!\w)", re.IGNORECASE)
            for label in set(marked.values())
        }

    def detect(self, texts: Sequence[str]) -> list[list[Detection]]:
        """The detections of each text."""
        return [[*self._found(text)] for text in texts]

    def _found(self, text: str) -> list[Detection]:
        return [
            Detection(m.start(), m.end(), label, 1.0, self.name, "marked by a person")
            for label, shape in self._shapes.items()
            for m in shape.finditer(text)
        ]


def _longest_first(marked: Mapping[str, Label], label: Label) -> list[str]:
    words = sorted((w for w, kind in marked.items() if kind is label), key=len, reverse=True)
    return [r"\s+".join(map(re.escape, w.split())) for w in words]
