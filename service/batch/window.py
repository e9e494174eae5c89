"""What is done to a window of answers: de-identified, then read against a codebook. The same function wherever it runs.

A window is a fixed run of rows of one file, so what comes of it does not depend on how many workers there are. Names
carry over between a person's answers within their window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from nlp.deid.language import Language, languages
from nlp.deid.surrogates import Ledger, neutralise
from nlp.encode import RememberingEncoder
from nlp.themes.match import Matcher
from nlp.types import CleanText, Suggestion
from service import wiring
from service.usecases.answers import Answer

TEXTS_AT_ONCE = 256
VECTORS_KEPT = 20_000  # about 35 megabytes a process


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run does to every window. `secret` keys the surrogates, so that a second run of a file gives the same."""

    codebook: str
    top: int
    threshold: float
    secret: bytes = field(repr=False)


class Window:
    """A numbered run of answers. Its repr shows no words: queues and schedulers print what they carry."""

    __slots__ = ("answers", "file", "number", "rows")

    def __init__(self, number: int, file: str, rows: int, answers: Sequence[Answer]) -> None:
        self.number, self.file, self.rows, self.answers = number, file, rows, tuple(answers)

    def __repr__(self) -> str:
        return f"<window {self.number}: {len(self.answers)} answers>"


@dataclass(frozen=True, slots=True)
class Theme:
    """A suggested code with its probability, the word for how sure that is, and the words that earned it."""

    code: str
    name: str
    probability: float
    band: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Coded:
    """An answer without its raw words. A held answer is in another language: a person must read it, nothing is shown."""

    file: str
    row: int
    record: str
    question: str
    voice: str
    via: str
    provenance: str
    consent: str
    age_band: str
    area: str
    period: str
    attributes: dict[str, str]
    clean_text: str
    redactions: int
    held: str
    themes: tuple[Theme, ...]


@dataclass(frozen=True, slots=True)
class WindowResult:
    """What came of a window, in the order of its answers."""

    number: int
    rows: int
    coded: tuple[Coded, ...]


def code_window(window: Window, settings: Settings) -> WindowResult:
    """De-identify a window and suggest codes for what may be read."""
    read = _deidentified(window, settings.secret)
    open_texts = list(dict.fromkeys(clean.text for clean, language in read if not language.needs_person))
    found = dict(zip(open_texts, _suggested(open_texts, settings), strict=True))
    coded = (
        _coded(window.file, answer, clean, language, found.get(clean.text, ()))
        for answer, (clean, language) in zip(window.answers, read, strict=True)
    )
    return WindowResult(window.number, window.rows, tuple(coded))


def _deidentified(window: Window, secret: bytes) -> list[tuple[CleanText, Language]]:
    texts = [answer.words for answer in window.answers]
    people = [f"{window.file} {answer.person}" for answer in window.answers]
    known: dict[str, list[str]] = {}
    for answer, person in zip(window.answers, people, strict=True):
        known.setdefault(person, []).extend(answer.known)
    ledgers = {person: Ledger(secret, person) for person in people}
    clean = wiring.deidentifier().deidentify(texts, people, known, ledgers)
    return list(zip(clean, languages(texts), strict=True))


def _suggested(texts: Sequence[str], settings: Settings) -> list[tuple[Theme, ...]]:
    matcher = _matcher(settings.codebook)
    names = {code.id: code.label for code in matcher.codes}
    out: list[tuple[Theme, ...]] = []
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        batch = texts[start : start + TEXTS_AT_ONCE]
        for text, found in zip(batch, matcher.suggest(batch, threshold=settings.threshold), strict=True):
            out.append(tuple(_theme(text, s, names) for s in found[: settings.top]))
    return out


@cache
def _matcher(codebook: str) -> Matcher:
    """One for each process."""
    encoder = RememberingEncoder(wiring.encoder(), most=VECTORS_KEPT)
    return Matcher(wiring.codebook_named(codebook), encoder, read_as=neutralise)


def _theme(text: str, suggestion: Suggestion, names: dict[str, str]) -> Theme:
    evidence = text[suggestion.start : suggestion.end]
    return Theme(suggestion.code, names[suggestion.code], round(suggestion.probability, 4), suggestion.band, evidence)


def _coded(file: str, answer: Answer, clean: CleanText, language: Language, themes: Sequence[Theme]) -> Coded:
    return Coded(
        file=file,
        row=answer.row,
        record=answer.record,
        question=answer.question,
        voice=answer.voice,
        via=answer.via,
        provenance=answer.provenance,
        consent=answer.consent,
        age_band=answer.age_band,
        area=answer.area,
        period=answer.period,
        attributes=answer.attributes,
        clean_text="" if language.needs_person else clean.text,
        redactions=len(clean.plan),
        held=language.code if language.needs_person else "",
        themes=tuple(themes),
    )
