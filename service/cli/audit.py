"""Commands on the record of what was done: verify, head, export."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from sqlite_utils import Database

from service.access.people import PEOPLE_FILE, people_in
from service.cli.people import there
from service.cli.show import say
from service.study.chain import head_of
from service.study.study import STUDY_FILE, find_studies, opened
from service.study.trail import Wanted, trail
from service.usecases.audit import ACCOUNTS, as_csv, as_seal, seal_from, verify

app = typer.Typer(help="The record of who did what, which nobody can change unseen.", no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(help="A study's folder, or a folder of studies.")]


@app.command("verify")
def verify_(
    folder: Folder,
    head: Annotated[list[str] | None, typer.Option(help="A seal that was kept elsewhere; may be given again.")] = None,
) -> None:
    """Check every entry of every record; exit code 1 when one was changed, removed, added, moved or cut off.

    Example: heard audit verify studies --head harrogate:214:9f2c…
    """
    seals = [seal_from(words) for words in head or ()]
    whole, names = True, set[str]()
    for name, file, db in _records(there(folder)):
        verdict = verify(db, file, [kept for of, kept in seals if of == name])
        say(f"{name}: {verdict.count} entries, {'NOT WHOLE' if verdict.faults else 'whole'}.")
        for fault in verdict.faults:
            say(f"  entry {fault.seq}: {fault.problem}")
        whole, names = whole and not verdict.faults, names | {name}
    for name in sorted({of for of, _ in seals} - names):
        say(f"{name}: there is no such record here, though a seal of it was kept.")
        whole = False
    if not whole:
        raise typer.Exit(1)


@app.command("head")
def head_(folder: Folder) -> None:
    """Print the seal of every record, to be kept where nobody who can write here can change it.

    Example: heard audit head studies
    """
    for name, _, db in _records(there(folder)):
        typer.echo(as_seal(name, head_of(db)))


@app.command()
def export(folder: Folder, record: Annotated[str, typer.Argument(help="A study's name, or “accounts”.")]) -> None:
    """Print a record as CSV, newest first: ids and counts, and the hash of each entry.

    Example: heard audit export studies harrogate > harrogate.csv
    """
    for name, _, db in _records(there(folder)):
        if name == record:
            for line in as_csv(trail(db, Wanted())):
                typer.echo(line, nl=False)


def _records(folder: Path) -> Iterator[tuple[str, Path, Database]]:
    """Each record with its file: of the accounts, where there are any, and of each study."""
    if (folder / PEOPLE_FILE).is_file():
        with people_in(folder) as db:
            yield ACCOUNTS, folder / PEOPLE_FILE, db
    for found in find_studies(folder):
        with opened(found) as study:
            yield study.name, found / STUDY_FILE, study.db
