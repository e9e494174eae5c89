"""Suggestions from the codebook and from all that people decided, each person's without hindsight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nlp.themes.calibrate import Calibration, calibrate
from nlp.themes.crossfit import CrossFitted, Groups
from nlp.themes.explain import Excerpts
from nlp.themes.learn import METHOD as LEARNT
from nlp.themes.learn import Lessons
from nlp.themes.match import METHOD as MATCHED
from nlp.themes.match import SHOWN_FROM, Matcher
from nlp.types import Span, Suggestion

METHOD = f"{MATCHED}+{LEARNT}"
BORROWED = -1


@dataclass(frozen=True, slots=True)
class Decided:
    """What people decided, text by text.

    `groups` is the group of people that each text's person is in, `BORROWED` where it is another study's;
    `random` whether a uniform draw brought it to be read blind, `evidence` where a person saw a code in it (by
    the code's place).
    """

    lessons: Lessons
    groups: Groups
    random: NDArray[np.bool_]
    evidence: Sequence[Mapping[int, Span]] = field(default=())

    def with_borrowed(self, borrowed: Sequence[Lessons]) -> Decided:
        """The same with other studies' lessons after the study's own."""
        if not borrowed:
            return self
        more = sum(len(b.labels) for b in borrowed)
        own = [self.lessons] if len(self.lessons.labels) else []
        return Decided(
            Lessons.join([*own, *borrowed]), np.append(self.groups, [BORROWED] * more), np.append(self.random, [False] * more),
            [*self.evidence, *({} for _ in range(more))],
        )  # fmt: skip


class Suggester:
    """Suggestions for texts of people in known groups."""

    method = METHOD

    def __init__(self, matcher: Matcher, decided: Decided, *, calibration: Calibration | None = None) -> None:
        """`calibration` spares the fit of a curve where one at hand is new enough."""
        self._matcher, self._decided = matcher, decided
        self._fitted = CrossFitted(decided.lessons, decided.groups)
        self.calibration = calibration or calibrate(self._fitted, decided.random)
        self._excerpts = _excerpts(decided)

    def suggest(self, texts: Sequence[str], groups: Groups, *, threshold: float = SHOWN_FROM) -> list[list[Suggestion]]:
        """For each text its suggestions at or above `threshold`, best first; none is padded."""
        if not texts:
            return []
        reading = self._matcher.read(texts)
        scores = self._fitted.score(self._matcher.scores(reading), reading, groups)
        said = self.calibration.probabilities(scores)
        calibrated_on = self.calibration.texts if self.calibration.enough else 0
        out: list[list[Suggestion]] = [[] for _ in texts]
        for group in np.unique(groups):
            rows = np.flatnonzero(groups == group)
            found = self._matcher.explainer.suggestions(
                reading.only(rows),
                said[rows],
                threshold,
                excerpts=self._others(int(group)),
                calibrated_on=calibrated_on,
            )
            for row, suggestions in zip(rows, found, strict=True):
                out[row] = suggestions
        return out

    def _others(self, group: int) -> Excerpts:
        """Confirmed sentences of people in other groups."""
        all_ = self._excerpts
        kept = self._decided.groups[all_.texts] != group
        return Excerpts(all_.vectors[kept], all_.codes[kept], all_.texts[kept])


def _excerpts(decided: Decided) -> Excerpts:
    lessons = decided.lessons
    own = (decided.groups != BORROWED)[:, None]
    yes = np.argwhere((lessons.labels > 0.5) & (lessons.weights > 0) & own)
    sentences = [_sentence(decided, int(i), int(j)) for i, j in yes]
    return Excerpts(lessons.reading.sentence_vectors[sentences], yes[:, 1].astype(np.int64), yes[:, 0].astype(np.int64))


def _sentence(decided: Decided, text: int, code: int) -> int:
    """The sentence that shares most with the words that a person pointed to; the first where nobody did."""
    reading = decided.lessons.reading
    mine = np.flatnonzero(reading.owner == text)
    span = decided.evidence[text].get(code) if decided.evidence else None
    if span is None:
        return int(mine[0])
    shared = [min(span.end, reading.spans[k].end) - max(span.start, reading.spans[k].start) for k in mine]
    return int(mine[int(np.argmax(shared))])
