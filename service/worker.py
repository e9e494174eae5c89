"""The worker: does the jobs of all studies under a folder, one after another, until it is told to stop."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from service import wiring
from service.clock import now
from service.study.jobs import Job
from service.study.study import Study, find_studies, opened
from service.usecases.deidentify import deidentify_study
from service.usecases.jobs import Handler, Progress, work_once
from service.usecases.suggest import suggest_study

IDLE_SECONDS = 0.5


def _deidentify(study: Study, job: Job, progress: Progress) -> Mapping[str, int]:
    done = deidentify_study(
        study, wiring.key_of(study), wiring.deidentifier(), now=now(), actor=job.by, progress=progress
    )
    return {"voices": done.voices, "redactions": done.redactions, "segments": done.segments, "held": done.held}


def _suggest(study: Study, job: Job, progress: Progress) -> Mapping[str, int]:
    book = wiring.codebook_of(study)
    done = suggest_study(
        study, book, wiring.encoder(), now=now(), actor=job.by, progress=progress, trust=wiring.trust()
    )
    return {"segments": done.segments, "suggestions": done.suggestions, "silent": done.silent}


def _prepare(study: Study, job: Job, progress: Progress) -> Mapping[str, int]:
    """All that new voices need before people read them."""
    return {**_deidentify(study, job, progress), **_suggest(study, job, progress)}


HANDLERS: Mapping[str, Handler] = {"deidentify": _deidentify, "suggest": _suggest, "prepare": _prepare}


@cache
def name() -> str:
    """This process's name in the jobs that it holds."""
    return f"{os.getpid()}-{secrets.token_hex(4)}"


def work(folder: Path, stop: threading.Event, *, until_idle: bool = False) -> int:
    """Do jobs until `stop` is set, or, with `until_idle`, until none waits; how many were done."""
    count = 0
    while not stop.is_set():
        did = sum(_next(study) for study in find_studies(folder))
        count += did
        if not did and until_idle:
            break
        if not did:
            stop.wait(IDLE_SECONDS)
    return count


def _next(folder: Path) -> bool:
    with opened(folder) as study:
        return work_once(study, HANDLERS, name(), now) is not None
