"""The codebook editor for leads: a shared draft, changed code by code, looked at as a whole and published.

A change is refused only where somebody else changed the same code after it was read, and what was typed stays on the page.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from nlp import codebook_edit as edits
from nlp.codebook_diff import diff
from nlp.codebook_meaning import Turn
from nlp.errors import EditError
from nlp.types import Code, Codebook, CodeStatus
from service import wiring
from service.clock import now
from service.deps import ALead, AStudy
from service.errors import ConflictError, DraftError, NoDraftError
from service.etag import etag
from service.study.codebooks import newest_codebook
from service.study.drafts import last_end
from service.study.study import Study
from service.usecases import codebook as drafts
from service.usecases.codebook import Change, Desk, codes_named, desk, edit, reason, require_desk, save_code
from service.usecases.remarks import remarks
from service.usecases.shelf import shelf
from service.web.codebook import TURN_WORDS
from service.web.codebook_forms import BLANK_LINES, ActForm, CodeForm, filled
from service.web.views import render
from service.web.voices import PageNumber

router = APIRouter(include_in_schema=False)
HERE = "/studies/{name}/codebook/edit"
NO_VERSION = "Say which version of the draft you have read, as If-Match: it may have changed since."
KEPT = "Nothing of what you wrote is lost: it stands below."


def read_version(request: Request, typed: int) -> int:
    """The draft's number that the person had read: from If-Match, or from the form."""
    found = re.fullmatch(r'"(\d+)"', request.headers.get("If-Match", "").strip())
    version = int(found[1]) if found else typed
    if not version:
        raise ConflictError(NO_VERSION)
    return version


def tagged(answer: Response, found: Desk) -> Response:
    answer.headers["ETag"] = etag(found.held.version)
    return answer


def to_desk(study: Study, path: str = "") -> RedirectResponse:
    return RedirectResponse(f"/studies/{study.name}/codebook/edit{path}", 303)


@router.get(HERE)
def edit_page(
    request: Request, study: AStudy, _: ALead, find: str = "", page: PageNumber = 1, code: str = ""
) -> Response:
    """The draft's codes with what the linter remarks; or a way to begin one."""
    found = desk(study)
    if found is None:
        return no_draft_page(request, study, status=200)
    return _desk_page(request, study, found, find=find, page=page, code=code)


def no_draft_page(request: Request, study: Study, *, status: int = 409, lost: ActForm | None = None) -> Response:
    """A way to begin a draft; with 409, to somebody whose draft is no longer there."""
    return render(
        request, "codebook_begin.html", status=status, study=study, book=newest_codebook(study.db), ended=ended(study),
        lost=lost,
    )  # fmt: skip


def _desk_page(
    request: Request, study: Study, found: Desk, *, status: int = 200, problem: str = "", find: str = "", page: int = 1,
    code: str = "", typed: ActForm | None = None,
) -> Response:  # fmt: skip
    book = found.book
    beside = remarks(study, book, wiring.encoder())
    answer = render(
        request, "codebook_edit.html", status=status, study=study, desk=found, book=book, find=find, typed=typed or ActForm(),
        shelf=shelf(book, find=find, page=page, code=code), remarks=beside, became=became_words(found),
        labels={c.id: c.label for c in book.codes}, problem=problem,
        asked=urlencode({"find": find} if find else {}),
    )  # fmt: skip
    return tagged(answer, found)


def became_words(found: Desk) -> dict[str, list[str]]:
    """What the draft does to each code, in words."""
    said: dict[str, list[str]] = {}
    base = {code.id: code for code in found.base.codes}
    labels = {code.id: code.label for code in found.book.codes}
    for code in found.held.draft.edited:
        said[code.id] = ["New in this draft" if code.id not in base else "Changed"]
    for one in found.held.draft.turned:
        into = [labels.get(i, i) for i in one.into if i != one.code]
        words = f"{TURN_WORDS[one.turn].capitalize()}{' into ' + ' and '.join(into) if into else ''}: {one.why}"
        said[one.code] = [*(w for w in said.get(one.code, []) if w != "Changed"), words]
    return said


def ended(study: Study) -> str:
    """How the last draft ended, in words; empty where none has."""
    last = last_end(study.db)
    if last is None:
        return ""
    what = f"Version {last.version} was published" if last.published else "The draft was thrown away"
    return f"{what} by {last.by} on {last.at[:10]} at {last.at[11:16]} UTC."


