"""A study's first page: where it stands, who is heard, and what would help most now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from nlp.themes.saturation import STEP, Saturation
from service.access.people import Person
from service.access.permissions import Action, may
from service.deps import AReader, AStudy
from service.errors import RecordError
from service.study.codebooks import newest_codebook
from service.study.study import Study
from service.usecases.agreement import at_a_glance
from service.usecases.findings import joint_display
from service.usecases.kept import kept
from service.usecases.overview import Missing, Step, StudyOverview, next_steps, study_overview
from service.usecases.progress import Unseen
from service.web import charts
from service.web.memos import memos_beside
from service.web.views import PLACES, SPEAKERS, render, templates

router = APIRouter(include_in_schema=False)

LAST_STEPS, MISSED_SHOWN = 12, 8
DIMENSIONS = {"voice": "Who speaks", "age_band": "Age band", "area": "Area", "language": "Language"}
KINDS = {"counting": "Counting, read without suggestions", "review": "Review, with suggestions"}
UNITS = {"participant": ("person", "people"), "voice": ("text", "texts"), "segment": ("segment", "segments")}


@dataclass(frozen=True, slots=True)
class _Advice:
    """A step in words: `{n}` is how many, `{round}` the round. Where no page does it, `command` does."""

    words: str
    why: str
    place: str
    action: Action
    command: str = ""


ADVICE = {
    "intake": _Advice(
        "Take in an export", "Nothing has come in yet.", "/upload", Action.INTAKE, "heard intake {study} FILE"
    ),
    "deidentify": _Advice(
        "De-identify {n} voices", "Nobody can read them before.", "", Action.LEAD, "heard deidentify {study}"
    ),
    "language": _Advice(
        "Look at {n} voices in another language", "The machine protects English texts only, so a person has to look.",
        "/check", Action.CHECK, "heard deid-check {study} --checker NAME",
    ),
    "check": _Advice(
        "Check the de-identification: {n} more voices of the random sample",
        "Nobody may code until people have seen that names and other identifiers are out.",
        "/check", Action.CHECK, "heard deid-check {study} --checker NAME",
    ),
    "suggest": _Advice(
        "Suggest codes for {n} segments", "A machine goes first, so that people can decide faster.", "", Action.LEAD,
        "heard suggest {study}",
    ),
    "draw counting": _Advice(
        "Draw people at random to be read", "Only people drawn at random can tell how many express a theme.", "/rounds",
        Action.LEAD, "heard draw {study} --people 60",
    ),
    "read participant": _Advice(
        "Read {n} more people of {round}", "They are read without suggestions: every figure rests on them.", "/code",
        Action.CODE,
    ),
    "read voice": _Advice(
        "Read {n} more texts of {round}", "They are read without suggestions: every figure rests on them.", "/code",
        Action.CODE,
    ),
    "draw review": _Advice(
        "Begin a review round", "With suggestions on screen, coding is fast and the machine learns.", "/rounds",
        Action.LEAD, "heard draw {study} --review",
    ),
    "review": _Advice(
        "Go on with {round}: {n} segments are left", "Each decision makes the next suggestions better.", "/code",
        Action.CODE,
    ),
    "discuss": _Advice(
        "Talk about {n} flagged voices or segments", "Somebody wants to hear what others think.", "/voices",
        Action.READ,
    ),
    "discover": _Advice(
        "Look for themes that no code fits", "For {n} segments nothing in the codebook fitted.", "/candidates",
        Action.LEAD, "heard themes find {study}",
    ),
    "candidates": _Advice(
        "Decide on {n} candidate themes", "They were found in what no code fits.", "/candidates", Action.LEAD
    ),
    "findings": _Advice("Look at the findings", "What people said stands beside what is published.", "/findings",
                        Action.FINDINGS),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class NextStep:
    """A step for the page; `address` is empty where no page does it, then `command` does."""

    words: str
    why: str
    address: str
    command: str


@router.get("/studies/{name}")
def study_page(request: Request, study: AStudy, person: AReader) -> HTMLResponse:
    """Where the study stands."""
    seen = study_overview(study)
    joint = kept(study, "joint", lambda: joint_display(study)) if _has_codebook(study) else []
    return render(
        request, "study.html", study=study, seen=seen, steps=_steps(study, seen, person), joint=joint,
        missing=[_missing(one) for one in seen.missing], missed=_missed(seen, person),
        curve=_curve(seen.progress.saturation) if seen.progress else [],
        memos=memos_beside(study, person, "study", [study.id]), reads=may(person.role, Action.READ),
        agreed=at_a_glance(study, person.name) if may(person.role, Action.LEAD) else None,
    )  # fmt: skip


@router.get("/studies/{name}/saturation.svg")
def saturation_chart(study: AStudy, _: AReader) -> Response:
    """New codes in each ten voices, as a chart."""
    seen = study_overview(study).progress
    band = seen.saturation.codes if seen else None
    if band is None or not band.new:
        raise RecordError("nothing has been read to the end yet, so there is no curve")
    read = seen.saturation.read if seen else 0
    svg = kept(study, "saturation chart", lambda: charts.saturation_svg(band, read))
    return Response(svg, media_type="image/svg+xml")


def _has_codebook(study: Study) -> bool:
    try:
        newest_codebook(study.db)
    except RecordError:
        return False
    return True


def _steps(study: Study, seen: StudyOverview, person: Person) -> list[NextStep]:
    """The steps that this person may take."""
    steps = next_steps(study, seen, person.name)
    return [_step(study, one) for one in steps if may(person.role, ADVICE[one.key].action)]


def _step(study: Study, step: Step) -> NextStep:
    advice = ADVICE[step.key]
    count = {"n": f"{step.count:,}", "round": step.round}
    there = any(place.path == advice.place for place in PLACES) and advice.place
    address = f"/studies/{study.name}{advice.place}" if there else ""
    if step.key == "discuss":
        address += "?flagged=1"
    return NextStep(
        advice.words.format(**count), advice.why.format(**count), address, advice.command.format(study=study.name)
    )


def _missing(one: Missing) -> str:
    """Who is not heard, in a sentence."""
    what, name = DIMENSIONS.get(one.dimension, "").lower(), SPEAKERS.get(one.name, one.name)
    if one.gap == "silent":
        return f"{name}: nobody here speaks in this voice."
    if one.gap == "unread":
        return f"{name} ({what}): nobody has been read yet."
    return f"{DIMENSIONS.get(one.dimension, '')}: not known for some voices, so nobody can tell who they are."


def _missed(seen: StudyOverview, person: Person) -> list[Unseen]:
    """The codes of which most may still be missed, for those who may see the voices: small counts stand behind them."""
    if seen.progress is None or not may(person.role, Action.READ):
        return []
    known = [u for u in seen.progress.unseen if not isnan(u.missed.estimate) and u.missed.high >= 1]
    return sorted(known, key=lambda u: -u.missed.estimate)[:MISSED_SHOWN]


def _curve(found: Saturation) -> Sequence[tuple[str, int, float, float]]:
    """The last rows of the curve: which voices, new codes, and what chance orders bring."""
    steps = list(enumerate(zip(found.codes.new, found.codes.low, found.codes.high, strict=True)))
    return [
        (f"{STEP * i + 1} to {min(STEP * (i + 1), found.read)}", new, low, high)
        for i, (new, low, high) in steps[-LAST_STEPS:]
    ]


templates.env.globals.update(dimensions=DIMENSIONS, round_kinds=KINDS, unit_words=UNITS)
