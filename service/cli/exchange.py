"""`heard import` and `heard export`: projects of other qualitative tools, tables, and whole studies."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from nlp.interchange.project import Fidelity
from nlp.types import Voice
from service import wiring
from service.cli.show import progress, say
from service.cli.study import StudyFolder, actor
from service.clock import now
from service.files.atomic import write_whole
from service.usecases.export_database import export_database
from service.usecases.export_project import export_project
from service.usecases.export_study import export_study
from service.usecases.import_project import brought_in, import_project
from service.usecases.passport import passport_in, set_passport
from service.usecases.tables import export_tables

taking = typer.Typer(help="Make a study of what another tool, or another place, gave out.", no_args_is_help=True)
giving = typer.Typer(help="Give a study out: for another tool, for statistics, or whole.", no_args_is_help=True)


@taking.command("project")
def import_(
    file: Annotated[Path, typer.Argument(help="A REFI-QDA project (.qdpx) of NVivo, ATLAS.ti, MAXQDA, QualCoder, …")],
    folder: Annotated[Path, typer.Argument(help="Where to make the study.")],
    title: Annotated[str, typer.Option(help="What people call the study; the project's name where left out.")] = "",
    voice: Annotated[
        str, typer.Option(help="Who speaks in the texts: child, young_person, parent_carer, practitioner.")
    ] = "",
    *,
    passport: Annotated[Path, typer.Option(help="The study's passport, a TOML file; nothing is taken in without.")],
) -> None:
    """Make a study of another tool's project: texts are de-identified, codes and people's codings keep their place.

    What did not come in as it stands in the file is told, place by place.

    Example: heard import project interviews.qdpx studies/interviews --voice young_person --passport passport.toml
    """
    if voice and voice not in set(Voice):
        raise typer.BadParameter("--voice is child, young_person, parent_carer or practitioner")
    governed, brought = passport_in(passport), brought_in(file, now=now())
    book, settings = brought.codebook.book, wiring.settings()
    study, key = wiring.new_study(folder, book.id, title=title or book.title, now=now(), settings=settings)
    set_passport(study, governed, by=actor(), now=now())
    with progress("De-identifying") as bar:
        done = import_project(
            study, key, brought, wiring.deidentifier(), speaker=voice, now=now(), keep_raw_days=settings.keep_raw_days,
            actor=actor(), progress=bar,
        )  # fmt: skip
    for note in _notes(brought.fidelity):
        say(note)
    if done.elsewhere or done.without_code:
        say(
            f"Not taken in: {done.elsewhere} codings of texts that did not come in, {done.without_code} of unknown codes."
        )
    say(f"{done.voices} texts, {len(book.codes)} codes and {done.codings} codings are in “{study.title}”.")
    say(f"The key is in {wiring.key_source(settings, study.id).where}. Next: heard deid-check {folder} --checker NAME")


def _notes(fidelity: Fidelity) -> list[str]:
    """How faithfully the file was read, and each place that a person should look at."""
    lost = sum(d.lost for d in fidelity.doubts)
    first = (
        f"Offsets read as {fidelity.reading}: {fidelity.words:.1%} of {fidelity.selections} selections stand at the edges of"
        f" words; {len(fidelity.doubts) - lost} to look at, {lost} not taken in."
    )
    notes = [first, *(f"  source {d.source} selection {d.selection or 'none'}: {d.problem}" for d in fidelity.doubts)]
    kinds = Counter(fidelity.left_out)
    return notes + [f"  left out: {count} {kind}, which hold no text" for kind, count in sorted(kinds.items())]


@giving.command("project")
def export(
    folder: StudyFolder,
    out: Annotated[Path, typer.Argument(help="The file to write, a .qdpx.")],
    with_suggestions: Annotated[
        bool, typer.Option("--with-suggestions", help="Undecided suggestions too, under a user marked (machine).")
    ] = False,
) -> None:
    """Write a study as a REFI-QDA project: de-identified texts, people with attributes, and confirmed codings alone.

    Example: heard export project studies/harrogate harrogate.qdpx
    """
    if out.suffix.casefold() != ".qdpx":
        raise typer.BadParameter("the file to write must end in .qdpx")
    study = wiring.study_in(folder)
    done = export_project(study, person=actor(), now=now(), with_suggestions=with_suggestions)
    write_whole(out, done.content)
    machine = f" and {done.suggestions} suggestions of the machine" if with_suggestions else ""
    say(f"{out.name}: {done.sources} texts of {done.people} people, {done.codings} confirmed codings{machine}.")


@giving.command("tables")
def tables(
    folder: StudyFolder, out: Annotated[Path, typer.Argument(help="The folder to write into; it is made if need be.")]
) -> None:
    """Write code-by-case tables of confirmed codings, by voice and by participant: CSV, XLSX, Parquet and SPSS (.sav).

    Example: heard export tables studies/harrogate harrogate-tables
    """
    done = export_tables(wiring.study_in(folder), out, person=actor(), now=now())
    say(
        f"{done.codes} codes for {done.voices} voices and {done.participants} participants, in {len(done.files)} files. An empty"
        " cell was not read by a person; a 0 was, and the code was not found."
    )


@giving.command("datasette")
def open_data(
    folder: StudyFolder,
    out: Annotated[Path, typer.Argument(help="The database to write, a .db, in a folder of its own.")],
    council: Annotated[str, typer.Option(help="What others call you; the study's title otherwise.")] = "",
) -> None:
    """Write what may leave as a SQLite database with metadata.json, ready for Datasette: no words and no people in it.

    Example: heard export datasette studies/harrogate open/harrogate.db --council "North Yorkshire"
    """
    if out.suffix.casefold() != ".db":
        raise typer.BadParameter("the database to write must end in .db")
    done = export_database(wiring.study_in(folder), out, council=council, now=now(), actor=actor())
    say(
        f"{out.name}: {done.themes} themes, {done.held_back} held back; {done.values:,} published values, {done.links} links."
        f" It is “{done.release}” in the ledger of releases and cannot be called back."
    )
    if done.kept:
        say(f"Left out: {done.kept:,} values that name no licence, or are a council's own return.")
    say(f"To look at it: datasette {out} -m {done.metadata}")


@giving.command("study")
def export_whole(
    folder: StudyFolder,
    out: Annotated[Path, typer.Argument(help="The folder to make, or a .zip; it must be new.")],
    with_vault: Annotated[
        bool, typer.Option("--with-vault", help="The raw words and names too, sealed: only the study's key opens them.")
    ] = False,
) -> None:
    """Write a whole study: JSON lines with a README, a schema and a manifest. It comes back with “heard import study”.

    Example: heard export study studies/harrogate harrogate.zip
    """
    done = export_study(wiring.study_in(folder), out, person=actor(), now=now(), with_vault=with_vault)
    say(f"{out.name}: {sum(done.rows.values()):,} rows in {len(done.rows)} files. Manifest SHA-256 {done.digest}")
    if done.waiting:
        say(f"Left out: the words of {done.waiting} voices that wait for a person.")
    say("The vault is in it, sealed. Its key is not." if with_vault else "Left out: raw words and names, in the vault.")


@taking.command("study")
def import_whole(
    source: Annotated[Path, typer.Argument(help="A folder or .zip that “heard export study” made.")],
    folder: Annotated[Path, typer.Argument(help="Where to make the study.")],
) -> None:
    """Make a study of an export. Nothing is made if a byte of it is missing or changed.

    Example: heard import study harrogate.zip studies/harrogate
    """
    settings = wiring.settings()
    study, done, opens = wiring.bring_in_study(source, folder, person=actor(), now=now(), settings=settings)
    say(f"“{study.title}”: {sum(done.rows.values()):,} rows are in. Manifest SHA-256 {done.digest}")
    if not opens:
        say(f"Its vault is sealed; put its key in {settings.key_file_for(study.id)} to open it.")
