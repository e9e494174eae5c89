"""Other councils' packs beside the study's own findings, and each code's shares put together."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from nlp.errors import PackError
from nlp.findings.meta import ASSUMPTIONS, LEAST, METHOD, Together, Told
from nlp.findings.pack import LARGEST
from service.access.people import Person
from service.access.permissions import Action, may
from service.clock import now
from service.deps import ALead, AReader, AStudy
from service.study.study import Study
from service.usecases.kept import kept
from service.usecases.packs import load_pack
from service.usecases.packs_compare import Comparison, Row, compare
from service.web import charts
from service.web.views import percent, render

AROUND_A_FILE = 4_096
LONGEST = 100

router = APIRouter(include_in_schema=False)


def _compared(study: Study) -> Comparison:
    return kept(study, "packs", lambda: compare(study))


def told_words(told: Told | Together) -> str:
    """A share with its interval, or why there is none."""
    if isinstance(told, Told) and told.held_back:
        return told.held_back
    return f"{percent(told.share)} ({percent(told.low)} to {percent(told.high)})"


def forest_words(row: Row) -> str:
    """What the forest plot shows, in a sentence."""
    said = "; ".join(f"{t.council} {told_words(t)}" for t in row.told if not t.held_back)
    return f"{said or 'No council shows a share'}. " + (
        f"Together {told_words(row.together)}." if row.together else row.refusal
    )


@router.get("/studies/{name}/packs")
def packs_page(request: Request, study: AStudy, person: AReader) -> Response:
    """Every code that another council tells of too."""
    return _page(request, study, person)


def _page(
    request: Request, study: Study, person: Person, *, status: int = 200, problem: str = "", fingerprint: str = ""
) -> Response:
    return render(
        request, "packs.html", status=status, study=study, found=_compared(study), told_words=told_words, least=LEAST,
        loads=may(person.role, Action.LEAD), problem=problem, fingerprint=fingerprint,
    )  # fmt: skip


@router.post("/studies/{name}/packs")
async def loading(request: Request, study: AStudy, person: ALead) -> Response:
    """Load another council's pack, if it verifies."""
    fingerprint = ""
    try:
        content, fingerprint = await _sent(request)
        await run_in_threadpool(load_pack, study, content, fingerprint=fingerprint, now=now(), actor=person.name)
    except PackError as refused:
        words = str(refused)
        problem = words[:1].upper() + words[1:] + "."
        return await run_in_threadpool(
            _page, request, study, person, status=422, problem=problem, fingerprint=fingerprint
        )
    return RedirectResponse(f"/studies/{study.name}/packs", 303)


async def _sent(request: Request) -> tuple[bytes, str]:
    """The form's file, no more of it than tells that it is too large, and the fingerprint."""
    said = request.headers.get("Content-Length", "")
    if not said.isdigit():
        raise HTTPException(411)
    if int(said) > LARGEST + AROUND_A_FILE:
        async for _ in request.stream():  # read to its end, so that the browser shows the answer
            pass
        raise PackError("it is larger than a pack can be")
    form = await request.form(max_files=1, max_fields=1)
    held, fingerprint = form.get("file"), form.get("fingerprint", "")
    if not isinstance(held, UploadFile) or not held.filename:
        raise PackError("choose a pack's file first")
    return await held.read(), str(fingerprint)[:LONGEST]


@router.get("/studies/{name}/packs/{code}")
def pack_code_page(request: Request, study: AStudy, code: str, _: AReader) -> Response:
    """One code over councils: forest plot, table, and how far they differ."""
    found = _compared(study)
    row = found.row(code)
    weights = dict(row.together.councils) if row.together else {}
    return render(
        request, "packs_code.html", study=study, row=row, packs=found.sources[1:], weights=weights, told_words=told_words,
        forest_words=forest_words(row), method=METHOD, assumptions=ASSUMPTIONS,
    )  # fmt: skip


@router.get("/studies/{name}/packs/{code}/forest.svg")
def forest_chart(study: AStudy, code: str, _: AReader) -> Response:
    """The forest plot of one code."""
    return Response(charts.forest_svg(_compared(study).row(code)), media_type="image/svg+xml")
