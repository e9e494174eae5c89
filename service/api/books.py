"""Codebooks, the rounds that are read with them, and the indicators that a study holds."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path as Folder
from typing import Annotated, Literal

from fastapi import Path, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from nlp.findings.indicators import Source, Value
from nlp.types import Codebook
from service import wiring
from service.api.once import AnOnce, Made
from service.api.paging import AfterNumber, Limit, Page, cursor_to
from service.api.router import api_router
from service.clock import now
from service.deps import ALead, AReader, AStudy, AVoiceReader
from service.errors import RecordError
from service.study.codebooks import all_codebooks, codebook_version, newest_codebook
from service.study.decisions import Round, rounds
from service.study.indicators import Listed
from service.study.plans import ends
from service.study.study import Study
from service.usecases.indicators import indicators_of, values_of
from service.usecases.rounds import draw_counting_round, draw_review_round

router = api_router("codebooks")
RoundId = Annotated[str, Path(max_length=60)]


class CodebookLine(BaseModel):
    """A version of a codebook in short; `current` is the one that people code with."""

    id: str
    title: str
    version: str
    fingerprint: str
    codes: int
    current: bool


class RoundOut(BaseModel):
    """A round, when it was drawn, and when it ended (empty while it goes on)."""

    id: str
    kind: str
    unit: str
    codebook: str
    codebook_version: str
    created_at: str
    ended_at: str


class ToDraw(BaseModel):
    """A round to draw: `review` shows suggestions over every text; `counting` is a random draw of `size`, read blind."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["review", "counting"]
    size: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    by: Literal["person", "text"] = "person"
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 1


class IndicatorValue(BaseModel):
    """A published value with its status and quality, and the file that it stands in."""

    value: Value
    source: Source


@router.get("/codebooks")
def codebooks(_: AReader) -> list[CodebookLine]:
    """The codebooks that are installed here, for `POST /v1/suggest`."""
    return [
        _line(wiring.codebook_in_folder(folder.name), current=True) for folder in _folders(wiring.settings().codebooks)
    ]


@router.get("/studies/{name}/codebooks")
def study_codebooks(study: AStudy, _: AReader) -> list[CodebookLine]:
    """Every version that the study keeps, in the order in which they came."""
    current = _current(study)
    return [_line(book, current=book.version == current) for book in all_codebooks(study.db, study.codebook)]


@router.get("/studies/{name}/codebooks/{version}")
def study_codebook(study: AStudy, _: AReader, version: Annotated[str, Path(max_length=60)]) -> Codebook:
    """One version whole. A version never changes."""
    return codebook_version(study.db, study.codebook, version)


@router.get("/studies/{name}/rounds", tags=["rounds"])
def study_rounds(study: AStudy, _: AVoiceReader) -> list[RoundOut]:
    """The study's rounds, oldest first."""
    ended = {round_id: end.at for round_id, end in ends(study.db).items()}
    return [_round(r, ended.get(r.id, "")) for r in rounds(study.db)]


@router.get("/studies/{name}/rounds/{round_id}", tags=["rounds"])
def study_round(study: AStudy, _: AVoiceReader, round_id: RoundId) -> RoundOut:
    """One round."""
    end = ends(study.db).get(round_id)
    return _round(round_named(study, round_id), end.at if end else "")


@router.post("/studies/{name}/rounds", status_code=201, response_model=RoundOut, tags=["rounds"])
def draw(study: AStudy, person: ALead, once: AnOnce, body: ToDraw) -> Response:
    """Draw a round. The whole draw is logged before anything is read."""

    def make() -> Made:
        made = _drawn(study, body, person.name)
        return _round(made, ""), f"/v1/studies/{study.name}/rounds/{made.id}"

    return once.do(make)


@router.get("/studies/{name}/indicators", tags=["indicators"])
def indicators(study: AStudy, _: AReader) -> list[Listed]:
    """The published indicators that the study holds."""
    return indicators_of(study)


@router.get("/studies/{name}/indicators/{indicator}", tags=["indicators"])
def indicator_values(
    study: AStudy, _: AReader, indicator: Annotated[str, Path(max_length=200)],
    area: Annotated[str, Query(max_length=200)] = "", period: Annotated[str, Query(max_length=60)] = "",
    after: AfterNumber = None, limit: Limit = 50,
) -> Page[IndicatorValue]:  # fmt: skip
    """An indicator's values, by place and period."""
    found, first = values_of(study, indicator, [area] if area else [], period), max(0, after[0] if after else 0)
    items = [IndicatorValue(value=s.value, source=s.source) for s in found[first : first + limit]]
    return Page(items=items, next=cursor_to(first + limit) if first + limit < len(found) else None)


def round_named(study: Study, round_id: str) -> Round:
    """A round by its id; RecordError when there is none."""
    found = next((r for r in rounds(study.db) if r.id == round_id), None)
    if found is None:
        raise RecordError("there is no round of that id in this study")
    return found


def _drawn(study: Study, wanted: ToDraw, actor: str) -> Round:
    if wanted.kind == "review":
        return draw_review_round(study, seed=wanted.seed, now=now(), actor=actor)
    return draw_counting_round(study, people=wanted.size, by=wanted.by, seed=wanted.seed, now=now(), actor=actor)


def _round(found: Round, ended_at: str) -> RoundOut:
    held = {k: v for k, v in asdict(found).items() if k in RoundOut.model_fields}
    return RoundOut(**held, ended_at=ended_at)


def _line(book: Codebook, *, current: bool) -> CodebookLine:
    return CodebookLine(
        id=book.id, title=book.title, version=book.version, fingerprint=book.fingerprint, codes=len(book.active_codes),
        current=current,
    )  # fmt: skip


def _current(study: Study) -> str:
    try:
        return newest_codebook(study.db).version
    except RecordError:
        return ""


def _folders(codebooks: Folder) -> list[Folder]:
    return sorted(folder for folder in codebooks.iterdir() if (folder / "codebook.yaml").is_file())
