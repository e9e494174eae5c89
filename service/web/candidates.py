"""Candidate themes: what no code fits, with words and excerpts; leads adopt, merge into a code, or dismiss, and undo."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel

from nlp.errors import EditError
from service import wiring
from service.access.people import Person
from service.access.permissions import Action, may
from service.clock import now
from service.deps import ALead, AStudy, AVoiceReader
from service.errors import DraftError, RecordError
from service.study.candidates import candidate
from service.study.codebooks import newest_codebook
from service.study.study import Study
from service.usecases.adopt import Wish, candidates_for, put_into_draft, turn_down, undo
from service.usecases.codebook import codes_named, desk
from service.usecases.search import every_code
from service.web.memos import memos_beside
from service.web.views import render

router = APIRouter(include_in_schema=False)


class CandidateForm(BaseModel):
    """What a lead says of one candidate."""

    act: str = ""
    label: str = ""
    definition: str = ""
    parent: str = ""
    into: str = ""
    why: str = ""
    quotes: list[str] = []
    identifies_nobody: bool = False


@router.get("/studies/{name}/candidates")
def candidates_page(request: Request, study: AStudy, person: AVoiceReader) -> Response:
    """What is open, most people first, and what was done."""
    return _page(request, study, person)


def _page(
    request: Request, study: Study, person: Person, *, status: int = 200, problem: str = "", number: int = 0,
    typed: CandidateForm | None = None, identifies: bool = False,
) -> Response:  # fmt: skip
    found, open_, settled = candidates_for(study, person.name)
    held = desk(study) if found else None
    book = held.book if held else newest_codebook(study.db) if found else None
    numbers = [str(one.stored.id) for one in open_]
    return render(
        request, "candidates.html", status=status, study=study, found=found, open=open_, settled=settled, book=book,
        codes={c.id: c.label for c in (*every_code(study).values(), *(book.codes if book else ()))},
        leads=may(person.role, Action.LEAD), problem=problem, number=number, typed=typed or CandidateForm(),
        identifies=identifies,
        memos=memos_beside(study, person, "candidate", numbers), draft=held,
    )  # fmt: skip


@router.post("/studies/{name}/candidates/{number}")
def settling(
    request: Request, study: AStudy, person: ALead, number: int, form: Annotated[CandidateForm, Form()]
) -> Response:
    """Adopt a candidate, merge it into a code, dismiss it, or undo that."""
    try:
        candidate(study.db, number)
        code = _settle(study, person.name, number, form)
    except (DraftError, EditError) as refused:
        identifies = isinstance(refused, DraftError) and refused.identifies
        return _page(
            request, study, person, status=422, problem=str(refused), number=number, typed=form, identifies=identifies
        )
    except RecordError as refused:
        problem = f"{str(refused).capitalize()}: somebody was quicker. Nothing was done twice."
        return _page(request, study, person, status=409, problem=problem)
    done = {"done": form.act, "code": code} if code else {"done": form.act}
    return RedirectResponse(f"/studies/{study.name}/candidates?{urlencode(done)}", 303)


def _settle(study: Study, by: str, number: int, form: CandidateForm) -> str:
    """What the form asks for; the id of the code that it concerns, if any."""
    if form.act == "dismiss":
        turn_down(study, number, why=form.why, by=by, now=now())
        return ""
    if form.act == "undo":
        undo(study, number, by=by, now=now())
        return ""
    if form.act not in ("adopt", "join"):
        raise DraftError(["There is no such thing to do with a candidate theme."])
    wish = Wish(number, form.label, form.definition, form.parent, quotes=tuple(form.quotes))
    if form.act == "join":
        wish = Wish(number, code=_code_named(study, form.into), quotes=tuple(form.quotes))
    return put_into_draft(
        study, wish, by=by, now=now(), guard=wiring.deidentifier(), identifies_nobody=form.identifies_nobody
    )


def _code_named(study: Study, typed: str) -> str:
    held = desk(study)
    found = codes_named(held.book if held else newest_codebook(study.db), [typed])
    if not found:
        raise DraftError(["Say into which code it goes."])
    return found[0]
