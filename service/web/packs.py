"""Other councils' packs beside the study's own findings, and each code's shares put together."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from nlp.findings.meta import ASSUMPTIONS, LEAST, METHOD, Together, Told
from service.deps import AReader, AStudy
from service.study.study import Study
from service.usecases.kept import kept
from service.usecases.packs_compare import Comparison, Row, compare
from service.web import charts
from service.web.views import percent, render

router = APIRouter(include_in_schema=False)


def _compared(study: Study) -> Comparison:
    return kept(study, "packs", lambda: compare(study))


def told_words(told: Told | Together) -> str:
    """A share with its interval, or why there is none."""
    if isinstance(told, Told) and told.held_back:
        return told.held_back
    return f"{percent(told.share)} ({percent(told.low)} to {percent(told.high)})"


def forest_words(row: Row) -> str:
    """What the forest plot shows, in a sentence."""
    said = "; ".join(f"{t.council} {told_words(t)}" for t in row.told if not t.held_back)
    return f"{said or 'No council shows a share'}. " + (
        f"Together {told_words(row.together)}." if row.together else row.refusal
    )


@router.get("/studies/{name}/packs")
def packs_page(request: Request, study: AStudy, _: AReader) -> Response:
    """Every code that another council tells of too."""
    return render(request, "packs.html", study=study, found=_compared(study), told_words=told_words, least=LEAST)


@router.get("/studies/{name}/packs/{code}")
def pack_code_page(request: Request, study: AStudy, code: str, _: AReader) -> Response:
    """One code over councils: forest plot, table, and how far they differ."""
    row = _compared(study).row(code)
    weights = dict(row.together.councils) if row.together else {}
    return render(
        request, "packs_code.html", study=study, row=row, weights=weights, told_words=told_words,
        forest_words=forest_words(row), method=METHOD, assumptions=ASSUMPTIONS,
    )  # fmt: skip


@router.get("/studies/{name}/packs/{code}/forest.svg")
def forest_chart(study: AStudy, code: str, _: AReader) -> Response:
    """The forest plot of one code."""
    return Response(charts.forest_svg(_compared(study).row(code)), media_type="image/svg+xml")
