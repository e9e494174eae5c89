"""`heard passport`: why a study's voices are held, until when, and what may leave it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from service import wiring
from service.cli.show import give, say
from service.cli.study import Json, StudyFolder, actor
from service.clock import now
from service.study.passports import passport_of, passports
from service.usecases.passport import as_toml, lapsed, passport_in, set_passport

app = typer.Typer(help="A study's dataset passport: without one nothing is taken in.", no_args_is_help=True)


@app.command()
def show(folder: StudyFolder, as_json: Json = False) -> None:
    """Print a study's passport as a file that can be changed and set; blank where it has none yet.

    Example: heard passport show studies/harrogate > passport.toml
    """
    study = wiring.study_in(folder)
    passport, held = passport_of(study), passports(study.db)
    if passport is None:
        say("The study has no passport yet. Fill in what is printed here, and set it with “heard passport set”.")
    elif held:
        say(f"Version {held[0].version}, set on {held[0].at[:10]} by {held[0].by}.")
    if passport is not None and lapsed(passport, now()):
        say(f"It ran out on {passport.retention}: nothing more is taken in.")
    give(None if passport is None else asdict(passport), as_json=as_json, words=as_toml(passport))


@app.command("set")
def set_(folder: StudyFolder, file: Annotated[Path, typer.Argument(help="The passport, a TOML file.")]) -> None:
    """Set a study's passport. Earlier versions are kept.

    Example: heard passport set studies/harrogate passport.toml
    """
    passport = passport_in(file)
    version = set_passport(wiring.study_in(folder), passport, by=actor(), now=now())
    say(f"The passport is at version {version}; the study is kept until {passport.retention}.")
