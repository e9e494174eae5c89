"""Commands on lessons: share what decisions taught, and borrow it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service import wiring
from service.cli.show import say
from service.cli.study import StudyFolder, actor
from service.clock import now
from service.usecases.share import borrow_lessons, export_lessons

app = typer.Typer(help="Share what decisions taught between studies of one codebook.", no_args_is_help=True)


@app.command()
def export(folder: StudyFolder, out: Annotated[Path, typer.Option(help="Where to write them.")]) -> None:
    """Write a study's lessons, without anyone's words. Only where HEARD_SHARE_LESSONS=vectors allows it.

    Example: heard lessons export studies/harrogate --out harrogate.lessons
    """
    study = wiring.study_in(folder)
    book = wiring.codebook_of(study)
    count = export_lessons(
        study, book, wiring.encoder(), wiring.trust(), out, allowed=wiring.may_share(), now=now(), actor=actor()
    )
    say(f"Wrote the lessons of {count} decided segments to {out}.")


@app.command()
def borrow(
    folder: StudyFolder, file: Annotated[Path, typer.Argument(help="Lessons that another study exported.")]
) -> None:
    """Learn from another study's lessons when suggestions are made next.

    Example: heard lessons borrow studies/ryedale harrogate.lessons
    """
    count = borrow_lessons(wiring.study_in(folder), file, wiring.encoder(), now=now(), actor=actor())
    say(f"Borrowed the lessons of {count} decided segments. Run “heard suggest {folder}” to use them.")
