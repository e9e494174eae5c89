"""The codebook, to read: its codes, their wording for young people or families, its versions and what differs between them."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from nlp.codebook_diff import diff
from nlp.codebook_rules import FIELD_WORDS
from nlp.types import Code, Codebook
from service.access.permissions import Action, may
from service.deps import AReader, AStudy
from service.study.codebooks import codebook_version, newest_codebook
from service.study.publications import code_changes
from service.study.study import Study
from service.usecases.codebook import desk
from service.usecases.shelf import editions, shelf
from service.web.views import render, templates
from service.web.voices import PageNumber

router = APIRouter(include_in_schema=False)

STATUS_WORDS = {"draft": "draft", "agreed": "agreed", "retired": "retired"}
TURN_WORDS = {
    "split": "split", "merge": "merged", "retire": "retired", "redefine": "something else belongs to it now",
    "reword": "other words for the same", "reread": "to be read again after all",
}  # fmt: skip


@router.get("/studies/{name}/codebook")
def codebook_page(
    request: Request, study: AStudy, person: AReader, find: str = "", page: PageNumber = 1, code: str = "",
    words: str = "", version: str = "",
) -> HTMLResponse:  # fmt: skip
    """A page of the codes, in the team's words or in young people's."""
    used = newest_codebook(study.db)
    book = codebook_version(study.db, study.codebook, version) if version else used
    kept = {"find": find, "version": version, "words": words}
    leads = may(person.role, Action.LEAD)
    return render(
        request, "codebook.html", study=study, book=book, used=used, shelf=shelf(book, find=find, page=page, code=code),
        find=find, young=words == "young", asked=urlencode({k: v for k, v in kept.items() if v}),
        other=urlencode({k: v for k, v in {**kept, "words": "" if words == "young" else "young"}.items() if v}),
        labels={c.id: c.label for c in book.codes}, became=_became(study, book), editions=editions(study), leads=leads,
        open_draft=leads and desk(study) is not None,
    )  # fmt: skip


def _became(study: Study, book: Codebook) -> dict[str, str]:
    """What became of codes that are retired in this version, in words."""
    retired = {code.id for code in book.codes if code.status == "retired"}
    labels = {code.id: code.label for code in book.codes}
    found = {}
    for one in code_changes(study.db):
        if one.code in retired and one.turn in ("split", "merge", "retire"):
            into = " and ".join(f"“{labels.get(i, i)}”" for i in one.into if i != one.code)
            found[one.code] = (
                f"{TURN_WORDS[one.turn]}{' into ' + into if into else ''} in version {one.version}: {one.why}"
            )
    return found


@router.get("/studies/{name}/codebook/compare")
def compare_page(request: Request, study: AStudy, _: AReader, before: str = "", after: str = "") -> HTMLResponse:
    """What differs between two versions, word by word."""
    books = [codebook_version(study.db, study.codebook, v) for v in (before, after)]
    note = next((c.note for c in books[1].changes if c.version == after), "")
    return render(
        request, "codebook_compare.html", study=study, before=before, after=after, note=note, differs=diff(*books)
    )


def anchor(code: Code) -> str:
    """Where a code stands on its page."""
    return f"{urlencode({'code': code.id})}#{code.id}"


templates.env.globals.update(field_words=FIELD_WORDS, turn_words=TURN_WORDS, code_address=anchor)
