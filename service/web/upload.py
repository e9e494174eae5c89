"""Taking in a file on a page: choose it, see what becomes of each column, see what would come of it, confirm.

No cell is ever shown: nothing in the file is de-identified yet. The names of columns and counts are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import UploadFile

from nlp.types import Voice
from service.access.people import Person
from service.clock import now
from service.deps import AnIntaker, AStudy
from service.errors import InputError, PassportError, RecordError
from service.files.columns import Holds
from service.files.roles import ROLE_WORDS, roles_of
from service.files.tables import KINDS
from service.study.study import Study
from service.usecases import uploads
from service.usecases.uploads import MOST_BYTES, Meant, Upload, role_names
from service.web.check import AKey
from service.web.views import render

router = APIRouter(include_in_schema=False)
AROUND_A_FILE = 64 * 1024
HOLDS = {
    Holds.NOTHING: "nothing", Holds.TEXT: "free text", Holds.CHOICE: "closed answers", Holds.DATE: "dates",
    Holds.NUMBER: "numbers", Holds.PEOPLE: "names of people", Holds.IDENTIFIER: "identifiers",
    Holds.FORM: "about the form itself", Holds.OTHER: "short answers",
}  # fmt: skip
TOO_LARGE = (
    f"larger than {MOST_BYTES // 1024 // 1024} MB; split it, or ask whoever runs this service to take it in"
    " with “heard intake”"
)


# What the command line says of its options, as the page has them.
AS_HERE = {
    "or give --mend-letters": "or tick “Mend letters” above",
    "Give --voice.": "Say who speaks in the file above.",
    "; name it with --text COLUMN or give a --profile": "",
    " (--correct)": "",
}


def on_page(words: str) -> str:
    """A note or a problem as the page says it."""
    for there, here in AS_HERE.items():
        words = words.replace(there, here)
    return words[:1].upper() + words[1:]


@router.get("/studies/{name}/upload")
def upload_page(request: Request, study: AStudy, _: AnIntaker) -> Response:
    """Choose a file."""
    uploads.sweep(study, now=now())
    return _page(request, study)


@router.post("/studies/{name}/upload")
async def uploading(request: Request, study: AStudy, person: AnIntaker) -> Response:
    """Keep the file for a while, and look at its columns."""
    try:
        content = await _file_in(request)
        upload = await run_in_threadpool(_received, study, content, person)
    except InputError as bad:
        return _page(request, study, problem=str(bad), status=422)
    except PassportError as none:
        return _page(request, study, problem=str(none), status=409)
    return RedirectResponse(_address(study, upload), 303)


def _page(request: Request, study: Study, *, problem: str = "", status: int = 200) -> Response:
    return render(
        request, "upload.html", status=status, study=study, problem=problem, kinds=KINDS, most=MOST_BYTES,
        saved=uploads.saved_profiles(study), on_page=on_page,
    )  # fmt: skip


async def _file_in(request: Request) -> UploadFile:
    """The file of a form. It is read to its end even when it is too large, so that the browser shows the answer."""
    said = request.headers.get("Content-Length", "")
    if not said.isdigit():
        raise HTTPException(411)
    if int(said) > MOST_BYTES + AROUND_A_FILE:
        async for _ in request.stream():
            pass
        raise InputError(file="the file", problem=TOO_LARGE)
    held = (await request.form(max_files=1, max_fields=4)).get("file")
    if not isinstance(held, UploadFile) or not held.filename:
        raise InputError(file="the file", problem="choose a file first")
    return held


def _received(study: Study, content: UploadFile, person: Person) -> Upload:
    def write(file: Path) -> None:
        with file.open("xb") as out:
            while part := content.file.read(1 << 20):
                out.write(part)

    return uploads.receive(study, content.filename or "", write, by=person.name, now=now())


def _address(study: Study, upload: Upload) -> str:
    return f"/studies/{study.name}/upload/{upload.token}"


@router.get("/studies/{name}/upload/{token}")
def columns_page(request: Request, study: AStudy, person: AnIntaker, token: str) -> Response:
    """What each column would become, and what would come of the file as it is meant now."""
    upload = uploads.find(study, token, by=person.name, now=now())
    return _columns(request, study, upload)


def _columns(
    request: Request, study: Study, upload: Upload, *, meant: Meant | None = None, problem: str = "", named: str = "",
    status: int = 200,
) -> Response:  # fmt: skip
    roles = roles_of(upload.profile, [c.name for c in upload.columns])
    voice = upload.profile.voice
    held = meant or Meant(
        roles, "" if voice.column or voice.fixed == Voice.UNKNOWN else voice.fixed, upload.profile.mend_letters,
        upload.correct, upload.prepare,
    )  # fmt: skip
    return render(
        request, "upload_columns.html", status=status, study=study, upload=upload, meant=held, problem=problem, named=named,
        role_labels=ROLE_WORDS, holds=HOLDS, here=_address(study, upload), voices=[v for v in Voice if v is not Voice.UNKNOWN],
        on_page=on_page, minutes=int(uploads.KEPT_FOR.total_seconds() // 60),
    )  # fmt: skip


@router.post("/studies/{name}/upload/{token}")
def changing(
    request: Request, study: AStudy, person: AnIntaker, key: AKey, token: str, role: Annotated[list[str], Form()],
    speaker: Annotated[Literal["", "child", "young_person", "parent_carer", "practitioner"], Form()] = "",
    mend_letters: Annotated[bool, Form()] = False, correct: Annotated[bool, Form()] = False,
    prepare: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    """Read the file with these meanings, and say what would come of it."""
    upload = uploads.find(study, token, by=person.name, now=now())
    roles = role_names([c.name for c in upload.columns], role)
    meant = Meant(roles, speaker, mend_letters, correct, prepare)
    try:
        uploads.change(study, upload, meant, key, now=now())
    except InputError as bad:
        return _columns(request, study, upload, meant=meant, problem=str(bad), status=422)
    return RedirectResponse(f"{_address(study, upload)}#told", 303)


@router.post("/studies/{name}/upload/{token}/profile")
def naming(
    request: Request, study: AStudy, person: AnIntaker, token: str, profile: Annotated[str, Form(max_length=200)] = ""
) -> Response:  # fmt: skip
    """Keep what the columns mean under a name."""
    upload = uploads.find(study, token, by=person.name, now=now())
    try:
        uploads.keep_profile(study, upload, profile.strip())
    except InputError as bad:
        return _columns(request, study, upload, problem=str(bad), named=profile, status=422)
    return RedirectResponse(_address(study, upload), 303)


@router.post("/studies/{name}/upload/{token}/take")
def taking(request: Request, study: AStudy, person: AnIntaker, token: str) -> Response:
    """Confirm: a job takes the file in and then deletes it here."""
    upload = uploads.find(study, token, by=person.name, now=now())
    try:
        job = uploads.confirm(study, upload, by=person.name, now=now())
    except (PassportError, RecordError) as early:
        return _columns(request, study, upload, problem=str(early), status=409)
    return RedirectResponse(f"/studies/{study.name}/jobs#job-{job.id}", 303)


@router.post("/studies/{name}/upload/{token}/discard")
def discarding(study: AStudy, person: AnIntaker, token: str) -> Response:
    """Delete the file now. One that a job was asked for stays until that job is over."""
    uploads.discard(study, uploads.find(study, token, by=person.name, now=now()))
    return RedirectResponse(f"/studies/{study.name}/upload", 303)
