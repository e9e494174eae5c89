"""Texts of callers who keep their own store: de-identified, or read against a codebook. Nothing of them is kept."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Self, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from nlp.deid.surrogates import neutralise
from nlp.themes.match import SHOWN_FROM, Matcher
from service import wiring
from service.access.people import Person
from service.api.router import api_router
from service.deps import ATextSender
from service.errors import RecordError
from service.usecases.texts import Cleaned, Proposed, Sent, deidentify_texts, suggest_for_texts

router = api_router("texts")

MOST_TEXTS, LONGEST_TEXT, MOST_CHARACTERS = 100, 50_000, 200_000
Body = TypeVar("Body", bound="_Body")
OwnId = Annotated[str, Field(max_length=200, description="An id of the caller's own, given back with the answer.")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RawText(_Body):
    """A text as it was written down."""

    id: OwnId = ""
    text: Annotated[str, Field(max_length=LONGEST_TEXT)]
    participant: Annotated[str, Field(max_length=200, description="Texts of one person are read together.")] = ""
    known: Annotated[
        list[Annotated[str, Field(max_length=200)]], Field(max_length=50, description="Names that are on the form.")
    ] = []


class ToDeidentify(_Body):
    """Texts to de-identify, 200,000 characters in all."""

    texts: Annotated[list[RawText], Field(min_length=1, max_length=MOST_TEXTS)]

    @model_validator(mode="after")
    def _not_too_much(self) -> Self:
        return _within(self, self.texts)


class CleanSpan(BaseModel):
    """An identifier that was replaced: `start` and `end` in the text that was sent, the others in the clean text."""

    label: str
    start: int
    end: int
    clean_start: int
    clean_end: int


class CleanedText(BaseModel):
    """A de-identified text. It is null where a person must see to it: its `language` is not one that is protected."""

    id: str
    clean_text: str | None
    needs_person: bool
    language: str
    spans: list[CleanSpan]


class Deidentified(BaseModel):
    """The texts in their order, and what read them. Offsets are code points."""

    method: str
    model: str
    texts: list[CleanedText]


class DeidentifiedText(_Body):
    """A text from which the identifiers are already gone."""

    id: OwnId = ""
    text: Annotated[str, Field(max_length=LONGEST_TEXT)]


class ToSuggest(_Body):
    """De-identified texts to read against one of the codebooks that are installed, 200,000 characters in all."""

    codebook: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]{0,99}$")]
    texts: Annotated[list[DeidentifiedText], Field(min_length=1, max_length=MOST_TEXTS)]
    threshold: Annotated[float, Field(ge=0.01, le=0.99)] = SHOWN_FROM

    @model_validator(mode="after")
    def _not_too_much(self) -> Self:
        return _within(self, self.texts)


class SuggestedCode(BaseModel):
    """A code that may fit. `start` and `end` are its evidence, in the text that was sent. A person decides."""

    code: str
    label: str
    probability: float
    band: str
    start: int
    end: int


class SuggestedSegment(BaseModel):
    """A segment with its suggestions, best first; often there is none."""

    start: int
    end: int
    suggestions: list[SuggestedCode]


class SuggestedText(BaseModel):
    """A text as its segments."""

    id: str
    segments: list[SuggestedSegment]


class Suggested(BaseModel):
    """The texts in their order, and what read them. Offsets are code points."""

    codebook: str
    version: str
    method: str
    model: str
    texts: list[SuggestedText]


def _within(body: Body, texts: list[RawText] | list[DeidentifiedText]) -> Body:
    if sum(len(t.text) for t in texts) > MOST_CHARACTERS:
        raise PydanticCustomError("too_much", "too much")
    return body


@router.post("/deidentify")
async def deidentify(request: Request, person: ATextSender, body: ToDeidentify) -> Deidentified:
    """De-identify texts without keeping them."""
    sent = [Sent(t.text, t.participant, tuple(t.known)) for t in body.texts]
    deidentifier = wiring.deidentifier()
    cleaned = await request.app.state.turns.run(_caller(person), lambda: deidentify_texts(sent, deidentifier))
    texts = [_cleaned(t.id, c) for t, c in zip(body.texts, cleaned, strict=True)]
    return Deidentified(method=deidentifier.method, model=deidentifier.fingerprint, texts=texts)


@router.post("/suggest")
async def suggest(request: Request, person: ATextSender, body: ToSuggest) -> Suggested:
    """Suggest codes for de-identified texts without keeping them."""
    words = [t.text for t in body.texts]

    def read() -> tuple[Matcher, str, list[list[Proposed]]]:
        matcher, version = _matcher(body.codebook)
        return matcher, version, suggest_for_texts(words, matcher, threshold=body.threshold)

    matcher, version, found = await request.app.state.turns.run(_caller(person), read)
    labels = {code.id: code.label for code in matcher.codes}
    read_as = zip(body.texts, found, strict=True)
    texts = [SuggestedText(id=t.id, segments=[_segment(p, labels) for p in parts]) for t, parts in read_as]
    return Suggested(
        codebook=body.codebook, version=version, method=matcher.method, model=wiring.encoder().fingerprint, texts=texts
    )


def _caller(person: Person) -> str:
    return person.key or f"person {person.id}"


def _cleaned(own_id: str, cleaned: Cleaned) -> CleanedText:
    clean = cleaned.clean
    spans = [
        CleanSpan(label=r.label, start=r.start, end=r.end, clean_start=s.start, clean_end=s.end)
        for r, s in zip(clean.plan, clean.surrogates, strict=True)
    ]
    held = bool(cleaned.language)
    return CleanedText(
        id=own_id, clean_text=None if held else clean.text, needs_person=held, language=cleaned.language, spans=spans
    )


def _segment(proposed: Proposed, labels: dict[str, str]) -> SuggestedSegment:
    codes = [
        SuggestedCode(
            code=s.code, label=labels[s.code], probability=round(s.probability, 4), band=s.band,
            start=proposed.start + s.start, end=proposed.start + s.end,
        )
        for s in proposed.suggestions
    ]  # fmt: skip
    return SuggestedSegment(start=proposed.start, end=proposed.end, suggestions=codes)


@lru_cache(maxsize=8)
def _matcher(codebook: str) -> tuple[Matcher, str]:
    """Encoding a codebook takes a second or two, so the last few are kept."""
    if not (wiring.settings().codebooks / codebook).is_dir():
        raise RecordError("no codebook of that name is installed; GET /v1/codebooks lists them")
    book = wiring.codebook_in_folder(codebook)
    return Matcher(book, wiring.encoder(), read_as=neutralise), book.version
