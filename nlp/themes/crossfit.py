"""Learning without hindsight: every text is scored by a model that learnt nothing from its own group.

A group is a share of the people, so that nobody's own decided words speak for what is suggested to be
read of them. Suggestions are the strata of the prevalence estimate: made with hindsight they would
know what was found in those who were read and not in the others. After Zrnic and Candès,
"Cross-prediction-powered inference" (PNAS 2024).
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from nlp.themes.learn import Learned, Lessons
from nlp.themes.views import Matrix, Reading

GROUPS = 10
Groups = NDArray[np.int64]


def group_of(person: str) -> int:
    """The group of a person, 0 to 9: the same on every machine."""
    return int.from_bytes(hashlib.sha256(person.encode()).digest()[:8], "big") % GROUPS


class CrossFitted:
    """A model for each group, fitted when it is first asked for."""

    def __init__(self, lessons: Lessons, groups: Groups) -> None:
        """`groups` has one number for each decided text."""
        self.lessons, self.groups = lessons, groups
        self._models: dict[int, Learned | None] = {}

    def score(self, match: Matrix, reading: Reading, groups: Groups) -> Matrix:
        """Log-odds, shape (texts, codes); the match scores as they are where nothing else is to be learnt from."""
        out = np.array(match, np.float64)
        for group in np.unique(groups):
            model, rows = self._model(int(group)), np.flatnonzero(groups == group)
            if model is not None:
                out[rows] = model.score(match[rows], reading.only(rows))
        return out

    def held_out(self, rows: NDArray[np.int64]) -> Matrix:
        """Log-odds of some of the decided texts, each by the model of its group."""
        asked = self.lessons.only(rows)
        return self.score(asked.match, asked.reading, self.groups[rows])

    def _model(self, group: int) -> Learned | None:
        if group not in self._models:
            others = self.lessons.only(np.flatnonzero(self.groups != group))
            self._models[group] = Learned(others) if others.weights.any() else None
        return self._models[group]
