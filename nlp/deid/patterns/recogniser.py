"""One row of the table of shapes, and what it takes to match it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from nlp.types import Detection, Label

CERTAIN, LIKELY, FAIR = 0.99, 0.85, 0.7
METHOD = "patterns.v2"


@dataclass(frozen=True, slots=True)
class Recogniser:
    """A shape, what it identifies, how sure it is, and the check that makes it certain.

    The span is group `id` where the expression has one, else the whole match. `certain` lifts the
    score to `CERTAIN` when it holds; `needed` drops the match when it does not.
    """

    name: str
    label: Label
    shape: re.Pattern[str]
    score: float
    why: str
    certain: Callable[[str], bool] | None = None
    needed: Callable[[str], bool] | None = None

    def read(self, match: re.Match[str]) -> Detection | None:
        """The detection for a match of `shape`, unless its check fails."""
        group = "id" if "id" in self.shape.groupindex else 0
        words = match[group]
        if self.needed is not None and not self.needed(words):
            return None
        sure = self.certain is not None and self.certain(words)
        score = CERTAIN if sure else self.score
        return Detection(match.start(group), match.end(group), self.label, score, f"{METHOD}/{self.name}", self.why)


def shape(expression: str, *, case: bool = False) -> re.Pattern[str]:
    """Compile; any case fits unless `case` is asked for."""
    return re.compile(expression, 0 if case else re.IGNORECASE)


def has_digit(words: str) -> bool:
    """Whether there is a figure among the characters."""
    return any(ch.isdigit() for ch in words)


def digits(words: str) -> str:
    """The figures alone."""
    return re.sub(r"\D", "", words)
