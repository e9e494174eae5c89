"""Excerpts by code: what coders confirmed, in its context, for the team."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from service.access.people import Person
from service.access.permissions import Action
from service.deps import AStudy, AVoiceReader
from service.errors import RecordError
from service.study.study import Study
from service.usecases.excerpts import ExcerptFilter, code_counts, excerpts_of
from service.usecases.search import every_code, voice_options
from service.web.memos import memos_beside
from service.web.views import render
from service.web.voices import PageNumber

router = APIRouter(include_in_schema=False)


@router.get("/studies/{name}/excerpts")
def excerpts_page(
    request: Request, study: AStudy, person: AVoiceReader, code: str = "", stance: str = "", voice: str = "",
    area: str = "", page: PageNumber = 1,
) -> HTMLResponse:  # fmt: skip
    """The confirmed excerpts of one code, or how many there are of each."""
    if not code:
        return _codes(request, study, person)
    codes = every_code(study)
    if code not in codes:
        raise RecordError("this study has never had a code of that id")
    wanted = ExcerptFilter(code, stance, voice, area)
    found = excerpts_of(study, person.name, wanted, page=page)
    asked = urlencode({k: v for k, v in (("code", code), ("stance", stance), ("voice", voice), ("area", area)) if v})
    segments = [passage.segment for theirs in found.people for passage in theirs]
    return render(
        request, "excerpts.html", study=study, found=found, wanted=wanted, code=codes[code], asked=asked,
        options=voice_options(study), code_memos=memos_beside(study, person, "code", [code]).get(code, []),
        memos=memos_beside(study, person, "segment", segments), may_ask=person.may(Action.CODE),
    )  # fmt: skip


def _codes(request: Request, study: Study, person: Person) -> HTMLResponse:
    counts = code_counts(study, person.name)
    codes = every_code(study)
    rows = sorted(((codes[c], n) for c, n in counts.items() if c in codes), key=lambda row: -row[1].people)
    return render(request, "excerpts_codes.html", study=study, rows=rows)
