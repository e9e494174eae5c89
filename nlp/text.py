"""Text before meaning: safe normalisation, and cutting into sentences and segments.

Every cut is an exact tiling: the pieces, joined, are the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from nlp.errors import SpanError
from nlp.types import Segment, Span

SEGMENT_WORDS = 80
RUN_ON_WORDS = 40

_SENTENCE_END = re.compile(
    r"(?:(?<![.!?…؟।۔。])[.!?…؟।۔。]+[\"'”’)\]]*(?=\s|$)|\n+"
    r"|(?<![\U0001F300-\U0001FAFF])[\U0001F300-\U0001FAFF]+(?=\s))\s*"
)
_JOINT = re.compile(r"\s(?=(?:and then|but|because|cos|so then|and i|and he|and she|and they)\b)", re.I)
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|st|e\.g|i\.e|etc|approx|tel|no|re|vs|dob|p\.s)|\b[A-Za-z])\.\s*$", re.I
)
_WORD = re.compile(r"\S+")
_UNREADABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Normalised:
    """A text in NFC without unreadable characters, and the way back.

    `starts` has one entry per character of `text` plus one at the end: the offset in the source
    where that character begins.
    """

    text: str
    starts: tuple[int, ...]

    def to_source(self, start: int, end: int) -> Span:
        """The source span that a span of `text` came from; it never cuts a character cluster."""
        if not 0 <= start < end <= len(self.text):
            raise SpanError(f"span {start} to {end} lies outside a text of {len(self.text)}")
        stop = end
        while stop < len(self.text) and self.starts[stop] == self.starts[end - 1]:
            stop += 1
        return Span(self.starts[start], self.starts[stop])


def normalise(text: str) -> Normalised:
    """NFC with lone surrogates and NUL replaced one for one, keeping the map to `text`."""
    readable = _readable(text)
    if unicodedata.is_normalized("NFC", readable):
        return Normalised(readable, tuple(range(len(text) + 1)))
    pieces: list[str] = []
    starts: list[int] = []
    for start, cluster in _clusters(readable):
        composed = unicodedata.normalize("NFC", cluster)
        pieces.append(composed)
        starts.extend([start] * len(composed))
    return Normalised("".join(pieces), (*starts, len(text)))


def _readable(text: str) -> str:
    if _UNREADABLE.search(text) is None:
        return text
    return "".join("\ufffd" if "\ud800" <= ch <= "\udfff" else " " if ch == "\0" else ch for ch in text)


def _clusters(text: str) -> Iterator[tuple[int, str]]:
    """Stretches that NFC treats apart from their neighbours, with where each begins."""
    start, cluster = 0, ""
    for position, ch in enumerate(text):
        if cluster and _stands_apart(cluster, ch):
            yield start, cluster
            start, cluster = position, ch
        else:
            cluster += ch
    if cluster:
        yield start, cluster


def _stands_apart(cluster: str, ch: str) -> bool:
    if unicodedata.combining(unicodedata.normalize("NFD", ch)[0]):
        return False
    together = unicodedata.normalize("NFC", cluster + ch)
    return together == unicodedata.normalize("NFC", cluster) + unicodedata.normalize("NFC", ch)


def sentences(text: str) -> list[Span]:
    """Tile `text` with sentences; a run-on of over 40 words is cut at its joints."""
    tiles: list[Span] = []
    for tile in _tiles(text, _sentence_cuts(text)):
        tiles.extend(_cut_run_on(text, tile))
    return tiles


def _sentence_cuts(text: str) -> Iterator[int]:
    for match in _SENTENCE_END.finditer(text):
        if "\n" in match[0] or not _ABBREVIATION.search(text, max(0, match.start() - 12), match.end()):
            yield match.end()


def _tiles(text: str, cuts: Iterable[int]) -> list[Span]:
    """Spans between the cuts; white space alone joins a neighbour."""
    tiles: list[Span] = []
    start = 0
    for cut in (*cuts, len(text)):
        if text[start:cut].strip():
            tiles.append(Span(start, cut))
        elif tiles and start < cut:
            tiles[-1] = Span(tiles[-1].start, cut)
        else:
            continue
        start = cut
    return tiles


def _cut_run_on(text: str, tile: Span) -> list[Span]:
    words = tile.of(text)
    if len(words.split()) <= RUN_ON_WORDS:
        return [tile]
    cuts, last = [], 0
    for match in _JOINT.finditer(words):
        if len(words[last : match.end()].split()) >= 8:
            cuts.append(match.end())
            last = match.end()
    return [Span(tile.start + piece.start, tile.start + piece.end) for piece in _tiles(words, cuts)]


def segments(text: str, *, max_words: int = SEGMENT_WORDS) -> list[Segment]:
    """Tile `text` with units for coding: whole sentences, up to `max_words` words together.

    A single sentence longer than that stays whole unless it exceeds twice the limit; then it is
    cut between words. A text without a word gives no segment.
    """
    if not text.strip():
        return []
    spans: list[Span] = []
    for sentence in sentences(text):
        for piece in _cut_long(text, sentence, 2 * max_words):
            if spans and _word_count(text, spans[-1]) + _word_count(text, piece) <= max_words:
                spans[-1] = Span(spans[-1].start, piece.end)
            else:
                spans.append(piece)
    return [Segment(i, s.start, s.end, s.of(text)) for i, s in enumerate(spans)]


def _word_count(text: str, span: Span) -> int:
    return len(span.of(text).split())


def _cut_long(text: str, span: Span, limit: int) -> list[Span]:
    starts = [m.start() for m in _WORD.finditer(text, span.start, span.end)]
    if len(starts) <= limit:
        return [span]
    edges = [span.start, *starts[limit::limit], span.end]
    return [Span(a, b) for a, b in pairwise(edges)]
