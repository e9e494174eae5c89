"""One row of the table of shapes, and what it takes to match it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from nlp.types import Detection, Label

_DIGIT = re.compile(r"\d")
_NUMBER_WORD = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen"
    r"|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)\b",
    re.IGNORECASE,
)
CERTAIN, LIKELY, FAIR, WEAK = 0.99, 0.85, 0.7, 0.5
METHOD = "patterns.v2"


@dataclass(frozen=True, slots=True)
class Look:
    """What a text has to offer: its words in lower case between two spaces, a figure, a number in figures or words."""

    words: str
    figure: bool
    number: bool


def look_at(text: str) -> Look:
    """Worked out once for all recognisers."""
    figure = has_digit(text)
    return Look(f" {text.lower()} ", figure, figure or _NUMBER_WORD.search(text) is not None)


@dataclass(frozen=True, slots=True)
class Recogniser:
    """A shape, what it identifies, how sure it is, and the check that makes it certain.

    The span is group `id` where the expression has one, else the whole match. `certain` lifts the
    score to `CERTAIN` when it holds; `needed` drops the match when it does not. A `WEAK` one is a
    doubt, masked only where another detector shares it. Only texts that hold
    a `figure` or a `number` in figures or words, or one of the lower-case `hints`, are searched at all.
    """

    name: str
    label: Label
    shape: re.Pattern[str]
    score: float
    why: str
    certain: Callable[[str], bool] | None = None
    needed: Callable[[str], bool] | None = None
    figure: bool = False
    number: bool = False
    hints: tuple[str, ...] = ()

    def may_stand_in(self, look: Look) -> bool:
        """A quick look before the search."""
        if (self.figure and not look.figure) or (self.number and not look.number):
            return False
        return not self.hints or any(hint in look.words for hint in self.hints)

    def read(self, match: re.Match[str]) -> Detection | None:
        """The detection for a match of `shape`, unless its check fails."""
        group = "id" if "id" in self.shape.groupindex else 0
        words = match[group]
        if self.needed is not None and not self.needed(words):
            return None
        sure = self.certain is not None and self.certain(words)
        score = CERTAIN if sure else self.score
        start, end = match.span(group)
        return Detection(start, end, self.label, score, f"{METHOD}/{self.name}", self.why, masked=score > WEAK)


def shape(expression: str, *, case: bool = False) -> re.Pattern[str]:
    """Compile; any case fits unless `case` is asked for."""
    return re.compile(expression, 0 if case else re.IGNORECASE)


def has_digit(words: str) -> bool:
    """Whether there is a figure among the characters."""
    return _DIGIT.search(words) is not None


def digits(words: str) -> str:
    """The figures alone."""
    return re.sub(r"\D", "", words)
