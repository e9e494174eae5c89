"""Texts that are kept elsewhere: de-identified or read against a codebook, answered, and not stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_bytes

from nlp.deid.cascade import Deidentifier
from nlp.deid.language import languages
from nlp.deid.surrogates import Ledger
from nlp.text import segments
from nlp.themes.match import Matcher
from nlp.types import CleanText, Suggestion


@dataclass(frozen=True, slots=True, repr=False)
class Sent:
    """A text that was sent, with who it is of and the names on its form. It has no repr: nothing shows its words."""

    text: str
    participant: str = ""
    known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What became of a text; `language` says which one it is in where the machine does not protect that language."""

    clean: CleanText
    language: str


@dataclass(frozen=True, slots=True)
class Proposed:
    """A segment of a text with its suggestions, best first; all offsets lie in the text."""

    start: int
    end: int
    suggestions: tuple[Suggestion, ...]


def deidentify_texts(texts: Sequence[Sent], deidentifier: Deidentifier) -> list[Cleaned]:
    """De-identify texts, those of one participant together. Surrogates mean nothing outside this one answer."""
    cases = [f"p {t.participant}" if t.participant else f"text {i}" for i, t in enumerate(texts)]
    known: dict[str, list[str]] = {}
    for text, case in zip(texts, cases, strict=True):
        known.setdefault(case, []).extend(text.known)
    secret = token_bytes(32)
    words = [t.text for t in texts]
    clean = deidentifier.deidentify(words, cases, known, {case: Ledger(secret, case) for case in cases})
    return [
        Cleaned(c, language.code if language.needs_person else "")
        for c, language in zip(clean, languages(words), strict=True)
    ]


def suggest_for_texts(texts: Sequence[str], matcher: Matcher, *, threshold: float) -> list[list[Proposed]]:
    """Suggest codes for each segment of each de-identified text."""
    parts = [(i, s) for i, text in enumerate(texts) for s in segments(text)]
    found = matcher.suggest([s.text for _, s in parts], threshold=threshold)
    out: list[list[Proposed]] = [[] for _ in texts]
    for (i, segment), suggestions in zip(parts, found, strict=True):
        out[i].append(Proposed(segment.start, segment.end, tuple(suggestions)))
    return out
