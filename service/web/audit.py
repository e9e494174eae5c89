"""The auditor's pages: who did what in a study, and who signed in and changed accounts here, in ids and counts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlite_utils import Database

from service.access.people import PEOPLE_FILE
from service.deps import AnAuditor, AStudy, people_of
from service.study.study import STUDY_FILE, Study
from service.study.trail import KINDS, Wanted, trail
from service.usecases.audit import ACCOUNTS, as_csv, as_seal, trail_page, verify
from service.web.views import render
from service.web.voices import PageNumber

router = APIRouter(include_in_schema=False)

ENTRY_KINDS = {
    "view": "Views of texts", "decide": "Decisions", "export": "Exports", "release": "Releases", "sign-in": "Sign-ins",
    "settings": "Accounts, keys and settings", "other": "Anything else",
}  # fmt: skip
Day = Annotated[str, Query(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]


def wanted_of(kind: str = "", by: str = "", first: Day = "", last: Day = "") -> Wanted:
    """What the auditor asks for."""
    return Wanted(kind if kind in KINDS else "", by, first, last)


Asked = Annotated[Wanted, Depends(wanted_of)]


@router.get("/studies/{name}/audit")
def study_audit(
    request: Request, study: AStudy, _: AnAuditor, wanted: Asked, page: PageNumber = 1, check: bool = False
) -> HTMLResponse:
    """Who did what in a study."""
    return _page(request, study.db, study.folder / STUDY_FILE, wanted, page, check=check, study=study)


@router.get("/studies/{name}/audit.csv")
def study_audit_file(study: AStudy, _: AnAuditor, wanted: Asked) -> Response:
    """The same as a file."""
    return _file(study.db, wanted)


@router.get("/audit")
def machine_audit(
    request: Request, _: AnAuditor, wanted: Asked, page: PageNumber = 1, check: bool = False
) -> HTMLResponse:
    """Who signed in here, and what was done to accounts and keys."""
    with people_of(request) as db:
        return _page(request, db, request.app.state.studies / PEOPLE_FILE, wanted, page, check=check, study=None)


@router.get("/audit.csv")
def machine_audit_file(request: Request, _: AnAuditor, wanted: Asked) -> Response:
    """The same as a file."""
    with people_of(request) as db:
        return _file(db, wanted)


def _page(
    request: Request, db: Database, file: Path, wanted: Wanted, page: int, *, check: bool, study: Study | None
) -> HTMLResponse:
    asked = {"kind": wanted.kind, "by": wanted.actor, "first": wanted.first, "last": wanted.last}
    found = trail_page(db, wanted, page)
    return render(
        request, "audit.html", study=study, found=found, wanted=wanted, kinds=ENTRY_KINDS,
        seal=as_seal(study.name if study else ACCOUNTS, found.head),
        asked=urlencode({k: v for k, v in asked.items() if v}), verdict=verify(db, file) if check else None,
        at=request.url.path,
    )  # fmt: skip


def _file(db: Database, wanted: Wanted) -> Response:
    content = "".join(as_csv(trail(db, wanted)))
    return Response(content, media_type="text/csv", headers={"Content-Disposition": 'attachment; filename="audit.csv"'})
