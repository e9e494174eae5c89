"""Commands on codebooks: what would make one better, what differs between two, and a study's version as a file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from nlp import codebook_diff
from nlp.codebook_diff import BookDiff, CodeDiff, FieldDiff, Line, Mark
from nlp.codebook_rules import FIELD_WORDS
from nlp.codebook_write import as_yaml
from nlp.themes.lint import Advice, Remark, lint
from nlp.types import Codebook
from service import wiring
from service.cli.show import give, say
from service.cli.study import Json, StudyFolder
from service.study.codebooks import codebook_version, newest_codebook

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
    out: Annotated[Path | None, typer.Option(help="The file to write, such as codebooks/NAME/codebook.yaml.")] = None,
) -> None:
    """Write a version of a study's codebook as the YAML file that every command reads, to put back into codebooks/.

    Example: heard codebook export studies/harrogate --out codebooks/harrogate/codebook.yaml
    """
    study = wiring.study_in(folder)
    book = codebook_version(study.db, study.codebook, version) if version else newest_codebook(study.db)
    written = as_yaml(book)
    if out is None:
        typer.echo(written, nl=False)
        return
    out.write_text(written, "utf-8")
    say(f"Wrote version {book.version} of “{book.title}”, with the codes that it shares with others, to {out.name}.")
