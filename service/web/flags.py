"""Flags: what coders want to talk about, the possible disclosures that one raised oneself, and the local protocol."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from service.access.people import Person
from service.access.permissions import Action
from service.clock import now
from service.deps import ACoder, AStudy, AVoiceReader
from service.errors import MemoError, RecordError
from service.study.passports import passport_of
from service.study.protocols import protocol_of
from service.study.study import Study
from service.study.voices import segments
from service.usecases.flags import LONGEST_NOTE, close_flag, flags_for
from service.web.views import render

router = APIRouter(include_in_schema=False)


@router.get("/studies/{name}/flags")
def flags_page(request: Request, study: AStudy, person: AVoiceReader) -> Response:
    """The flags that the person may see."""
    return _page(request, study, person)


@router.post("/studies/{name}/flags/{number}")
def ending(
    request: Request, study: AStudy, person: ACoder, number: int, note: Annotated[str, Form(max_length=5000)] = ""
) -> Response:  # fmt: skip
    """End a flag, with what came of it."""
    if number not in {flag.seq for flag in flags_for(study, person.name).discuss}:
        raise RecordError("there is no flag of that number in this study")
    try:
        close_flag(study, number, by=person.name, now=now(), note=note)
    except MemoError as refused:
        return _page(request, study, person, problem=(number, str(refused), note), status=422)
    return RedirectResponse(f"/studies/{study.name}/flags", 303)


def _page(
    request: Request, study: Study, person: Person, *, problem: tuple[int, str, str] = (0, "", ""), status: int = 200
) -> Response:  # fmt: skip
    raised, passport = flags_for(study, person.name), passport_of(study)
    open_ = [flag.segment for flag in raised.discuss if not flag.ended_at]
    held = segments(study.db, f"s.id IN ({','.join('?' * len(open_))})", open_)
    return render(
        request, "flags.html", status=status, study=study, raised=raised, words={s.id: s.text for s in held},
        problem=problem, longest=LONGEST_NOTE, may_end=person.may(Action.CODE),
        safeguards=person.may(Action.SAFEGUARD), named=passport.safeguarding_lead if passport else "",
        protocol=protocol_of(study.db),
    )  # fmt: skip
