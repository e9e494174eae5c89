"""Offsets of other tools: UTF-16 units or characters, a line end of CR and LF as two or one, found out and not guessed.

Measured on real exports: NVivo counts UTF-16 units and two for CR LF; ATLAS.ti counts one. A reader that slices Python
strings with NVivo's numbers misplaces three codings in four once a text holds emoji.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file's offsets count."""

    utf16: bool
    crlf: int

    def __str__(self) -> str:
        units = "UTF-16 units" if self.utf16 else "characters"
        return f"{units}, line end of CR and LF as {'two' if self.crlf == 2 else 'one'}"


NVIVO, ATLAS = Reading(utf16=True, crlf=2), Reading(utf16=True, crlf=1)
READINGS = (NVIVO, ATLAS, Reading(utf16=False, crlf=2), Reading(utf16=False, crlf=1))


def with_lf(text: str) -> str:
    """The text with LF line ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


class Ruler:
    """Positions of one text under one reading, and back."""

    def __init__(self, text: str, reading: Reading) -> None:
        self._starts = [0, *accumulate(_widths(text, reading))]

    def index(self, position: int) -> int | None:
        """The offset in the LF text where a position stands; None where none does: outside, or inside a character."""
        at = bisect_left(self._starts, position)
        return at if at < len(self._starts) and self._starts[at] == position else None

    def position(self, index: int) -> int:
        """The position of an offset in the LF text."""
        return self._starts[index]


def _widths(text: str, reading: Reading) -> Iterator[int]:
    for number, part in enumerate(text.split("\r\n")):
        if number:
            yield reading.crlf
        yield from (2 if reading.utf16 and ch > "\uffff" else 1 for ch in part)


class Words:
    """A source's text as it lies in the file, with LF line ends (`plain`), and its rulers, each made once."""

    def __init__(self, text: str) -> None:
        self._text, self.plain = text, with_lf(text)
        self._rulers: dict[Reading, Ruler] = {}

    def index(self, position: int, reading: Reading) -> int | None:
        """The offset in `plain` of a position under a reading."""
        if reading not in self._rulers:
            self._rulers[reading] = Ruler(self._text, reading)
        return self._rulers[reading].index(position)


@dataclass(frozen=True, slots=True, repr=False)
class Raw:
    """One selection as it stands in the file, over its source's words."""

    words: Words
    start: int
    end: int
    name: str = ""

    def placed(self, reading: Reading) -> tuple[int | None, int | None]:
        """Its offsets in the plain text under a reading."""
        return self.words.index(self.start, reading), self.words.index(self.end, reading)

    def is_named(self, reading: Reading) -> bool:
        """Whether its words under a reading are those of its name; tools cut long names and end them with dots."""
        start, end = self.placed(reading)
        if not self.name or start is None or end is None or start >= end:
            return False
        words, wanted = " ".join(self.words.plain[start:end].split()), " ".join(self.name.split())
        cut = wanted.rstrip(".…").rstrip()
        return words == wanted or (cut != wanted and len(cut) > 10 and words.startswith(cut))

    def edges(self, reading: Reading) -> int:
        """How many of its two ends stand at the edges of words under a reading."""
        return sum(at_edge(self.words.plain, index) for index in self.placed(reading))


def best_reading(selections: Sequence[Raw], origin: str = "") -> Reading:
    """The reading under which most selections are the words that the file names, or else stand at the edges of words.

    Equal readings go by what the tool that wrote the file is known to do.
    """
    liked = sorted(READINGS, key=lambda reading: reading != (ATLAS if "atlas" in origin.casefold() else NVIVO))
    return max(liked, key=lambda r: (sum(s.is_named(r) for s in selections), sum(s.edges(r) for s in selections)))


def at_edge(text: str, index: int | None) -> bool:
    """Whether an offset stands between words, at the edge of one, or at an end of the text."""
    if index is None:
        return False
    return not 0 < index < len(text) or not (text[index - 1].isalnum() and text[index].isalnum())


def names_are_words(selections: Iterable[Raw], reading: Reading) -> bool:
    """Whether a file names its selections with their words: true of at least half of those with a name."""
    fits = [one.is_named(reading) for one in selections if one.name]
    return bool(fits) and sum(fits) * 2 >= len(fits)
