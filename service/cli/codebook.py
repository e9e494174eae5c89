"""Commands on codebooks: what would make one better, what differs between two, and a study's version as a file."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from nlp import codebook_diff
from nlp.codebook_diff import BookDiff, CodeDiff, FieldDiff, Line, Mark
from nlp.codebook_rules import FIELD_WORDS, problems
from nlp.codebook_write import as_plain_json, as_yaml
from nlp.themes.lint import Advice, Remark, lint
from nlp.types import Codebook
from service import wiring
from service.cli.show import give, say
from service.cli.study import Json, StudyFolder
from service.clock import now
from service.files.atomic import write_whole
from service.study.codebooks import codebook_version, newest_codebook
from service.usecases.export_project import export_codebook
from service.usecases.import_project import codebook_in

app = typer.Typer(help="Look after codebooks.", no_args_is_help=True)


@app.callback()
def codebook() -> None:
    """Look after codebooks."""


@app.command()
def check(
    name: Annotated[str, typer.Argument(help="A codebook: the name of a folder in codebooks/, or a path.")],
    as_json: Json = False,
) -> None:
    """Read a codebook as the matcher does: codes that are near one another, codes without quotes, quotes that would go elsewhere.

    Example: heard codebook check north-yorkshire-care-leavers
    """
    book = wiring.codebook_named(name)
    remarks = lint(book, wiring.encoder())
    words = "\n".join(map(_words, remarks)) or "Nothing to remark."
    give([asdict(r) for r in remarks], as_json=as_json, words=f"{book.title}, {book.version}\n{words}")


def _words(remark: Remark) -> str:
    codes = f"{remark.code} and {remark.other}" if remark.advice is Advice.NEAR else remark.code
    towards = f" ({remark.other})" if remark.advice is Advice.QUOTE_ELSEWHERE else ""
    return f"{codes}: {remark.why}{towards}"


@app.command()
def diff(
    before: Annotated[str, typer.Argument(help="A codebook's name or path; with --study, a version number.")],
    after: Annotated[str, typer.Argument(help="The other one.")],
    study: Annotated[Path | None, typer.Option(help="Compare two versions that this study keeps.")] = None,
    as_json: Json = False,
) -> None:
    """Say what differs between two versions of a codebook: by code, by field, by word.

    Words in [-…-] stand only in the first, words in {+…+} only in the second.

    Example: heard codebook diff 0.1.0 1.0.0 --study studies/harrogate
    """
    books = [_stored(study, v) if study else wiring.codebook_named(v) for v in (before, after)]
    found = codebook_diff.diff(*books)
    give(asdict(found), as_json=as_json, words="\n".join(_diff_words(found)) or "Nothing differs.")


def _stored(folder: Path, version: str) -> Codebook:
    study = wiring.study_in(folder)
    return codebook_version(study.db, study.codebook, version)


def _diff_words(found: BookDiff) -> list[str]:
    lines = [line for field in found.book for line in _field_words(field)]
    return lines + [line for code in found.codes for line in _code_words(code)]


def _code_words(code: CodeDiff) -> list[str]:
    what = {Mark.NEW: " is new", Mark.GONE: " is gone", Mark.SAME: ""}[code.mark]
    return [f"{code.code.id} {code.code.label}{what}", *(line for field in code.fields for line in _field_words(field))]


def _field_words(field: FieldDiff) -> list[str]:
    return [f"  {FIELD_WORDS.get(field.field, field.field)}:", *(f"    {_marked(line)}" for line in field.lines)]


def _marked(line: Line) -> str:
    shapes = {Mark.SAME: "{}", Mark.GONE: "[-{}-]", Mark.NEW: "{{+{}+}}"}
    return "".join(shapes[piece.mark].format(piece.text) for piece in line)


@app.command()
def export(
    folder: StudyFolder,
    version: Annotated[str, typer.Option(help="Which version; the one in use where left out.")] = "",
    out: Annotated[
        Path | None, typer.Option(help="The file to write: codebooks/NAME/codebook.yaml, or a .qdc for other tools.")
    ] = None,
) -> None:
    """Write a version of a study's codebook as the YAML file that every command reads, to put back into codebooks/.

    Example: heard codebook export studies/harrogate --out codebooks/harrogate/codebook.yaml
    """
    study = wiring.study_in(folder)
    book = codebook_version(study.db, study.codebook, version) if version else newest_codebook(study.db)
    written = export_codebook(book) if out and out.suffix.casefold() == ".qdc" else as_yaml(book).encode()
    if out is None:
        typer.echo(written, nl=False)
        return
    write_whole(out, written)
    say(f"Wrote version {book.version} of “{book.title}”, with the codes that it shares with others, to {out.name}.")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A REFI-QDA codebook (.qdc) or project (.qdpx).")],
    out: Annotated[Path, typer.Argument(help="A codebook.json to write; a codebook.yaml where every field is there.")],
) -> None:
    """Read another tool's codebook as a file that every command reads. What its codes lack is told; fill it in there.

    Example: heard codebook import interviews.qdc codebooks/interviews/codebook.json
    """
    book = codebook_in(file, now=now()).book
    missing = problems(book)
    if out.suffix.casefold() in (".yaml", ".yml"):
        write_whole(out, as_yaml(book).encode())
    else:
        write_whole(out, as_plain_json(book).encode())
    say(f"Wrote {len(book.codes)} codes of “{book.title}” to {out.name}.")
    for field, count in Counter(p.field for p in missing if p.code).most_common():
        say(f"  {count} codes lack or fall short in: {FIELD_WORDS.get(field, field)}")
