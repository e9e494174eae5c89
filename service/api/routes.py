"""JSON twins of the pages, under /v1: studies, voices, themes and findings of this machine's studies."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from nlp.findings.prevalence import Estimate
from service.deps import AReader, AStudy, AVoiceReader
from service.study.search import VoiceFilter
from service.study.study import find_studies, opened
from service.usecases.findings import joint_display, overview, theme_shares
from service.usecases.reading import read_voice
from service.usecases.search import search_voices

router = APIRouter(prefix="/v1")


@router.get("/studies")
def studies(request: Request, _: AReader) -> list[dict[str, Any]]:
    """The studies that are served here."""
    found = []
    for folder in find_studies(request.app.state.studies):
        with opened(folder, request.app.state.pool.lend) as study:
            found.append(
                {"name": study.name, "title": study.title, "codebook": study.codebook, "fictional": study.fictional}
            )
    return found


@router.get("/studies/{name}")
def study(study: AStudy, _: AReader) -> dict[str, Any]:
    """Counts of what came in, what is protected and what is read."""
    return {"name": study.name, "title": study.title, **asdict(overview(study))}


@router.get("/studies/{name}/voices")
def voices(
    study: AStudy, person: AVoiceReader, words: str = "", suggested: str = "", confirmed: str = "", voice: str = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> dict[str, Any]:  # fmt: skip
    """De-identified voices, a page at a time."""
    wanted = VoiceFilter(words=words, voice=voice, suggested=suggested, confirmed=confirmed)
    return asdict(search_voices(study, person.name, wanted, page=page))


@router.get("/studies/{name}/voices/{voice_id}")
def voice(study: AStudy, voice_id: str, person: AVoiceReader) -> dict[str, Any]:
    """One voice with its segments, suggestions and codings."""
    return asdict(read_voice(study, voice_id, person=person.name))


@router.get("/studies/{name}/themes")
def themes(study: AStudy, _: AReader) -> list[dict[str, Any]]:
    """The share of people who express each code, corrected, with its interval or why there is none."""
    return [
        {"code": s.code.id, "label": s.code.label, "estimate": _estimate(s.estimate), "refusal": s.refusal}
        for s in theme_shares(study)
    ]


@router.get("/studies/{name}/findings")
def findings(study: AStudy, _: AReader) -> list[dict[str, Any]]:
    """Themes beside published indicators."""
    return [{**asdict(row), "estimate": _estimate(row.estimate)} for row in joint_display(study)]


def _estimate(estimate: Estimate | None) -> dict[str, float] | None:
    """What may be told of an estimate: never the count that it was worked out from."""
    if estimate is None:
        return None
    return {
        "share": estimate.share,
        "low": estimate.low,
        "high": estimate.high,
        "read": estimate.read,
        "loaded": estimate.loaded,
    }
