"""Accepting many suggestions at once, for leads: what blind readings say of each code, what would be accepted, what was."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from nlp.findings.bulk import NEEDED, people_needed
from service.clock import now
from service.deps import ALead, AStudy
from service.errors import ConflictError, RecordError, StudyError
from service.study.study import Study
from service.usecases.bulk import FEWEST, accept_many, act_lines, offers, take_back
from service.usecases.search import every_code
from service.web.queue import shut
from service.web.views import render

router = APIRouter(include_in_schema=False)
HERE = "/studies/{name}/accept-many"


@router.get(HERE)
def bulk_page(request: Request, study: AStudy, person: ALead) -> Response:
    """Codes with suggestions that nobody has decided on, and earlier acceptances."""
    return _page(request, study, person.name)


def _page(request: Request, study: Study, person: str, problem: str = "", status: int = 200) -> Response:
    try:
        found = offers(study, person)
    except RecordError:
        found = []
    return render(
        request, "accept_many.html", status=status, study=study, offers=found, acts=act_lines(study), codes=every_code(study),
        needed=NEEDED, people=people_needed(), fewest=FEWEST, problem=problem, shut=shut(study),
    )  # fmt: skip


@router.post(HERE)
def accepting(
    request: Request, study: AStudy, person: ALead, code: Annotated[str, Form(max_length=100)],
    accept: Annotated[int, Form(ge=0, le=10**7)], hold: Annotated[int, Form(ge=0, le=10**4)],
) -> Response:  # fmt: skip
    """Accept a code's suggestions but for those that are held back."""
    try:
        act = accept_many(study, code, accept=accept, hold=hold, by=person.name, now=now())
    except ConflictError as changed:
        return _page(request, study, person.name, str(changed), 412)
    except StudyError as refused:
        return _page(request, study, person.name, str(refused), 422)
    return RedirectResponse(f"/studies/{study.name}/accept-many#{act.round}", 303)


@router.post(HERE + "/{round_id}/take-back")
def taking_back(study: AStudy, person: ALead, round_id: str) -> Response:
    """Undo an acceptance whole."""
    take_back(study, round_id, by=person.name, now=now())
    return RedirectResponse(f"/studies/{study.name}/accept-many#{round_id}", 303)
