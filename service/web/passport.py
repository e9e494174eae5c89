"""The dataset passport on a page: everybody sees it, a data manager sets it, and each version stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from itertools import pairwise
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from service.access.permissions import Action, may
from service.clock import now
from service.deps import APassportKeeper, AReader, AStudy
from service.errors import ConflictError, PassportError
from service.study.passports import Output, Passport, passport_of, passports
from service.study.study import Study
from service.usecases.passport import (
    BASES,
    HELP,
    LABELS,
    LONGEST,
    OUTPUTS,
    changed_fields,
    in_words,
    lapsed,
    read_passport,
    set_passport,
)
from service.web.views import render

router = APIRouter(include_in_schema=False)
Line = Annotated[str, Field(max_length=10 * LONGEST)]


@router.get("/studies/{name}/passport")
def passport_page(request: Request, study: AStudy, _: AReader) -> Response:
    """The passport in force and its versions; a form for whoever may set it."""
    return _page(request, study)


class PassportForm(BaseModel):
    """The fields as they are typed; `version` is the one that was looked at."""

    version: Annotated[int, Field(ge=0)] = 0
    purpose: Line = ""
    controller: Line = ""
    lawful_basis: Line = ""
    condition: Line = ""
    dpia: Line = ""
    ethics: Line = ""
    retention: Line = ""
    outputs: list[Output] = []
    safeguarding_lead: Line = ""


@router.post("/studies/{name}/passport")
def setting(
    request: Request, study: AStudy, person: APassportKeeper, form: Annotated[PassportForm, Form()]
) -> Response:
    """Set the passport anew. What is missing is named, and what was typed is kept."""
    given, version = form.model_dump(exclude={"version"}), form.version
    try:
        set_passport(study, read_passport(given), by=person.name, now=now(), after=version)
    except PassportError as problem:
        return _page(request, study, typed=given, version=version, problem=str(problem), status=422)
    except ConflictError as problem:
        return _page(request, study, typed=given, problem=str(problem), status=409)
    return RedirectResponse(f"/studies/{study.name}/passport", 303)


def _page(
    request: Request, study: Study, *, typed: Mapping[str, object] | None = None, version: int | None = None,
    problem: str = "", status: int = 200,
) -> Response:  # fmt: skip
    held, passport = passports(study.db), passport_of(study)
    newest = held[0].version if held else 0
    earlier: list[Passport | None] = [one.passport for one in held]
    changes = [changed_fields(before, after) for after, before in pairwise([*earlier, None]) if after]
    return render(
        request, "passport.html", status=status, study=study, problem=problem, labels=LABELS, help=HELP, bases=BASES,
        outputs=OUTPUTS, longest=LONGEST, words=in_words(passport) if passport else None,
        typed=typed or (asdict(passport) if held and passport else {}), version=newest if version is None else version,
        over=passport is not None and lapsed(passport, now()), versions=list(zip(held, changes, strict=True)),
        in_words=in_words,
        may_set=may(request.state.person.role, Action.PASSPORT),
    )  # fmt: skip
