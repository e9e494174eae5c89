"""The voices: a table to search and filter, and each one whole."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from service.deps import AStudy, AVoiceReader
from service.study.search import SORTS, VoiceFilter
from service.usecases.reading import read_voice
from service.usecases.search import code_labels, every_code, search_voices, voice_options
from service.web.memos import memos_beside
from service.web.views import HANDS, PROVENANCES, SPEAKERS, render, templates

router = APIRouter(include_in_schema=False)

SORT_WORDS = {
    "intake": "Order of intake", "voice": "Who speaks", "age_band": "Age band", "area": "Area", "period": "Newest period",
    "best": "Best match of the words",
}  # fmt: skip
PageNumber = Annotated[int, Query(ge=1, le=100_000)]


def voice_filter(request: Request) -> VoiceFilter:
    """The filter that an address asks for; what it does not know it passes over."""
    asked = {f.name: request.query_params.get(f.name, "") for f in fields(VoiceFilter)}
    ticked = {name: asked.pop(name) == "1" for name in ("silent", "flagged")}
    if asked["sort"] not in SORTS:
        asked["sort"] = "intake"
    return VoiceFilter(**asked, **ticked)  # type: ignore[arg-type]


AFilter = Annotated[VoiceFilter, Depends(voice_filter)]


@router.get("/studies/{name}/voices")
def voices_page(
    request: Request, study: AStudy, person: AVoiceReader, wanted: AFilter, codes: bool = False, page: PageNumber = 1
) -> HTMLResponse:
    """The de-identified voices that fit, a page at a time."""
    labels = code_labels(study)
    columns = list(labels) if codes else []
    listed = search_voices(study, person.name, wanted, page=page, columns=columns)
    return render(
        request, "voices.html", study=study, listed=listed, wanted=wanted, labels=labels, columns=columns,
        options=voice_options(study), asked=asked(wanted, codes=codes), used=_used(wanted, labels),
    )  # fmt: skip


def _used(wanted: VoiceFilter, labels: dict[str, str]) -> list[str]:
    """The filters in use, in words."""
    known = SPEAKERS | HANDS | PROVENANCES
    kinds = (wanted.voice, wanted.age_band, wanted.area, wanted.period, wanted.via, wanted.provenance)
    said = [known.get(value, value) for value in kinds if value]
    if wanted.confirmed:
        said.append(f"confirmed “{labels.get(wanted.confirmed, wanted.confirmed)}”")
    if wanted.suggested:
        said.append(f"suggested “{labels.get(wanted.suggested, wanted.suggested)}”")
    ticked = ((wanted.silent, "nothing suggested"), (wanted.flagged, "flagged to talk about"))
    return said + [words for on, words in ticked if on]


def asked(wanted: VoiceFilter, *, codes: bool = False) -> str:
    """The filter as an address has it, without what is left as it comes."""
    said = {k: "1" if v is True else v for k, v in asdict(wanted).items() if v and (k, v) != ("sort", "intake")}
    return urlencode(said | ({"codes": "1"} if codes else {}))


@router.get("/studies/{name}/voices/{voice_id}")
def voice_page(request: Request, study: AStudy, voice_id: str, person: AVoiceReader) -> HTMLResponse:
    """One voice with its evidence."""
    reading = read_voice(study, voice_id, person=person.name)
    parts = [part.segment.id for part in reading.segments]
    return render(
        request, "voice.html", study=study, reading=reading, codes=every_code(study),
        memos=memos_beside(study, person, "voice", [voice_id]) | memos_beside(study, person, "segment", parts),
    )  # fmt: skip


templates.env.globals.update(sort_words=SORT_WORDS)
