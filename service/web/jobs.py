"""The study's jobs on a page: how far each is, taken back, tried again."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from service.clock import now
from service.deps import AnIntaker, AStudy
from service.errors import RecordError
from service.study import jobs as store
from service.study.corrections import last_unkept
from service.study.jobs import Job
from service.study.study import Study
from service.web.views import render

router = APIRouter(include_in_schema=False)
PAGE, NEWEST, LARGEST, UNKEPT_SHOWN = 30, 2**53, 2**53, 200
KINDS = {
    "intake": "take in a file", "deidentify": "de-identify", "suggest": "suggest codes",
    "prepare": "de-identify and suggest codes",
}  # fmt: skip
STATES = {
    "waiting": "Waits for its turn.", "running": "Running.", "done": "Done.", "failed": "Failed.", "cancelled": "Cancelled.",
}  # fmt: skip
COUNTS = {
    "rows": "rows", "voices": "voices", "known": "already here", "blank": "blank answers", "confidential": "confidential rows",
    "redactions": "identifiers replaced", "segments": "segments", "held": "in another language", "suggestions": "suggestions",
    "silent": "segments that nothing fitted", "corrected": "with other words", "updated": "with other particulars",
    "unkept": "codings not kept", "look_again": "voices to be checked again, since words that people masked are purged",
}  # fmt: skip


@router.get("/studies/{name}/jobs")
def jobs_page(request: Request, study: AStudy, _: AnIntaker, before: int = NEWEST) -> Response:
    """Jobs, newest first."""
    return _page(request, study, before=before)


def _page(request: Request, study: Study, *, before: int = NEWEST, problem: str = "", status: int = 200) -> Response:
    found = store.all_jobs(study.db, before=min(before, LARGEST), limit=PAGE + 1)
    return render(
        request, "jobs.html", status=status, study=study, jobs=found[:PAGE], older=found[PAGE - 1].id if found[PAGE:] else None,
        kinds=KINDS, states=STATES, far=far, came=came, problem=problem, unkept=last_unkept(study.db, UNKEPT_SHOWN),
    )  # fmt: skip


def far(job: Job) -> str:
    """How far a job is that has begun and is not over."""
    if job.state != "running" or not job.total:
        return ""
    return f"{job.done:,} of {job.total:,} ({job.done / job.total:.0%})"


def came(job: Job) -> str:
    """What came of a job: its counts, or why it failed."""
    counts = ", ".join(f"{count:,} {COUNTS.get(name, name)}" for name, count in job.result.items())
    return job.problem or counts


@router.post("/studies/{name}/jobs/{number}/cancel")
def cancelling(request: Request, study: AStudy, _: AnIntaker, number: int) -> Response:
    """Take a job back; one that is over stays as it is, and the page says so."""
    state = store.job(study.db, _safe(number)).state
    if state in store.OVER and state != "cancelled":
        return _page(request, study, problem=f"job {number} was over before it could be cancelled", status=409)
    store.cancel(study.db, number, now=now())
    return _back(study, number)


@router.post("/studies/{name}/jobs/{number}/retry")
def trying_again(request: Request, study: AStudy, _: AnIntaker, number: int) -> Response:
    """Let a failed or cancelled job wait again."""
    store.job(study.db, _safe(number))
    try:
        store.retry(study.db, number)
    except RecordError as refused:
        return _page(request, study, problem=str(refused), status=409)
    return _back(study, number)


def _safe(number: int) -> int:
    return number if 0 < number <= LARGEST else 0


def _back(study: Study, number: int) -> Response:
    return RedirectResponse(f"/studies/{study.name}/jobs#job-{number}", 303)
