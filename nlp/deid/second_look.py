"""A second look for identifiers before words are quoted, by other means than the cascade, for a person to go through.

No model and no context: whatever stands capitalised inside a sentence, on a list of names, as a number, or is no word
of a plain dictionary and of nobody else's. It finds too much by design: what it finds is looked at, not masked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nlp.deid.lexicon import is_listed_name, listed
from nlp.deid.surrogates import SURROGATE

_CONTACT = re.compile(r"\S*@\S+|\b(?:https?://|www\.)\S+|\S+\.(?:com|co\.uk|org|net|gov\.uk)\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d[\d.,:/-]*\d|\d")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_OPENS = re.compile(r"(?:^|[.!?…:\n])[\s\"'“”‘’()*-]*$")
_ALWAYS_CAPITAL = frozenset("i i'm i'd i've i'll ok okay tv uk gp".split())
_SHORTEST_ODD = 3
_ENDINGS = ("s", "es", "d", "ed", "ing", "ly", "er", "est", "nt", "n", "y")  # “dont”, “slammin”, “sleepy”


@dataclass(frozen=True, slots=True)
class Trace:
    """A stretch that may identify somebody, in the text's offsets, and why it is shown."""

    start: int
    end: int
    why: str


def second_look(text: str, is_known: Callable[[str], bool]) -> list[Trace]:
    """What may identify somebody in a clean text, in order and disjoint; surrogates are left alone.

    `is_known` says whether a word in small letters is an ordinary one.
    """
    bare = SURROGATE.sub(lambda m: "\x00" * len(m[0]), text)
    kept: list[Trace] = []
    for trace in sorted(_found(bare, is_known), key=lambda t: (t.start, -t.end)):
        if not kept or trace.start >= kept[-1].end:
            kept.append(trace)
    return kept


def _found(text: str, is_known: Callable[[str], bool]) -> Iterator[Trace]:
    for match in _CONTACT.finditer(text):
        yield Trace(*match.span(), "an address of the web or of mail")
    for match in _NUMBER.finditer(text):
        yield Trace(*match.span(), "a number")
    for match in _WORD.finditer(text):
        if why := _why(text, match, is_known):
            yield Trace(*match.span(), why)


def _why(text: str, match: re.Match[str], is_known: Callable[[str], bool]) -> str:
    word, small = match[0], match[0].casefold().replace("’", "'")
    if small in _ALWAYS_CAPITAL:
        return ""
    stem = small.removesuffix("'s")
    inside = word[0].isupper() and not _OPENS.search(text[: match.start()])
    if is_listed_name(stem) and (inside or stem not in listed("word_names")):
        return "on a list of names"
    shouted = word.isupper() and len(word) > 1 and _ordinary(stem, is_known)
    if inside and not shouted:
        return "capitalised inside a sentence"
    parts = re.split(r"['-]", stem)
    odd = [p for p in parts if len(p) >= _SHORTEST_ODD and not _ordinary(p, is_known)]
    return "not an everyday word" if odd else ""


def _ordinary(word: str, is_known: Callable[[str], bool]) -> bool:
    """Whether a word, or what it is bent from, is known."""
    if is_known(word) or word in listed("everyday"):
        return True
    stems = [word.removesuffix(end) for end in _ENDINGS if word.endswith(end)]
    return any(
        len(s) >= _SHORTEST_ODD and (is_known(s) or is_known(s + "e") or is_known(s.rstrip(s[-1]) + s[-1]))
        for s in stems
    )


def plain(clean_text: str) -> str:
    """A clean text as it is quoted: surrogates without number, year or band, so that none ties two quotations together."""
    return SURROGATE.sub(_plain, clean_text)


def _plain(match: re.Match[str]) -> str:
    if match["numbered"]:
        return f"[{match['numbered'].lower()}]"
    if match["date"]:
        return "[date]"
    if match["age"]:
        return "[age]"
    return "[place]" if match["district"] else match[0].lower()
