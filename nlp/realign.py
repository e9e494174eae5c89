"""Where the words of a text stand in a corrected one: words are aligned, and a stretch moves only with all of its words.

Offsets are code points, half-open. Words are aligned by the longest runs that both texts have (Ratcliff and Metzener
1988, as `difflib` does it); what stands between words may differ.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from nlp.types import Span

LONG = 4000
RESPELT = 0.75
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, repr=False)
class Realigned:
    """Two texts with their words; `places[i]` is which word of the new text the i-th old one became, -1 for none.

    It has no repr: nothing shows the texts.
    """

    old: str
    new: str
    old_words: tuple[Span, ...]
    new_words: tuple[Span, ...]
    places: tuple[int, ...]

    def moved(self, start: int, end: int) -> Span | None:
        """Where a stretch of the old text stands in the new one; None unless all of its words are there, side by side.

        A stretch without a word has no place of its own.
        """
        first, last = self._words_in(start, end)
        if first > last or start >= end:
            return None
        places = self.places[first : last + 1]
        if places[0] < 0 or any(b - a != 1 for a, b in pairwise(places)):
            return None
        begins, ends = self.new_words[places[0]], self.new_words[places[-1]]
        inside, rest = start - self.old_words[first].start, self.old_words[last].end - end
        return Span(begins.start + max(inside, 0), ends.end - max(rest, 0))

    def _words_in(self, start: int, end: int) -> tuple[int, int]:
        """The first and the last old word that a stretch touches."""
        first = bisect_right([w.end for w in self.old_words], start)
        return first, bisect_left([w.start for w in self.old_words], end) - 1

    def boundary(self, place: int) -> int:
        """Where a cut between words of the old text falls in the new one: before the next old word that is still there.

        Order is kept; the beginning stays the beginning, and the end the end.
        """
        if place <= 0:
            return 0
        first = bisect_left([w.start for w in self.old_words], place)
        kept = next((i for i in range(first, len(self.places)) if self.places[i] >= 0), None)
        if place >= len(self.old) or kept is None:
            return len(self.new)
        word = self.new_words[self.places[kept]]
        mark = self.old[place : self.old_words[kept].start] if kept == first else ""
        return word.start - len(mark) if mark and self.new[: word.start].endswith(mark) else word.start

    def appended(self) -> int | None:
        """Where words begin that follow all that is left of the old ones; None where there are none."""
        last = max(self.places, default=-1)
        return self.new_words[last + 1].start if 0 <= last < len(self.new_words) - 1 else None


def realign(old: str, new: str) -> Realigned:
    """Align the words of a text with those of a corrected one."""
    old_words, new_words = _words(old), _words(new)
    a, b = [w.of(old) for w in old_words], [w.of(new) for w in new_words]
    before = _shared(a, b)
    after = _shared(a[before:][::-1], b[before:][::-1])
    places = [*range(before), *[-1] * (len(a) - before)]
    middle = a[before : len(a) - after], b[before : len(b) - after]
    matcher = SequenceMatcher(None, *middle, autojunk=max(map(len, middle)) > LONG)
    for block in matcher.get_matching_blocks():
        for k in range(block.size):
            places[before + block.a + k] = before + block.b + k
    for k in range(1, after + 1):
        places[-k] = len(b) - k
    return Realigned(old, new, old_words, new_words, tuple(places))


def same_words(one: str, other: str) -> bool:
    """Whether two texts have the same words in the same order."""
    return _WORD.findall(one) == _WORD.findall(other)


def respelt(one: str, other: str) -> bool:
    """Whether two texts have word for word the same words, some of them spelt a little otherwise."""
    a, b = _WORD.findall(one.casefold()), _WORD.findall(other.casefold())
    return len(a) == len(b) and all(_alike(x, y) for x, y in zip(a, b, strict=True))


def _alike(one: str, other: str) -> bool:
    return one == other or SequenceMatcher(None, one, other).ratio() >= RESPELT


def _words(text: str) -> tuple[Span, ...]:
    return tuple(Span(m.start(), m.end()) for m in _WORD.finditer(text))


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words two texts begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (x, y) in pairs if x != y), min(len(one), len(other)))