@router.post(HERE)
def beginning(study: AStudy, person: ALead) -> Response:
    """Open a draft on the newest version."""
    drafts.begin(study, by=person.name, now=now())
    return to_desk(study)


@router.get(HERE + "/code")
def code_page(request: Request, study: AStudy, _: ALead, code: str) -> Response:
    """One code of the draft, with all that can be done to it."""
    found = desk(study)
    if found is None or not _holds(found, code):
        return to_desk(study)
    return _code_page(request, study, found, code)


def _holds(found: Desk, code_id: str) -> bool:
    return any(code.id == code_id for code in found.book.codes)


def _code_page(
    request: Request, study: Study, found: Desk, code_id: str, *, status: int = 200, problem: str = "",
    typed: CodeForm | None = None, act: ActForm | None = None, identifies: bool = False,
) -> Response:  # fmt: skip
    code = edits.code_in(found.base, found.held.draft, code_id)
    turned = edits.turns_of(found.held.draft, code_id)
    said = next((t for t in turned if t.turn in (Turn.REWORD, Turn.REDEFINE)), None)
    form = typed or filled(code, declared=said.turn if said else "", why=said.why if said else "")
    before = next((c for c in found.base.codes if c.id == code_id), None)
    differs = _differences(code, form.onto(code)) if status == 412 else _differences(before, code)
    answer = render(
        request, "codebook_code.html", status=status, study=study, desk=found, code=code, form=form, act=act or ActForm(),
        problem=problem, identifies=identifies, blank=BLANK_LINES, before=before, differs=differs, theirs=status == 412,
        became=became_words(found).get(code_id, []), can=_can(found, code, before), gone=False, begin=False,
        remarks=remarks(study, found.book, wiring.encoder()).get(code_id, []), book=found.book,
        labels={c.id: c.label for c in found.book.codes},
    )  # fmt: skip
    return tagged(answer, found)


def _differences(before: Code | None, code: Code) -> Any:
    """How the draft's code differs from the version under it."""
    if before is None or before == code:
        return None
    return diff(*(Codebook("", "", "", "", (one,)) for one in (before, code)))


def _can(found: Desk, code: Code, before: Code | None) -> frozenset[str]:
    """Which acts make sense on a code as it stands."""
    turns = {t.turn for t in edits.turns_of(found.held.draft, code.id)}
    changed = code.id in found.changed()
    if code.status is CodeStatus.RETIRED:
        return frozenset({"take-back"} if turns or changed else {"bring-back"})
    whole = before is not None and not turns - {Turn.REWORD, Turn.REDEFINE}
    return frozenset(
        {"write", "move"} | ({"split", "merge", "retire"} if whole else set()) | ({"take-back"} if changed else set())
    )


@router.post(HERE + "/code")
def saving(request: Request, study: AStudy, person: ALead, form: Annotated[CodeForm, Form()]) -> Response:
    """Give a code other words."""
    if form.begin:
        form.version = drafts.begin(study, by=person.name, now=now()).held.version
    try:
        found = require_desk(study)
        if not _holds(found, form.code):
            return _gone(request, study, form)
        version = read_version(request, form.version)
        code = edits.code_in(found.base, found.held.draft, form.code)
        save_code(
            study, form.onto(code), declared=form.turn, why=form.why, version=version, by=person.name, now=now(),
            guard=wiring.deidentifier(), identifies_nobody=form.identifies_nobody,
        )  # fmt: skip
    except NoDraftError:
        return _gone(request, study, form)
    except ConflictError as changed:
        problem = f"{changed}. What it says now stands below. Save again to put your words in its place."
        return _code_page(request, study, require_desk(study), form.code, status=412, problem=problem, typed=form)
    except DraftError as refused:
        return _code_page(
            request, study, require_desk(study), form.code, status=422, problem=str(refused), typed=form,
            identifies=refused.identifies,
        )  # fmt: skip
    except EditError as refused:
        return _code_page(request, study, require_desk(study), form.code, status=422, problem=told(refused), typed=form)
    return to_desk(study, f"?{urlencode({'code': form.code})}#{form.code}")


def told(refused: EditError) -> str:
    words = str(refused)
    return f"{words[:1].upper()}{words[1:]}."


