"""Break-glass on pages: asking and looking for the safeguarding lead, answering for data managers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from service.clock import now
from service.deps import APassportKeeper, ASafeguardingLead, AStudy
from service.errors import ConflictError, MemoError, RecordError
from service.study.glass import asks
from service.study.study import Study
from service.usecases.glass import LONGEST_REASON, MINUTES, answer, ask, closes_at, look
from service.web.check import AKey
from service.web.views import render

router = APIRouter(include_in_schema=False)


@router.get("/studies/{name}/break-glass")
def glass_page(
    request: Request, study: AStudy, _: ASafeguardingLead, voice: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """Every request, and a form to ask, about the `voice` that a record leads from."""
    return _page(request, study, voice=voice)


@router.post("/studies/{name}/break-glass")
def asking(
    request: Request, study: AStudy, person: ASafeguardingLead,
    voice: Annotated[str, Form(max_length=200)] = "", reason: Annotated[str, Form(max_length=5000)] = "",
) -> Response:  # fmt: skip
    """Ask to see the original words of one voice."""
    try:
        ask(study, voice.strip(), reason, by=person.name, now=now())
    except (MemoError, RecordError) as problem:
        return _page(request, study, problem=str(problem), status=422)
    return RedirectResponse(f"/studies/{study.name}/break-glass", 303)


@router.post("/studies/{name}/break-glass/{number}/look")
def looking(request: Request, study: AStudy, person: ASafeguardingLead, key: AKey, number: int) -> Response:
    """The original words, for a short time; a request with a body, so that no address or prefetch shows them."""
    at = now()
    try:
        held, words = look(study, key, number, by=person.name, now=at)
    except (ConflictError, RecordError) as problem:
        return _page(request, study, problem=str(problem), status=409)
    shown = render(request, "glass_words.html", study=study, held=held, words=words, until=closes_at(held))
    left = datetime.fromisoformat(closes_at(held)) - datetime.fromisoformat(at)
    shown.headers["Refresh"] = f"{max(1, int(left.total_seconds()))}; url=/studies/{study.name}/break-glass"
    return shown


@router.get("/studies/{name}/break-glass/asked")
def asked_page(request: Request, study: AStudy, person: APassportKeeper) -> Response:
    """Requests to answer, without a word of what they ask for."""
    return _page(request, study, answers=person.name)


@router.post("/studies/{name}/break-glass/{number}/answer")
def answering(
    request: Request, study: AStudy, person: APassportKeeper, number: int, allowed: Annotated[bool, Form()]
) -> Response:
    """Allow or refuse a request, once and not one's own."""
    try:
        answer(study, number, allowed=allowed, by=person.name, now=now())
    except (ConflictError, RecordError) as problem:
        return _page(request, study, answers=person.name, problem=str(problem), status=409)
    return RedirectResponse(f"/studies/{study.name}/break-glass/asked", 303)


def _page(
    request: Request, study: Study, *, answers: str = "", problem: str = "", voice: str = "", status: int = 200
) -> Response:
    return render(
        request, "glass.html", status=status, study=study, asks=[(a, closes_at(a)) for a in asks(study.db)],
        answers=answers, problem=problem, voice=voice, minutes=MINUTES, longest=LONGEST_REASON,
    )  # fmt: skip
