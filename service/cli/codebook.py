"""Commands on codebooks: what would make one better."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from nlp.themes.lint import Advice, Remark, lint
from service import wiring
from service.cli.show import give
from service.cli.study import Json

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
