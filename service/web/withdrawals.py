"""Withdrawal on a page: say who, see what would go, say that you are sure, keep the receipt.

What is typed may be what a file calls somebody, so it goes in the body of a request, never in an address.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from service import wiring
from service.clock import now
from service.deps import AnIntaker, AStudy
from service.errors import RecordError, StudyError
from service.study.erasure import Person
from service.study.study import Study
from service.study.withdrawals import withdrawals
from service.usecases.withdraw import called, receipt_lines, withdraw
from service.web.check import AKey
from service.web.views import render

router = APIRouter(include_in_schema=False)
LONGEST = 200


@router.get("/studies/{name}/withdrawals")
def withdrawals_page(request: Request, study: AStudy, _: AnIntaker) -> Response:
    """Who has withdrawn, by pseudonym, with each receipt."""
    return _page(request, study)


@router.post("/studies/{name}/withdrawals/look")
def looking(request: Request, study: AStudy, _: AnIntaker, key: AKey, who: Annotated[str, Form()] = "") -> Response:
    """Whom that may mean, and how much of them is here. Nothing is removed."""
    try:
        return _page(request, study, people=called(study, key, who.strip()[:LONGEST]))
    except RecordError as problem:
        return _page(request, study, problem=str(problem), status=422)


@router.post("/studies/{name}/withdrawals")
def withdrawing(
    request: Request, study: AStudy, person: AnIntaker, key: AKey,
    participant: Annotated[str, Form()] = "", sure: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    """Remove a person for good. Sent twice it is one withdrawal, and finishes what was cut short."""
    settings = wiring.settings()
    if not sure:
        return _page(request, study, problem="tick that you are sure; nothing has been removed", status=422)
    try:
        done = withdraw(
            study, key, participant[:LONGEST], by=person.name, now=now(),
            list_file=settings.withdrawn_file_for(study.id), books=settings.codebooks,
        )  # fmt: skip
    except (RecordError, StudyError) as problem:
        status = 422 if isinstance(problem, RecordError) else 409
        return _page(request, study, problem=str(problem), status=status)
    again = "" if done.scrubbed else "?again=yes"
    return RedirectResponse(f"/studies/{study.name}/withdrawals{again}#{done.receipt.participant}", 303)


def _page(
    request: Request, study: Study, *, people: Sequence[Person] = (), problem: str = "", status: int = 200
) -> Response:
    receipts = [(r, receipt_lines(r)) for r in withdrawals(study.db)]
    again = request.query_params.get("again") == "yes"
    return render(
        request,
        "withdrawals.html",
        status=status,
        study=study,
        receipts=receipts,
        people=people,
        problem=problem,
        again=again,
    )
