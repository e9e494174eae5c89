"""What a study found: each theme's share with its interval, its links to indicators, and the words that were released."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from nlp.findings.indicators import Figure
from nlp.findings.link import Fit, Level, Link
from service.api.router import api_router
from service.deps import AReader, AStudy
from service.usecases.joint import Entry, joint, theme_number
from service.usecases.prevalence import theme_shares
from service.usecases.quote import Released, released

router = api_router("findings")


class EstimateOut(BaseModel):
    """A share (0 to 1) with its 95% interval, how many were read of how many are loaded, what it is a share of and what it
    assumes. `to_halve` more would have to be read for an interval half as wide. Never the count that it was worked out from."""

    model_config = ConfigDict(from_attributes=True)

    share: float
    low: float
    high: float
    read: int
    loaded: int
    truth: str
    method: str
    assumptions: tuple[str, ...]
    to_halve: int | None


class ShareOut(BaseModel):
    """The people who express a theme. Without `estimate`, `refusal` says why; `number` is what `heard trace` takes."""

    code: str
    label: str
    estimate: EstimateOut | None
    refusal: str
    number: str


class JudgedOut(BaseModel):
    """What a person judged, and why. `moved` where the figures are no longer those on which it was judged."""

    fit: Fit
    reason: str
    at: str
    moved: bool


class LinkOut(BaseModel):
    """A tie between a theme and an indicator with both figures. The indicator's bounds are percentages; `warnings` must be
    read before its value. `proposed` follows from what was declared alone; nothing but `judged` is a finding."""

    link: Link
    level: Level
    verbs: tuple[str, ...]
    indicator: Figure
    indicator_low: float | None
    indicator_high: float | None
    warnings: tuple[str, ...]
    estimate: EstimateOut | None
    refusal: str
    proposed: Fit
    because: str
    judged: JudgedOut | None
    published_number: str
    heard_number: str


@router.get("/studies/{name}/estimates")
def estimates(study: AStudy, _: AReader) -> list[ShareOut]:
    """The share of people who express each code, corrected, with its interval or why there is none."""
    return [
        ShareOut(
            code=s.code.id, label=s.code.label, refusal=s.refusal, number=theme_number(s),
            estimate=EstimateOut.model_validate(s.estimate) if s.estimate else None,
        )
        for s in theme_shares(study)
    ]  # fmt: skip


@router.get("/studies/{name}/links")
def links(study: AStudy, _: AReader) -> list[LinkOut]:
    """Themes beside published indicators."""
    return [_link(entry) for entry in joint(study).entries]


@router.get("/studies/{name}/releases")
def releases(study: AStudy, _: AReader) -> list[Released]:
    """The quotations that two people released, as they may be quoted; in no order that tells of people."""
    return released(study)


def _link(entry: Entry) -> LinkOut:
    row, judged = entry.row, entry.judged
    return LinkOut(
        link=row.link, level=entry.level, verbs=entry.rule.verbs,
        indicator=row.figure, indicator_low=row.indicator_low, indicator_high=row.indicator_high,
        warnings=row.figure.warnings,
        estimate=EstimateOut.model_validate(row.estimate) if row.estimate else None,
        refusal=row.refusal, proposed=row.proposed, because=row.because,
        judged=JudgedOut(
            fit=Fit(judged.judgement.fit), reason=judged.judgement.reason, at=judged.judgement.at, moved=judged.moved
        ) if judged else None,
        published_number=entry.published, heard_number=entry.heard,
    )  # fmt: skip
