"""A person's own words where others have quoted them, and how to take them out again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

RUN = 6
SHORTEST = 4
GONE = "[withdrawn]"
_WORD = re.compile(r"\w+(?:['’]\w+)*")
Gram = tuple[str, ...]


class Traces:
    """What a person said, as runs of words, and the names that stood in it.

    A text quotes them where it holds `RUN` words of theirs in a row, or where it is wholly theirs from `SHORTEST` words
    on; shorter runs are everybody's. Names are looked for as they were written.
    """

    def __init__(self, texts: Iterable[str], names: Iterable[str] = ()) -> None:
        self._grams: set[Gram] = set()
        for text in texts:
            said = [m.group().casefold() for m in _WORD.finditer(text)]
            for size in range(SHORTEST, RUN + 1):
                self._grams |= set(_grams(said, size))
        held = sorted({name.strip() for name in names if len(name.strip()) > 1}, key=len, reverse=True)
        self._names = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, held))})(?!\w)") if held else None

    def without(self, text: str, *, names: bool = True) -> str:
        """The text with each quotation, and with `names` each name, replaced by `GONE`."""
        found = list(_WORD.finditer(text))
        words = [m.group().casefold() for m in found]
        kept, done = [], 0
        for first, last in self._quotes(words):
            kept += [text[done : found[first].start()], GONE]
            done = found[last - 1].end()
        left = "".join([*kept, text[done:]])
        return self._names.sub(GONE, left) if names and self._names else left

    def _quotes(self, words: Sequence[str]) -> list[tuple[int, int]]:
        """Runs of theirs as (first word, one past the last), disjoint and in order."""
        if SHORTEST <= len(words) < RUN:
            return [(0, len(words))] if tuple(words) in self._grams else []
        found: list[tuple[int, int]] = []
        for start, gram in enumerate(_grams(words, RUN)):
            if gram in self._grams:
                joined = found and start <= found[-1][1]
                first = found.pop()[0] if joined else start
                found.append((first, start + RUN))
        return found


def _grams(words: Sequence[str], size: int) -> Iterable[Gram]:
    return (tuple(words[i : i + size]) for i in range(len(words) - size + 1))
