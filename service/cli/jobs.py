"""Long work: ask for it, see how far it is, take it back, do it."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from service import wiring, worker
from service.cli.show import say
from service.cli.study import StudyFolder, actor
from service.clock import now
from service.errors import StudyError
from service.study import jobs as store
from service.study.study import find_studies

app = typer.Typer(help="Long work: ask for it, see how far it is, take it back.", no_args_is_help=True)
Number = Annotated[int, typer.Argument(help="The job's number, as “heard jobs list” gives it.")]


@app.command("list")
def list_(folder: StudyFolder) -> None:
    """Say how far a study's jobs are, newest first.

    Example: heard jobs list studies/harrogate
    """
    for job in store.all_jobs(wiring.study_in(folder).db):
        far = f" {job.done:,} of {job.total:,}" if job.total else ""
        say(f"{job.id}: {job.kind}, {job.state}{far}{': ' + job.problem if job.problem else ''}")


@app.command()
def ask(
    folder: StudyFolder, kind: Annotated[str, typer.Argument(help="deidentify, suggest or prepare (both).")]
) -> None:
    """Ask for a job; a worker does it.

    Example: heard jobs ask studies/harrogate prepare
    """
    if kind not in worker.ASKED:
        raise StudyError(f"a job is one of: {', '.join(worker.ASKED)}")
    say(f"Job {store.ask(wiring.study_in(folder).db, kind, {}, by=actor(), now=now()).id} waits for a worker.")


@app.command()
def cancel(folder: StudyFolder, number: Number) -> None:
    """Take a job back. What it has done so far stays.

    Example: heard jobs cancel studies/harrogate 3
    """
    say(f"Job {number} is {store.cancel(wiring.study_in(folder).db, number, now=now()).state}.")


@app.command()
def retry(folder: StudyFolder, number: Number) -> None:
    """Let a failed or cancelled job wait again; it goes on where it stopped.

    Example: heard jobs retry studies/harrogate 3
    """
    say(f"Job {store.retry(wiring.study_in(folder).db, number).id} waits for a worker.")


def work(
    folder: Annotated[Path, typer.Argument(help="A study's folder, or a folder of studies.")],
    until_idle: Annotated[bool, typer.Option("--until-idle", help="Stop when no job waits.")] = False,
) -> None:
    """Do the jobs of all studies in a folder. “heard serve” runs one such worker by itself; more may be added.

    Example: heard worker studies
    """
    if not find_studies(folder):
        raise StudyError(f"there is no study in “{folder.name}” or directly under it")
    stop = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: stop.set())
    say(f"Did {worker.work(folder, stop, until_idle=until_idle)} jobs.")
