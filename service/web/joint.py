"""The joint display and gap map: looked at, judged with a reason, said who sees it and what changes, traced, taken along."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel

from nlp.findings.link import Fit
from service.access.people import Person
from service.access.permissions import Action, may
from service.clock import now
from service.deps import ALead, AReader, AStudy
from service.errors import FindingError
from service.study.study import Study
from service.usecases.joint import joint, judge, numbers_of, promise
from service.usecases.joint_words import (
    FIT_WORDS,
    NEVER,
    OF_WHOM,
    fit_words,
    heard_words,
    published_words,
    quote_words,
    theme_words,
    young_report,
)
from service.usecases.trace import trace
from service.web import charts
from service.web.joint_files import FORMS, joint_file
from service.web.views import render

router = APIRouter(include_in_schema=False)


class JudgementForm(BaseModel):
    """What a lead says of one row."""

    link: str = ""
    fit: str = ""
    reason: str = ""
    took_part: str = ""
    numbers: str = ""


class PromiseForm(BaseModel):
    """Who will see it and what will change."""

    subject: str = ""
    who_sees: str = ""
    what_changes: str = ""


@router.get("/studies/{name}/joint")
def joint_page(request: Request, study: AStudy, person: AReader) -> Response:
    """Theme by theme beside indicators, and the gaps."""
    return _page(request, study, person)


def _page(
    request: Request, study: Study, person: Person, *, status: int = 200, problem: str = "",
    judged: JudgementForm | None = None, promised: PromiseForm | None = None,
) -> Response:  # fmt: skip
    return render(
        request, "joint.html", status=status, study=study, joint=joint(study), leads=may(person.role, Action.LEAD),
        reads=may(person.role, Action.READ), problem=problem, judged=judged, promised=promised, fits=FIT_WORDS,
        numbers_of=numbers_of, fit_words=fit_words, heard_words=heard_words, published_words=published_words,
        theme_words=theme_words, quote_words=quote_words, never=NEVER, of_whom=OF_WHOM, Fit=Fit,
    )  # fmt: skip


@router.post("/studies/{name}/joint/judge")
def judging(request: Request, study: AStudy, person: ALead, form: Annotated[JudgementForm, Form()]) -> Response:
    """Judge how the two figures of a row stand to each other."""
    try:
        judge(
            study, form.link, fit=form.fit, reason=form.reason, took_part=form.took_part, numbers=form.numbers,
            by=person.name, now=now(),
        )  # fmt: skip
    except FindingError as refused:
        return _page(request, study, person, status=422, problem=str(refused), judged=form)
    return RedirectResponse(f"/studies/{study.name}/joint#{form.link}", 303)


@router.post("/studies/{name}/joint/promise")
def promising(request: Request, study: AStudy, person: ALead, form: Annotated[PromiseForm, Form()]) -> Response:
    """Say who will see a finding and what will change."""
    try:
        promise(study, form.subject, who_sees=form.who_sees, what_changes=form.what_changes, by=person.name, now=now())
    except FindingError as refused:
        return _page(request, study, person, status=422, problem=str(refused), promised=form)
    return RedirectResponse(f"/studies/{study.name}/joint#{form.subject or 'all'}", 303)


@router.get("/studies/{name}/joint/young")
def young_page(request: Request, study: AStudy, _: AReader) -> Response:
    """The same in plain words."""
    return render(request, "joint_young.html", study=study, sheet=young_report(study, joint(study)))


@router.get("/studies/{name}/joint/trace/{number}")
def trace_page(request: Request, study: AStudy, number: str, _: AReader) -> Response:
    """What one number rests on."""
    return render(request, "joint_trace.html", study=study, trace=trace(study, number))


@router.get("/studies/{name}/joint/gaps.svg")
def gaps_chart(study: AStudy, _: AReader) -> Response:
    """What people speak of and nothing measures."""
    return Response(charts.gaps_svg(joint(study).gaps), media_type="image/svg+xml")


@router.get("/studies/{name}/joint/report.{form}")
def report_file(study: AStudy, form: str, person: AReader, young: bool = False) -> Response:
    """The report to take along: html, docx or pdf."""
    if form not in FORMS:
        raise HTTPException(404)
    content = joint_file(study, form, young=young, person=person.name, now=now())
    name = f"joint-display{'-young' if young else ''}.{form}"
    return Response(content, media_type=FORMS[form], headers={"Content-Disposition": f'attachment; filename="{name}"'})
