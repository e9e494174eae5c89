"""Voices come in, one by one, many at once or as a file. Their words are sealed; all of a request is taken in or nothing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

from fastapi import Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from nlp.types import Provenance, Via, Voice
from service import wiring
from service.access.people import Person
from service.api.once import AKey, AnOnce, Made, Once
from service.api.router import api_router
from service.clock import now
from service.deps import AnIntaker, AStudy
from service.errors import InputError, RecordError
from service.files.choose import PROFILES
from service.study.jobs import ask
from service.study.study import Study
from service.usecases.intake import IntakeReport, take_in
from service.usecases.posted import Posted, take_in_posted

router = api_router("voices")

MOST_VOICES = 10_000
Short = Annotated[str, Field(max_length=200)]
Name = Annotated[str, Field(pattern="^[A-Za-z][A-Za-z0-9 _-]{0,39}$")]
Prepare = Annotated[bool, Query(description="Ask at once for the job that de-identifies and suggests.")]
Kind = Literal["csv", "tsv", "txt", "xlsx", "json", "jsonl", "parquet"]


Profile = Annotated[
    str, Query(pattern="^[a-z0-9-]{0,60}$", description="A mapping profile; recognised where it can be.")
]
_A_FILE = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class VoiceIn(BaseModel):
    """One contribution. `record` is its id where it comes from: the same one again is taken in once."""

    model_config = ConfigDict(extra="forbid")

    record: Annotated[str, Field(min_length=1, max_length=200)]
    text: Annotated[str, Field(max_length=250_000)]
    participant: Short = ""
    voice: Voice = Voice.UNKNOWN
    via: Via = Via.UNKNOWN
    provenance: Provenance = Provenance.UNKNOWN
    consent: Literal["analysis_only", "analysis_and_quotes"] = "analysis_only"
    question: Annotated[str, Field(max_length=300)] = ""
    age_band: Annotated[str, Field(max_length=60)] = "unknown"
    area: Annotated[str, Field(max_length=60)] = ""
    period: Annotated[str, Field(max_length=40, description="A date or a month, as 2026-01-31 or 2026-01.")] = ""
    attributes: Annotated[dict[Name, Annotated[str, Field(max_length=60)]], Field(max_length=20)] = {}
    known: Annotated[list[Short], Field(max_length=50, description="Names that are on the form.")] = []


class VoicesIn(BaseModel):
    """Up to 10,000 voices; one is a list of one."""

    model_config = ConfigDict(extra="forbid")

    voices: Annotated[list[VoiceIn], Field(min_length=1, max_length=MOST_VOICES)]


class TakenIn(BaseModel):
    """What came of it: `voices` are new, `known` were here already, `blank` said nothing. `job` is what was asked for."""

    run: str
    rows: int
    voices: int
    known: int
    blank: int
    confidential: int
    notes: list[str]
    job: int | None


@router.post("/studies/{name}/voices", status_code=201, response_model=TakenIn)
def add_voices(study: AStudy, person: AnIntaker, once: AnOnce, body: VoicesIn, prepare: Prepare = False) -> Response:
    """Take voices in, all or none."""

    def make() -> Made:
        posted = [Posted(**v.model_dump()) for v in body.voices]
        key, days = wiring.key_of(study), wiring.settings().keep_raw_days
        done = take_in_posted(
            study, posted, key, digest=once.body, now=now(), keep_raw_days=days, actor=person.name
        )  # fmt: skip
        return _taken_in(study, done, person, once, prepare=prepare)

    return once.do(make)


@router.post("/studies/{name}/files", status_code=201, response_model=TakenIn, openapi_extra=_A_FILE)
async def add_file(
    request: Request, study: AStudy, person: AnIntaker, kind: Kind, idempotency_key: AKey = "",
    profile: Profile = "",
    text: Annotated[str, Query(max_length=200, description="The column that holds the text.")] = "",
    voice: Annotated[Voice | None, Query(description="Who speaks in the whole file.")] = None,
    prepare: Prepare = False,
) -> Response:  # fmt: skip
    """Take in a file, sent as it is, as the body."""
    with _nameless(kind) as file:
        digest = sha256()
        with file.open("wb") as out:
            async for part in request.stream():
                digest.update(part)
                await run_in_threadpool(out.write, part)
        once = Once(request, person, idempotency_key, digest.hexdigest())

        def make() -> Made:
            with _unnamed(text):
                done = take_in(
                    study, file, wiring.key_of(study), now=now(), keep_raw_days=wiring.settings().keep_raw_days,
                    actor=person.name, profile=_profile(profile), text_column=text or None, speaker=voice or "",
                )  # fmt: skip
            return _taken_in(study, done, person, once, prepare=prepare)

        return await run_in_threadpool(once.do, make)


def _profile(name: str) -> Path | None:
    if not name:
        return None
    file = PROFILES / f"{name}.yaml"
    if not file.is_file():
        raise RecordError("there is no mapping profile of that name")
    return file


def _taken_in(study: Study, done: IntakeReport, person: Person, once: Once, *, prepare: bool) -> Made:
    job = ask(study.db, "prepare", {}, by=person.name, now=now(), token=once.token).id if prepare else None
    made = TakenIn(
        run=done.run, rows=done.rows, voices=done.voices, known=done.known, blank=done.blank,
        confidential=done.confidential, notes=list(done.notes), job=job,
    )  # fmt: skip
    return made, "" if job is None else f"/v1/studies/{study.name}/jobs/{job}"


@contextmanager
def _unnamed(column: str) -> Iterator[None]:
    """A problem in the column that the caller named does not repeat its name."""
    try:
        yield
    except InputError as bad:
        if not column or bad.field != column:
            raise
        raise InputError(file=bad.file, row=bad.row, field="text", problem=bad.problem) from None


@contextmanager
def _nameless(kind: str) -> Iterator[Path]:
    """A path to a file that has no name on the disk, where the system can do that: a crash leaves no words behind."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile(dir=folder) as held:
        link = Path(folder) / f"upload.{kind}"
        reached = Path(f"/proc/{os.getpid()}/fd/{held.fileno()}")
        if reached.exists():
            link.symlink_to(reached)
        yield link