def _gone(request: Request, study: Study, form: CodeForm) -> Response:
    """The draft was published or thrown away while the tab was open: what was typed can go into a new one."""
    book = newest_codebook(study.db)
    code = next((c for c in book.codes if c.id == form.code), None)
    usable = code is not None and code.status is not CodeStatus.RETIRED
    problem = (
        f"The draft that you had open is no longer there. {ended(study)} Save again to begin a new draft with your words."
        if usable and desk(study) is None
        else "The codebook no longer has this code, so your words cannot be saved there. They stand below: copy what you need."
    )
    return render(
        request, "codebook_code.html", status=409, study=study, desk=None, code=code or Code(form.code, form.label),
        form=form, act=ActForm(), problem=problem, identifies=False, blank=0, before=None, became=[], remarks=[],
        differs=None, theirs=False, can=frozenset({"write"}), gone=not usable or desk(study) is not None, begin=True,
        labels={c.id: c.label for c in book.codes}, book=book,
    )  # fmt: skip


@router.post(HERE + "/act")
def acting(request: Request, study: AStudy, person: ALead, form: Annotated[ActForm, Form()]) -> Response:
    """Add, move, split, merge, retire, bring back or take back a code, or put it one place up or down."""
    made: list[str] = []
    try:
        found = require_desk(study)
        concerned, change = _change(found, form, made)
        edit(study, concerned, change, version=read_version(request, form.version), by=person.name, now=now())
    except NoDraftError:
        return render(
            request,
            "codebook_begin.html",
            status=409,
            study=study,
            book=newest_codebook(study.db),
            ended=ended(study),
            lost=form,
        )
    except ConflictError as changed:
        return _act_page(request, study, form, 412, f"{changed}. Look at it as it stands now and ask again.")
    except DraftError as refused:
        return _act_page(request, study, form, 422, str(refused))
    except EditError as refused:
        return _act_page(request, study, form, 422, told(refused))
    if form.act == "add":
        return to_desk(study, f"/code?{urlencode({'code': made[-1]})}")
    return to_desk(study, f"?{urlencode({'code': form.code})}#{form.code}")


def _act_page(request: Request, study: Study, form: ActForm, status: int, problem: str) -> Response:
    found = require_desk(study)
    known = any(c.id == form.code for c in found.book.codes)
    if not known or form.act in ("add", "up", "down"):
        return _desk_page(request, study, found, status=status, problem=problem, code=form.code, typed=form)
    return _code_page(request, study, found, form.code, status=status, problem=f"{problem} {KEPT}", act=form)


def _change(found: Desk, form: ActForm, made: list[str]) -> tuple[Collection[str], Change]:
    """The codes that an act concerns, and the act; a new code's id comes into `made`."""
    code, why = form.code, reason(form.why)

    def added(base: Codebook, draft: edits.Draft) -> edits.Draft:
        new, code_id = edits.add(base, draft, label=drafts.short_name(form.label), parent=form.parent)
        made.append(code_id)
        return new

    if form.act == "merge":
        ids = [code, *codes_named(found.book, form.others)]
        into = form.keep and (codes_named(found.book, [form.keep])[0] if form.keep != "new" else "")
        label = drafts.short_name(form.label) if not into else ""
        return ids, lambda b, d: edits.merge(b, d, ids, into=into, label=label, why=why)
    acts: dict[str, Change] = {
        "add": added,
        "up": lambda b, d: edits.shift(b, d, code, up=True),
        "down": lambda b, d: edits.shift(b, d, code, up=False),
        "move": lambda b, d: edits.move(b, d, code, form.parent, heading=drafts.short_name(form.heading)),
        "split": lambda b, d: edits.split(b, d, code, [drafts.short_name(n) for n in form.names], why=why),
        "retire": lambda b, d: edits.retire(b, d, code, why=why),
        "bring-back": lambda b, d: edits.bring_back(b, d, code),
        "take-back": lambda b, d: edits.take_back(b, d, code),
    }
    if form.act not in acts:
        raise DraftError(["There is no such change to a code."])
    return [code] if form.act != "add" else [], acts[form.act]


@router.post(HERE + "/bring-up")
def bringing_up(request: Request, study: AStudy, person: ALead, version: Annotated[int, Form()] = 0) -> Response:
    """Put the draft on the study's newest version."""
    try:
        drafts.bring_up(study, version=read_version(request, version), by=person.name, now=now())
    except EditError as refused:
        return _desk_page(request, study, require_desk(study), status=422, problem=told(refused))
    return to_desk(study)


@router.post(HERE + "/discard")
def discarding(request: Request, study: AStudy, person: ALead, version: Annotated[int, Form()] = 0) -> Response:
    """Throw the draft away."""
    drafts.discard(study, version=read_version(request, version), by=person.name, now=now())
    return to_desk(study)
