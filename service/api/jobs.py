"""Long work of a study: asked for, watched, taken back, tried again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Path as InPath
from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict

from service.api.once import AnOnce, Made
from service.api.paging import AfterNumber, Limit, Page, cursor_to
from service.api.router import api_router
from service.clock import now
from service.deps import AnIntaker, AStudy, AVoiceReader
from service.study import jobs as store
from service.study.jobs import OVER, Job
from service.study.pool import Pool
from service.study.study import opened

router = api_router("jobs")
Number = Annotated[int, InPath(ge=1, le=2**53)]
LOOKS, LONGEST, HEARTBEAT = 0.5, 300.0, 15.0


class JobAsked(BaseModel):
    """What to do: `prepare` is all that new voices need, first `deidentify`, then `suggest`."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["deidentify", "suggest", "prepare"]


class JobOut(BaseModel):
    """A job; `state` is waiting, running, done, failed or cancelled. `result` holds counts, `problem` why it failed."""

    id: int
    kind: str
    state: str
    done: int
    total: int
    attempts: int
    result: Mapping[str, int]
    problem: str
    asked_at: str
    began_at: str
    ended_at: str


@router.get("/studies/{name}/jobs")
def jobs(study: AStudy, _: AVoiceReader, after: AfterNumber = None, limit: Limit = 50) -> Page[JobOut]:
    """The study's jobs, newest first."""
    found = store.all_jobs(study.db, before=after[0] if after else 2**62, limit=limit + 1)
    return Page(items=[_out(j) for j in found[:limit]], next=cursor_to(found[limit - 1].id) if found[limit:] else None)


@router.post("/studies/{name}/jobs", status_code=202, response_model=JobOut)
def ask(study: AStudy, person: AnIntaker, once: AnOnce, body: JobAsked) -> Response:
    """Ask for a job; a worker does it."""

    def make() -> Made:
        made = store.ask(study.db, body.kind, {}, by=person.name, now=now(), token=once.token)
        return _out(made), f"/v1/studies/{study.name}/jobs/{made.id}"

    return once.do(make, status=202)


@router.get("/studies/{name}/jobs/{number}")
def job(study: AStudy, _: AVoiceReader, number: Number) -> JobOut:
    """How far a job is."""
    return _out(store.job(study.db, number))


@router.post("/studies/{name}/jobs/{number}/cancel")
def cancel(study: AStudy, _: AnIntaker, number: Number) -> JobOut:
    """Take a job back. What it has done so far stays; a job that is over stays as it is."""
    return _out(store.cancel(study.db, number, now=now()))


@router.post("/studies/{name}/jobs/{number}/retry")
def retry(study: AStudy, _: AnIntaker, number: Number) -> JobOut:
    """Let a failed or cancelled job wait again; it goes on where it stopped."""
    return _out(store.retry(study.db, number))


_AN_EVENT_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "Server-sent events", "content": {"text/event-stream": {}}}
}


@router.get("/studies/{name}/jobs/{number}/events", response_class=StreamingResponse, responses=_AN_EVENT_STREAM)
def events(request: Request, study: AStudy, _: AVoiceReader, number: Number) -> StreamingResponse:
    """The job each time that it has gone on, as server-sent events, until it is over or five minutes have passed."""
    store.job(study.db, number)
    stream = _told(request.app.state.pool, study.folder, number)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _told(pool: Pool, folder: Path, number: int) -> AsyncIterator[str]:
    clock = asyncio.get_running_loop().time
    last, told_at, end = "", clock(), clock() + LONGEST
    while clock() < end:
        found = await run_in_threadpool(_look, pool, folder, number)
        words = found.model_dump_json()
        if words != last:
            yield f"data: {words}\n\n"
        elif clock() > told_at + HEARTBEAT:
            yield ": still here\n\n"
        told_at = clock() if words != last else told_at
        last = words
        if found.state in OVER:
            return
        await asyncio.sleep(LOOKS)


def _look(pool: Pool, folder: Path, number: int) -> JobOut:
    with opened(folder, pool.lend) as study:
        return _out(store.job(study.db, number))


def _out(found: Job) -> JobOut:
    return JobOut(**{name: getattr(found, name) for name in JobOut.model_fields})
