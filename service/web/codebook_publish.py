"""The draft as a whole: what it changes, what publishing it would do, and publishing it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from nlp.codebook_meaning import Turn
from nlp.errors import EditError
from service import wiring
from service.clock import now
from service.deps import ALead, AStudy
from service.errors import ConflictError, DraftError
from service.study.study import Study
from service.usecases.codebook import Desk, desk
from service.usecases.publish import Consent, dry_run, publish, published_from
from service.web.codebook_edit import HERE, KEPT, became_words, no_draft_page, read_version, tagged, to_desk, told
from service.web.codebook_forms import PublishForm
from service.web.views import render

router = APIRouter(include_in_schema=False)


@router.get(HERE + "/changes")
def changes_page(request: Request, study: AStudy, _: ALead) -> Response:
    """All that the draft changes, and what publishing it would do."""
    found = desk(study)
    return to_desk(study) if found is None else _changes_page(request, study, found, PublishForm())


def _changes_page(
    request: Request, study: Study, found: Desk, form: PublishForm, *, status: int = 200, problem: str = "",
    identifies: bool = False,
) -> Response:  # fmt: skip
    answer = render(
        request, "codebook_changes.html", status=status, study=study, desk=found,
        plan=dry_run(study, same=form.kept_meanings(), now=now()), problem=problem, form=form,
        same=form.kept_meanings(), identifies=identifies, became=became_words(found),
        labels={c.id: c.label for c in found.book.codes}, merged=_merged(found),
    )  # fmt: skip
    return tagged(answer, found)


def _merged(found: Desk) -> dict[str, list[str]]:
    """For each code that others were merged into, all that it came from."""
    targets: dict[str, list[str]] = {}
    for one in found.held.draft.turned:
        if one.turn is Turn.MERGE:
            targets.setdefault(one.into[0], []).append(one.code)
    return targets


@router.post(HERE + "/publish")
def publishing(request: Request, study: AStudy, person: ALead, form: Annotated[PublishForm, Form()]) -> Response:
    """Make the draft the version in use; with `look`, only say again what that would do."""
    found = desk(study)
    if found is None:
        return _published_already(request, study, form.based_on, person.name)
    try:
        if form.look:
            return _changes_page(request, study, found, form)
        consent = Consent(form.note, tuple(form.groups.splitlines()), form.kept_meanings())
        made = publish(
            study, consent, version=read_version(request, form.version), by=person.name, now=now(),
            guard=wiring.deidentifier(), identifies_nobody=form.identifies_nobody,
        )  # fmt: skip
    except ConflictError as changed:
        return _changes_page(request, study, found, form, status=412, problem=f"{changed}. {KEPT}")
    except DraftError as refused:
        return _changes_page(
            request, study, found, form, status=422, problem=f"{refused} {KEPT}", identifies=refused.identifies
        )
    except EditError as refused:
        form.same = []  # the reasons are missing: say what it does without them
        return _changes_page(request, study, found, form, status=422, problem=f"{told(refused)} {KEPT}")
    return RedirectResponse(f"/studies/{study.name}/codebook?published={made.version}#versions", 303)


def _published_already(request: Request, study: Study, based_on: str, by: str) -> Response:
    """A form that was sent twice leads to where the first one did."""
    made = published_from(study, based_on, by)
    if made is not None:
        return RedirectResponse(f"/studies/{study.name}/codebook?published={made.version}#versions", 303)
    return no_draft_page(request, study)
