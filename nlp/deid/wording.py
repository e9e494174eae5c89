"""How far a wording stands alone: whether the same run of words is said elsewhere, where somebody could search for it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from nlp.text import normalise

RUN = 6
"""So many words in a row are hardly ever the same by chance."""
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def words_of(text: str) -> list[str]:
    """The words, case folded."""
    return _WORD.findall(normalise(text).text.casefold().replace("’", "'"))


def runs_of(text: str) -> frozenset[tuple[str, ...]]:
    """Every run of six words in a row."""
    words = words_of(text)
    return frozenset(tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1))


def shared_with(text: str, others: Iterable[str]) -> int:
    """In how many of the other texts a run of six of its words stands."""
    runs = runs_of(text)
    return sum(not runs.isdisjoint(runs_of(other)) for other in others) if runs else 0
