"""What may be read of a study: where it stands, its voices, suggestions and decisions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict

from service.access.permissions import Action
from service.api.paging import AfterNumber, AfterPage, AfterTime, Limit, Page, cursor_to
from service.api.router import api_router
from service.deps import Anybody, AReader, AStudy, AVoiceReader
from service.study.decisions import Coding
from service.study.passports import passport_of
from service.study.search import VoiceFilter
from service.study.study import Study, find_studies, opened
from service.study.voices import StoredRedaction, StoredSegment, clean_text, newest_version
from service.usecases.findings import overview
from service.usecases.listed import DecisionLine, SegmentSuggestions, decisions_after, suggestions_after
from service.usecases.reading import read_voice
from service.usecases.search import VoiceLine, search_voices

router = api_router("studies")
Words = Annotated[str, Query(max_length=300)]
CodeId = Annotated[str, Query(max_length=100)]


class PassportOut(BaseModel):
    """Why a study's voices are held; `retention` is the last day, `outputs` what may leave."""

    model_config = ConfigDict(from_attributes=True)

    purpose: str
    controller: str
    lawful_basis: str
    condition: str
    dpia: str
    ethics: str
    retention: str
    outputs: tuple[str, ...]
    safeguarding_lead: str


class StudyOut(BaseModel):
    """A study that is served here; `codebook` is the id of the one that it codes with. Without `passport` nothing comes in."""

    name: str
    title: str
    codebook: str
    fictional: bool
    passport: PassportOut | None


class VoicesPage(Page[VoiceLine]):
    """Voices, and how many there are in all."""

    total: int


class _Read(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class RecordOut(_Read):
    """What is known of a voice besides its words. `participant` is a pseudonym."""

    id: str
    participant: str
    voice: str
    via: str
    provenance: str
    consent: str
    question: str
    age_band: str
    area: str
    period: str
    attributes: dict[str, str]


class SuggestionOut(_Read):
    """A suggestion. It has no number here: the gap between two would tell how many are kept back."""

    code: str
    probability: float
    band: str
    start: int
    end: int
    quote: str
    nearest: str
    nearest_segment: str
    against: str
    calibrated_on: int
    codebook_version: str
    method: str
    model: str


class SegmentOut(_Read):
    """A segment; `blind` says that suggestions are kept back, `alone` that others' codings are."""

    segment: StoredSegment
    suggestions: list[SuggestionOut]
    codings: list[Coding]
    blind: bool
    alone: bool


class VoiceOut(_Read):
    """One voice, whole. Offsets are code points of `text`."""

    record: RecordOut
    text: str
    redactions: list[StoredRedaction]
    segments: list[SegmentOut]


class Replaced(BaseModel):
    """Where a surrogate stands in a clean text, and what it stands for."""

    start: int
    end: int
    label: str


class CleanTextOut(BaseModel):
    """The newest clean text of a voice. Offsets are code points."""

    voice: str
    version: int
    text: str
    redactions: list[Replaced]


@router.get("/studies")
def studies(request: Request, person: Anybody) -> list[StudyOut]:
    """The studies that are served here in which the key's person has a part."""
    found = []
    for folder in find_studies(request.app.state.studies):
        with opened(folder, request.app.state.pool.lend) as study:
            if person.within(study.id).may(Action.FINDINGS):
                found.append(
                    StudyOut(
                        name=study.name, title=study.title, codebook=study.codebook, fictional=study.fictional,
                        passport=_passport(study),
                    )
                )  # fmt: skip
    return found


def _passport(study: Study) -> PassportOut | None:
    held = passport_of(study)
    return None if held is None else PassportOut.model_validate(held)


@router.get("/studies/{name}")
def study(study: AStudy, _: AReader) -> dict[str, Any]:
    """Counts of what came in, what is protected and what is read."""
    return {
        "name": study.name, "title": study.title, "passport": _passport(study), **asdict(overview(study)),
    }  # fmt: skip


@router.get("/studies/{name}/voices")
def voices(
    study: AStudy, person: AVoiceReader, words: Words = "", suggested: CodeId = "", confirmed: CodeId = "",
    voice: CodeId = "", after: AfterPage = None, limit: Limit = 50,
) -> VoicesPage:  # fmt: skip
    """De-identified voices that fit, in the order of intake."""
    wanted = VoiceFilter(words=words, voice=voice, suggested=suggested, confirmed=confirmed)
    page, size = after or (1, limit)
    found = search_voices(study, person.name, wanted, page=page, size=size)
    more = cursor_to(found.page + 1, size) if found.page < found.pages else None
    return VoicesPage(items=list(found.lines), next=more, total=found.total)


@router.get("/studies/{name}/voices/{voice_id}")
def voice(study: AStudy, voice_id: str, person: AVoiceReader) -> VoiceOut:
    """One voice with its segments, suggestions and codings."""
    return VoiceOut.model_validate(read_voice(study, voice_id, person=person.name))


@router.get("/studies/{name}/voices/{voice_id}/clean-text")
def voice_text(study: AStudy, voice_id: str, _: AVoiceReader) -> CleanTextOut:
    """A voice's clean text alone."""
    text, newest = clean_text(study.db, voice_id), newest_version(study.db, voice_id)
    redactions = [Replaced(start=r.start, end=r.end, label=r.label) for r in newest.redactions]
    return CleanTextOut(voice=voice_id, version=newest.version, text=text, redactions=redactions)


@router.get("/studies/{name}/suggestions")
def suggestions(
    study: AStudy, person: AVoiceReader, after: AfterNumber = None, limit: Limit = 50
) -> Page[SegmentSuggestions]:
    """Every segment with its suggestions, as far as the caller may see them yet."""
    lines, last = suggestions_after(study, person.name, after=after[0] if after else 0, limit=limit)
    return Page(items=lines, next=None if last is None else cursor_to(last))


@router.get("/studies/{name}/decisions")
def decisions(study: AStudy, person: AVoiceReader, after: AfterTime = None, limit: Limit = 50) -> Page[DecisionLine]:
    """What people decided, in the order of time, as far as the caller may see it yet."""
    since, skip = after or ("", 0)
    lines, following = decisions_after(study, person.name, since=since, skip=skip, limit=limit)
    return Page(items=lines, next=None if following is None else cursor_to(*following))
