"""The safeguarding lead's page: what was raised, in ids and ages, and the local protocol; raising from a voice's page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from service.clock import now
from service.deps import ASafeguardingLead, AStudy, AVoiceReader
from service.errors import ConflictError, MemoError, RecordError
from service.study.flags import DISCLOSURE, flag
from service.study.passports import passport_of
from service.study.protocols import protocol_of
from service.study.study import Study
from service.study.voices import segments
from service.usecases.flags import LONGEST_NOTE, close_flag, raise_flag
from service.usecases.safeguarding import LONGEST_PROTOCOL, concerns, set_protocol
from service.web.views import render

router = APIRouter(include_in_schema=False)


@router.get("/studies/{name}/safeguarding")
def safeguarding_page(request: Request, study: AStudy, _: ASafeguardingLead) -> Response:
    """What was raised, open and closed, without a word of the texts."""
    return _page(request, study)


@router.post("/studies/{name}/safeguarding/protocol")
def writing(
    request: Request, study: AStudy, person: ASafeguardingLead, words: Annotated[str, Form(max_length=50_000)] = "",
    version: Annotated[int, Form(ge=0)] = 0,
) -> Response:  # fmt: skip
    """Write the local protocol down anew."""
    try:
        set_protocol(study, words, by=person.name, now=now(), after=version)
    except (MemoError, ConflictError) as problem:
        return _page(request, study, problem=(0, str(problem), words), status=422)
    return RedirectResponse(f"/studies/{study.name}/safeguarding#protocol", 303)


@router.post("/studies/{name}/safeguarding/{number}")
def closing(
    request: Request, study: AStudy, person: ASafeguardingLead, number: int,
    note: Annotated[str, Form(max_length=5000)] = "",
) -> Response:  # fmt: skip
    """Close a record, with what was done."""
    if flag(study.db, number).kind != DISCLOSURE:
        raise RecordError("there is no possible disclosure of that number in this study")
    try:
        close_flag(study, number, by=person.name, now=now(), note=note)
    except MemoError as problem:
        return _page(request, study, problem=(number, str(problem), note), status=422)
    return RedirectResponse(f"/studies/{study.name}/safeguarding", 303)


@router.post("/studies/{name}/voices/{voice_id}/disclosure")
def raising(
    study: AStudy, person: AVoiceReader, voice_id: str, segment: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    """Raise a possible disclosure on a segment of a voice, by anybody who may read it."""
    if not segments(study.db, "s.id = ? AND s.voice = ?", [segment, voice_id]):
        raise RecordError("there is no segment of that id in this voice")
    raise_flag(study, segment, DISCLOSURE, by=person.name, now=now())
    return RedirectResponse(f"/studies/{study.name}/flags#mine", 303)


def _page(
    request: Request, study: Study, *, problem: tuple[int, str, str] = (-1, "", ""), status: int = 200
) -> Response:
    open_, closed = concerns(study, now())
    passport = passport_of(study)
    return render(
        request, "safeguarding.html", status=status, study=study, open=open_, closed=closed, protocol=protocol_of(study.db),
        named=passport.safeguarding_lead if passport else "", problem=problem, longest=LONGEST_NOTE,
        longest_protocol=LONGEST_PROTOCOL,
    )  # fmt: skip
