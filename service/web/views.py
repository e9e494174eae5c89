"""What templates are given: numbers in words, text with its marks, and one way to render."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates
from jinja2 import StrictUndefined

from nlp.findings.prevalence import Estimate, Unit
from nlp.safeguarding import prompts
from service.access.people import Person
from service.access.permissions import ROLE_WORDS, Action, may
from service.clock import now
from service.study.changes import state_for
from service.study.study import Study
from service.usecases.passport import short
from service.usecases.prevalence import Shares
from service.usecases.reading import SegmentReading, VoiceReading

templates = Jinja2Templates(directory=Path(__file__).parent / "templates")
templates.env.undefined = StrictUndefined

SPEAKERS = {
    "child": "Child", "young_person": "Young person", "parent_carer": "Parent or carer", "practitioner": "Practitioner",
    "unknown": "Speaker not known",
}  # fmt: skip
HANDS = {
    "self": "in their own hand", "practitioner": "written down by a practitioner",
    "parent_carer": "written down by a parent or carer", "interpreter": "through an interpreter", "unknown": "hand not known",
}  # fmt: skip
PROVENANCES = {
    "verbatim": "own words",
    "reported": "reported",
    "ai_drafted": "drafted by AI",
    "unknown": "not recorded how close",
}
STANCES = {"": "", "going_well": "going well", "worry": "worry", "mixed": "mixed", "need": "need"}
MOST_TOLD = 3
GROUPINGS = {"voice": "who speaks", "age_band": "age band", "area": "area", "period": "year"}
BANDS = {"likely": "Likely", "possible": "Possible", "unsure": "Not sure"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text and how it is marked: nothing, a redaction, or evidence for codes."""

    text: str
    redacted: bool
    codes: tuple[str, ...]


def percent(share: float) -> str:
    """A share as a whole percentage; “under 1%” and “over 99%” at the edges."""
    if 0 < share < 0.005:
        return "under 1%"
    return "over 99%" if 0.995 < share < 1 else f"{share:.0%}"


def interval(estimate: Estimate) -> str:
    """An interval in words."""
    return f"{percent(estimate.low)} to {percent(estimate.high)}"


def halving(estimate: Estimate) -> str:
    """What it takes for an interval half as wide."""
    unit = "people" if estimate.truth.unit is Unit.PERSON else "texts"
    if estimate.to_halve is None:
        return f"more {unit} than are loaded"
    return f"read {estimate.to_halve:,} more {unit}" if estimate.to_halve else "everything is read"


def chart_words(shares: Shares) -> str:
    """What a chart of shares shows, in sentences."""
    ranked = shares.ranked
    told = [f"“{label}” with {percent(e.share)} ({interval(e)})" for label, e in ranked[:MOST_TOLD]]
    left_out = len(shares.themes) - len(ranked)
    words = f"Most often heard: {'; '.join(told)}."
    return words + (f" {left_out} {'theme is' if left_out == 1 else 'themes are'} left out." if left_out else "")


def thousands(count: int) -> str:
    """A count with its thousands apart."""
    return f"{count:,}"


def pieces(reading: VoiceReading, part: SegmentReading) -> list[Piece]:
    """A segment's text cut where redactions and evidence begin and end."""
    start, end = part.segment.start, part.segment.end
    marks = [(r.start, r.end) for r in reading.redactions] + [(s.start, s.end) for s in part.suggestions]
    edges = sorted({start, end, *(e for mark in marks for e in mark if start < e < end)})
    return [_piece(reading, part, a, b) for a, b in pairwise(edges)]


def _piece(reading: VoiceReading, part: SegmentReading, start: int, end: int) -> Piece:
    redacted = any(r.start <= start and end <= r.end for r in reading.redactions)
    codes = tuple(s.code for s in part.suggestions if s.start <= start and end <= s.end)
    return Piece(reading.text[start:end], redacted, codes)


@dataclass(frozen=True, slots=True)
class Place:
    """A page of a study in its menu, for those with leave."""

    path: str
    label: str
    action: Action


PLACES = (
    Place("", "Overview", Action.FINDINGS),
    Place("/code", "Code", Action.CODE),
    Place("/rounds", "Rounds", Action.CODE),
    Place("/voices", "Voices", Action.READ),
    Place("/excerpts", "Excerpts", Action.READ),
    Place("/findings", "Findings", Action.FINDINGS),
    Place("/joint", "Joint display", Action.FINDINGS),
    Place("/quotations", "Quotations", Action.READ),
    Place("/codebook", "Codebook", Action.FINDINGS),
    Place("/candidates", "Candidate themes", Action.READ),
    Place("/agreement", "Agreement", Action.LEAD),
    Place("/check", "De-identification", Action.CHECK),
    Place("/memos", "Memos", Action.MEMO),
    Place("/flags", "Flags", Action.READ),
    Place("/activity", "Activity", Action.READ),
    Place("/upload", "Upload", Action.INTAKE),
    Place("/jobs", "Jobs", Action.INTAKE),
    Place("/passport", "Passport", Action.FINDINGS),
    Place("/withdrawals", "Withdrawals", Action.INTAKE),
    Place("/safeguarding", "Safeguarding", Action.SAFEGUARD),
    Place("/break-glass", "Original words", Action.SAFEGUARD),
    Place("/break-glass/asked", "Requests for original words", Action.PASSPORT),
    Place("/audit", "Audit", Action.AUDIT),
)


def inside(address: str) -> str:
    """An address of this service; never another one."""
    safe = address.startswith("/") and not address.startswith("//") and "\\" not in address
    return address if safe and address.isprintable() else "/"


def may_write_memos(person: Person | None) -> bool:
    """Whether memos are shown to whoever looks."""
    return person is not None and may(person.role, Action.MEMO)


def may_read_voices(person: Person | None) -> bool:
    """Whether whoever looks may read the voices."""
    return person is not None and may(person.role, Action.READ)


def render(request: Request, name: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page; `person` is who is signed in, None where nobody has to be."""
    person: Person | None = getattr(request.state, "person", None)
    places = [p for p in PLACES if person is not None and may(person.role, p.action)]
    held = {"study": None, "status": status, "person": person, "places": places, **context}
    held["since"] = _since(held["study"], person)
    held["carried"], held["in_order"] = short(held["study"], now()) if held["study"] else ("", True)
    return templates.TemplateResponse(request, name, held, status_code=status)


def _since(study: Study | None, person: Person | None) -> str:
    """Up to where the page holds what others did, so that it can ask what came after."""
    return "" if study is None or person is None else state_for(study.db, study.id, person.name)


templates.env.filters.update(
    percent=percent, interval=interval, halving=halving, chart_words=chart_words, thousands=thousands
)
templates.env.globals.update(
    speakers=SPEAKERS,
    hands=HANDS,
    provenances=PROVENANCES,
    stances=STANCES,
    bands=BANDS,
    groupings=GROUPINGS,
    pieces=pieces,
    word_prompts=prompts,
    role_words=ROLE_WORDS,
    may_read_voices=may_read_voices,
    may_write_memos=may_write_memos,
)
