"""The worker: does the jobs of all studies under a folder, one after another, until it is told to stop."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

from service import wiring
from service.clock import now
from service.errors import FullError
from service.files.mapping import Profile
from service.files.tables import Row, Table
from service.study.jobs import Job, ask
from service.study.study import Study, find_studies, opened
from service.usecases import uploads
from service.usecases.correct import correct_table
from service.usecases.deidentify import deidentify_study
from service.usecases.intake import file_hash, take_in_table
from service.usecases.jobs import Handler, Progress, work_once
from service.usecases.suggest import suggest_study
from service.wiring import KeyOf
from service.wiring import StudyKey as Key

IDLE_SECONDS = 0.5
BEAT_EVERY = 1000
ASKED = ("deidentify", "suggest", "prepare")  # by name alone; a file is taken in by way of its upload


def handlers(key_of: KeyOf) -> Mapping[str, Handler]:
    """What does each kind of job, with the keys that `key_of` gives."""

    def deidentify(study: Study, job: Job, progress: Progress) -> Mapping[str, int]:
        done = deidentify_study(
            study, key_of(study), wiring.deidentifier(), now=now(), actor=job.by, progress=progress
        )  # fmt: skip
        return {"voices": done.voices, "redactions": done.redactions, "segments": done.segments, "held": done.held}

    def suggest(study: Study, job: Job, progress: Progress) -> Mapping[str, int]:
        book = wiring.codebook_of(study)
        done = suggest_study(
            study, book, wiring.encoder(), now=now(), actor=job.by, progress=progress, trust=wiring.trust()
        )
        return {"segments": done.segments, "suggestions": done.suggestions, "silent": done.silent}

    def prepare(study: Study, job: Job, progress: Progress) -> Mapping[str, int]:
        """All that new voices need before people read them."""
        return {**deidentify(study, job, progress), **suggest(study, job, progress)}

    def intake(study: Study, job: Job, progress: Progress) -> Mapping[str, int]:
        return _take_in(study, key_of(study), job, progress)

    return {**dict(zip(ASKED, (deidentify, suggest, prepare), strict=True)), uploads.JOB: intake}


def _take_in(study: Study, key: Key, job: Job, progress: Progress) -> Mapping[str, int]:
    """A file that was handed in on a page; what it needs next is asked for with it."""
    upload, table = uploads.opened_for(study, job)
    beating, given = _beating(table, progress, upload.rows), _Given(file_hash(upload.file), now(), job.by)
    counts = (_corrected if upload.correct else _taken_in)(study, beating, upload.profile, key, given, progress)
    if upload.prepare:
        ask(study.db, "prepare", {}, by=job.by, now=now(), token=f"after/{job.id}")
    return counts


@dataclass(frozen=True, slots=True)
class _Given:
    """What a file is taken in with: its hash, when and by whom."""

    input_hash: str
    now: str
    actor: str


def _taken_in(
    study: Study, table: Table, profile: Profile, key: Key, given: _Given, _: Progress
) -> dict[str, int]:  # fmt: skip
    days = wiring.settings().keep_raw_days
    done = take_in_table(study, table, profile, key, **asdict(given), keep_raw_days=days)
    return {name: getattr(done, name) for name in ("rows", "voices", "known", "blank", "confidential")}


def _corrected(
    study: Study, table: Table, profile: Profile, key: Key, given: _Given, progress: Progress
) -> dict[str, int]:  # fmt: skip
    days, cascade = wiring.settings().keep_raw_days, wiring.deidentifier()
    done = correct_table(
        study, table, profile, key, cascade, **asdict(given), keep_raw_days=days, progress=progress
    )  # fmt: skip
    counts = {name: getattr(done.intake, name) for name in ("rows", "voices", "known", "corrected", "updated")}
    return {**counts, "unkept": len(done.unkept), "look_again": len(done.look_again)}


def _beating(table: Table, progress: Progress, total: int) -> Table:
    """The same table, which tells how far its reading is."""

    def rows() -> Iterator[Row]:
        for n, row in enumerate(table.rows(), 1):
            if n % BEAT_EVERY == 0:
                progress(n, total)
            yield row

    return replace(table, read=rows)


HANDLERS = handlers(wiring.key_of)


@cache
def name() -> str:
    """This process's name in the jobs that it holds."""
    return f"{os.getpid()}-{secrets.token_hex(4)}"


def work(
    folder: Path, stop: threading.Event, *, until_idle: bool = False, key_of: KeyOf = wiring.key_of
) -> int:  # fmt: skip
    """Do jobs until `stop` is set, or, with `until_idle`, until none waits; how many were done.

    In between, files that were handed in on a page and are no longer needed are deleted.
    """
    count, does = 0, handlers(key_of)
    while not stop.is_set():
        did = sum(_next(study, does) for study in find_studies(folder))
        count += did
        if not did and until_idle:
            break
        if not did:
            stop.wait(IDLE_SECONDS)
    return count


def _next(folder: Path, does: Mapping[str, Handler]) -> bool:
    """Whether a job was done. One that a full disk stopped keeps its lease, and is tried again when that has run out."""
    try:
        with opened(folder) as study:
            did = work_once(study, does, name(), now) is not None
            uploads.sweep(study, now=now())
            return did
    except FullError:
        return False
