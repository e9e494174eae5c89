"""Doing jobs: one at a time, each by its handler, with a heartbeat; killed at any moment, another worker goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nlp.errors import NlpError
from service.errors import ServiceError
from service.study.jobs import Job, beat, claim, end
from service.study.study import Study

Clock = Callable[[], str]
Progress = Callable[[int, int], None]
# What a handler does must be whole or not there, batch by batch: it may be killed and begun again.
Handler = Callable[[Study, Job, Progress], Mapping[str, int]]


class _LostError(Exception):
    """The job was cancelled, or another worker has it."""


def work_once(study: Study, handlers: Mapping[str, Handler], worker: str, clock: Clock) -> Job | None:
    """Do the study's next job, if any. A refusal is stored as its problem; any other error by its kind alone."""
    job = claim(study.db, worker, now=clock())
    if job is None:
        return None

    def progress(done: int, total: int) -> None:
        if not beat(study.db, job.id, worker, done=done, total=total, now=clock()):
            raise _LostError

    try:
        result = handlers[job.kind](study, job, progress)
    except _LostError:
        return job
    except (ServiceError, NlpError) as refused:
        end(study.db, job.id, worker, state="failed", now=clock(), result={}, problem=str(refused))
    except Exception as broken:  # noqa: BLE001 - its words may be a person's, so only its kind is kept
        end(study.db, job.id, worker, state="failed", now=clock(), result={}, problem=type(broken).__name__)
    else:
        end(study.db, job.id, worker, state="done", now=clock(), result=result)
    return job
