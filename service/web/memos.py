"""Memos: found, written, changed and deleted on pages, and shown beside what they are about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response

from service.access.people import Person
from service.access.permissions import Action, may
from service.clock import now
from service.deps import AMemoWriter, AStudy
from service.errors import ConflictError, IdentifierError, MemoError
from service.study.codebooks import all_codebooks
from service.study.memos import Memo, is_there, memo
from service.study.study import Study
from service.usecases.memos import (
    KINDS,
    OBJECTS,
    WITHOUT_TEXTS,
    MemoFilter,
    add_memo,
    change_memo,
    delete_memo,
    find_memos,
    memos_about,
    own_memo,
)
from service.web.views import inside, render, templates

router = APIRouter(include_in_schema=False)

KIND_WORDS = {
    "note": "Note", "question": "Question", "idea": "Idea", "decision": "Decision", "reflection": "Reflection",
}  # fmt: skip
OBJECT_WORDS = {
    "study": "The study", "voice": "A voice", "segment": "A segment of a voice", "code": "A code", "round": "A round",
    "candidate": "A candidate theme",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody has typed into a memo's form; `problem` says why it is not kept yet."""

    object: str
    subject: str
    kind: str = "note"
    words: str = ""
    problem: str = ""
    identifies: bool = False


@dataclass(frozen=True, slots=True)
class About:
    """What a memo is about, in words, and where that is; `address` is empty where it is no longer here."""

    words: str
    address: str


@router.get("/studies/{name}/memos")
def memos_page(
    request: Request, study: AStudy, person: AMemoWriter, object: str = "", kind: str = "", by: str = "", words: str = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:  # fmt: skip
    """Every memo that the person may see."""
    wanted = MemoFilter(object, kind, by, words)
    found = find_memos(study, person.name, wanted, reads_voices=may(person.role, Action.READ), page=page)
    return render(
        request, "memos.html", study=study, found=found, wanted=wanted, objects=_objects(person),
        about=_about_all(study, found.memos), draft=Draft("study", study.id),
    )  # fmt: skip


def _objects(person: Person) -> tuple[str, ...]:
    return OBJECTS if may(person.role, Action.READ) else WITHOUT_TEXTS


@router.post("/studies/{name}/memos")
def adding(
    request: Request, study: AStudy, person: AMemoWriter, object: Annotated[str, Form()] = "",
    subject: Annotated[str, Form()] = "", kind: Annotated[str, Form()] = "", words: Annotated[str, Form()] = "",
    then: Annotated[str, Form()] = "", identifies_nobody: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    """Write a memo and go back to where it was written."""
    if object not in _objects(person):
        raise HTTPException(403)
    try:
        kept = add_memo(
            study, object=object, subject=subject, kind=kind, words=words, by=person.name, now=now(),
            identifies_nobody=identifies_nobody,
        )  # fmt: skip
    except MemoError as refused:
        draft = Draft(object, subject, kind, words, str(refused), identifies=isinstance(refused, IdentifierError))
        return render(
            request, "memo_new.html", status=422, study=study, draft=draft, then=inside(then),
            about=_about(study, object, subject),
        )  # fmt: skip
    back = inside(then) if then else f"/studies/{study.name}/memos"
    return RedirectResponse(f"{back.partition('#')[0]}#memo-{kept.id}", 303)


@router.get("/studies/{name}/memos/{number}")
def memo_page(request: Request, study: AStudy, number: int, person: AMemoWriter) -> Response:
    """A memo's writer changes or deletes it."""
    return _form(request, study, own_memo(study, number, person.name))


@router.post("/studies/{name}/memos/{number}")
def changing(
    request: Request, study: AStudy, number: int, person: AMemoWriter, version: Annotated[int, Form()],
    kind: Annotated[str, Form()] = "", words: Annotated[str, Form()] = "",
    identifies_nobody: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    """Give a memo other words."""
    try:
        change_memo(
            study, number, version=version, kind=kind, words=words, by=person.name, now=now(),
            identifies_nobody=identifies_nobody,
        )  # fmt: skip
    except ConflictError as changed:
        held = memo(study.db, number)
        problem = f"{changed}, while you were writing. Its words now stand below yours. Save again to put yours in their place."
        return _form(request, study, held, 412, Draft(held.object, held.subject, kind, words, problem))
    except MemoError as refused:
        held = own_memo(study, number, person.name)
        draft = Draft(
            held.object, held.subject, kind, words, str(refused), identifies=isinstance(refused, IdentifierError)
        )
        return _form(request, study, held, 422, draft)
    return RedirectResponse(f"/studies/{study.name}/memos#memo-{number}", 303)


def _form(
    request: Request, study: Study, held: Memo, status: int = 200, typed: Draft | None = None
) -> Response:  # fmt: skip
    draft = typed or Draft(held.object, held.subject, held.kind, held.words)
    about = _about(study, held.object, held.subject)
    return render(
        request, "memo.html", status=status, study=study, memo=held, draft=draft, about=about, theirs=status == 412
    )


@router.post("/studies/{name}/memos/{number}/delete")
def deleting(study: AStudy, number: int, person: AMemoWriter, version: Annotated[int, Form()]) -> Response:
    """Delete a memo."""
    delete_memo(study, number, version=version, by=person.name, now=now())
    return RedirectResponse(f"/studies/{study.name}/memos", 303)


def memos_beside(study: Study, person: Person, object_: str, subjects: list[str]) -> dict[str, list[Memo]]:
    """The memos to show beside each of these, for those who may write memos; nothing for others."""
    return memos_about(study, person.name, object_, subjects) if may(person.role, Action.MEMO) else {}


def _about_all(study: Study, memos: tuple[Memo, ...]) -> dict[int, About]:
    known: dict[tuple[str, str], About] = {}
    for one in memos:
        known.setdefault((one.object, one.subject), _about(study, one.object, one.subject))
    return {one.id: known[one.object, one.subject] for one in memos}


def _about(study: Study, object_: str, subject: str) -> About:
    """Where the thing is that a memo is about, and how to name it."""
    here = f"/studies/{study.name}"
    if not is_there(study.db, object_, subject):
        return About(f"{OBJECT_WORDS.get(object_, 'Something')} that is no longer here", "")
    voice, _, position = subject.rpartition(".")
    return {
        "study": lambda: About("The study", here),
        "voice": lambda: About("A voice", f"{here}/voices/{subject}"),
        "segment": lambda: About(f"Segment {int(position) + 1} of a voice", f"{here}/voices/{voice}#s-{position}"),
        "code": lambda: About(
            f"The code “{_label(study, subject)}”", f"{here}/codebook?code={quote(subject)}#{subject}"
        ),
        "round": lambda: About(f"The round {subject}", here),
        "candidate": lambda: About(f"Candidate theme {subject}", f"{here}/candidates#c-{subject}"),
    }[object_]()


def _label(study: Study, code: str) -> str:
    labels = [c.label for book in all_codebooks(study.db, study.codebook) for c in book.codes if c.id == code]
    return labels[-1] if labels else code


templates.env.globals.update(memo_kinds=KINDS, memo_kind_words=KIND_WORDS, memo_object_words=OBJECT_WORDS, Draft=Draft)
