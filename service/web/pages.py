"""The pages, each a thin face of a use case."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from service.access.permissions import Action, may
from service.deps import Anybody, AReader, AStudy
from service.study.codebooks import newest_codebook
from service.study.study import Study, find_studies, opened
from service.usecases.findings import joint_display, overview
from service.usecases.kept import kept
from service.usecases.prevalence import Shares, shares
from service.usecases.prevalence_groups import shares_by
from service.usecases.reading import excerpts
from service.web import charts
from service.web.views import render

router = APIRouter(include_in_schema=False)


@router.get("/")
def home(request: Request, person: Anybody) -> HTMLResponse:
    """The studies on this machine that the person has a part in."""
    found = []
    for folder in find_studies(request.app.state.studies):
        with opened(folder, request.app.state.pool.lend) as study:
            if person.within(study.id).may(Action.FINDINGS):
                found.append((study, kept(study, "home", partial(overview, study))))
    return render(request, "home.html", studies=found)


@router.get("/health")
def health() -> PlainTextResponse:
    """For a container's health check."""
    return PlainTextResponse("ok")


@router.get("/how-it-works")
def how_it_works(request: Request) -> HTMLResponse:
    """What the machine does, what people do, and what the numbers mean."""
    return render(request, "how.html")


@router.get("/studies/{name}/themes")
def themes_page(study: AStudy, _: AReader) -> RedirectResponse:
    """Where themes were before they stood among the findings."""
    return RedirectResponse(f"/studies/{study.name}/findings", 301)


@router.get("/studies/{name}/themes.svg")
def themes_chart(study: AStudy, _: AReader) -> Response:
    """The themes as a chart."""
    return Response(charts.themes_svg(_shares(study)), media_type="image/svg+xml")


@router.get("/studies/{name}/findings")
def findings_page(request: Request, study: AStudy, person: AReader) -> HTMLResponse:
    """How many express each theme, and themes beside published indicators."""
    rows, reads = joint_display(study), may(person.role, Action.READ)
    told = [row.link for row in rows if row.estimate is not None and reads]
    quotes = {link.id: excerpts(study, link.code, link.stance, person=person.name) for link in told}
    return render(
        request, "findings.html", study=study, rows=rows, quotes=quotes, reads=reads, codebook=newest_codebook(study.db),
        shares=_shares(study),
    )  # fmt: skip


def _shares(study: Study) -> Shares:
    return kept(study, "shares", partial(shares, study))


@router.get("/studies/{name}/findings/by/{dimension}")
def groups_page(request: Request, study: AStudy, dimension: str, _: AReader) -> HTMLResponse:
    """How many of each group express each theme."""
    by = kept(study, f"shares by {dimension}", partial(shares_by, study, dimension))
    return render(request, "findings_groups.html", study=study, by=by)


@router.get("/studies/{name}/findings/{link_id}.svg")
def finding_chart(study: AStudy, link_id: str, _: AReader) -> Response:
    """One finding as a chart."""
    row = next((r for r in joint_display(study) if r.link.id == link_id), None)
    if row is None:
        raise HTTPException(404)
    return Response(charts.joint_svg(row), media_type="image/svg+xml")
