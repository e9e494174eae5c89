"""The check of de-identification: a random sample read whole, what was unsure, other languages, and the gate.

What is marked in a text before it is done stands in the address, as places and never as words: going back takes the
last mark away, and the page works where no script runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response

from nlp.types import Label, Span
from service.clock import now
from service.deps import AChecker, AStudy
from service.errors import ConflictError, RecordError, StudyError
from service.study.study import Study
from service.usecases.check import (
    CHANGED,
    Gate,
    ToRead,
    Unsure,
    accept_risk,
    gate,
    next_held,
    next_in_sample,
    places_of,
    record_reading,
    record_unsure,
    to_read,
    unsure_at,
    unsure_places,
    words_at,
)
from service.usecases.check_undo import undo_check
from service.web.views import render, templates
from service.wiring import StudyKey

router = APIRouter(include_in_schema=False)

KINDS = {
    Label.PERSON: "a person", Label.LOCATION: "a place", Label.ORG: "a school or service", Label.DATE: "a date",
    Label.AGE: "an age", Label.PHONE: "a telephone number", Label.EMAIL: "an email address",
    Label.ID: "a number or user name", Label.URL: "a web address", Label.DETAIL: "another detail",
}  # fmt: skip
AROUND, LONGEST_REASON = 160, 2_000
NOT_THERE = "Those words are not in the text as it stands, or are masked already. Type them as they are written."
NOTHING_CHOSEN = "Choose the words first: select them in the text, or type them."
_ACT = re.compile(r"(m)(\d{1,7})-(\d{1,7})-([A-Z]{2,12})|(o)(\d{1,7})-(\d{1,7})")
_UNDONE = {"sample": "sample", "language": "languages", "unsure": "unsure"}


@dataclass(frozen=True, slots=True)
class Act:
    """Something marked and not done yet: a stretch to be masked as `label`, or a mask to be opened."""

    span: Span
    label: Label | None = None

    def __str__(self) -> str:
        place = f"{self.span.start}-{self.span.end}"
        return f"o{place}" if self.label is None else f"m{place}-{self.label}"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text: as it stands, masked, masked and to be opened, or to be masked."""

    text: str
    start: int
    end: int
    state: str


@dataclass(frozen=True, slots=True)
class Marked:
    """One act in words; `places` is how often the words stand in this text."""

    act: Act
    words: str
    places: int
    without: str


def key_of(request: Request, study: AStudy) -> StudyKey:
    """The study's key; KeyFileError when it is not on this machine."""
    key: StudyKey = request.app.state.key_of(study)
    return key


AKey = Annotated[StudyKey, Depends(key_of)]
Acts = Annotated[list[str], Query()]
Sent = Annotated[list[str], Form()]


@router.get("/studies/{name}/check")
def check_page(request: Request, study: AStudy, _: AChecker) -> Response:
    """Where the check stands."""
    return _front(request, study)


def _front(request: Request, study: Study, problem: str = "", reason: str = "", status: int = 200) -> Response:
    return render(
        request, "check.html", status=status, study=study, gate=gate(study), problem=problem, reason=reason
    )  # fmt: skip


@router.post("/studies/{name}/check/accept")
def accepting(
    request: Request, study: AStudy, person: AChecker, reason: Annotated[str, Form()] = ""
) -> Response:  # fmt: skip
    """A named person opens the gate in writing."""
    if len(reason) > LONGEST_REASON or not reason.strip():
        problem = f"Write why, in up to {LONGEST_REASON:,} characters: whoever reads the findings may ask."
        return _front(request, study, problem, reason, 422)
    accept_risk(study, person=person.name, reason=reason, now=now())
    return RedirectResponse(f"/studies/{study.name}/check", 303)


@router.get("/studies/{name}/check/unsure")
def unsure_page(request: Request, study: AStudy, _: AChecker, key: AKey, past: int = 0, noted: int = -1) -> Response:
    """The next stretch that was unsure, after `past` that were skipped."""
    return _unsure(request, study, key, past, noted=noted)


def _unsure(
    request: Request, study: Study, key: StudyKey, past: int, *, noted: int = -1, problem: str = "", status: int = 200
) -> Response:
    places = unsure_places(study)
    past = past if 0 <= past < len(places) else 0
    item = unsure_at(study, key, *places[past]) if places else None
    return render(
        request, "check_unsure.html", status=status, study=study, item=item, past=past, waiting=len(places),
        context=_context(item) if item else None, noted=noted, problem=problem, kinds=KINDS,
    )  # fmt: skip


def _context(item: Unsure) -> tuple[str, str, str]:
    """What stands before the stretch, the stretch with the words behind a mask, and what stands after."""
    text, span = item.clean.text, item.span
    low, high = max(0, span.start - AROUND), min(len(text), span.end + AROUND)
    before = ("…" if low else "") + text[low : span.start]
    return before, item.words or span.of(text), text[span.end : high] + ("…" if high < len(text) else "")


@router.post("/studies/{name}/check/unsure")
def deciding_unsure(
    request: Request, study: AStudy, person: AChecker, key: AKey, voice: Annotated[str, Form()],
    version: Annotated[int, Form()], start: Annotated[int, Form()], end: Annotated[int, Form()],
    mask: Annotated[bool, Form()], past: Annotated[int, Form()] = 0,
) -> Response:  # fmt: skip
    """Mask a stretch, or show it."""
    try:
        item = unsure_at(study, key, voice, start, end, version)
        changed = record_unsure(study, key, item, mask=mask, checker=person.name, now=now())
    except ConflictError as refused:
        return _unsure(request, study, key, past, problem=_sentence(refused), status=412)
    except StudyError as refused:
        return _unsure(request, study, key, past, problem=_sentence(refused), status=409)
    return RedirectResponse(f"/studies/{study.name}/check/unsure?{urlencode({'past': past, 'noted': changed})}", 303)


@router.post("/studies/{name}/check/undo")
def taking_back(request: Request, study: AStudy, person: AChecker, key: AKey) -> Response:
    """Take the person's last check back, and show it again."""
    try:
        undone = undo_check(study, key, checker=person.name, now=now())
    except (ConflictError, StudyError) as refused:
        return _front(request, study, _sentence(refused), status=409)
    if undone is None:
        return _front(request, study, "There is nothing of yours to take back.", status=409)
    return RedirectResponse(f"/studies/{study.name}/check/{_UNDONE[undone.part]}?noted=-2", 303)


@router.get("/studies/{name}/check/{part}")
def reading_page(
    request: Request, study: AStudy, _: AChecker, part: str, voice: str = "", version: int = 0, act: Acts = [],  # noqa: B006
    noted: int = -1,
) -> Response:  # fmt: skip
    """The next voice of the sample, or in another language, with what is marked in it so far."""
    item = _next(study, part)
    same = item is not None and (item.record.id, item.clean.version) == (voice, version)
    gone = "" if same or not voice else _sentence(CHANGED)
    return _reading(request, study, part, item, _acts(act, item) if same and item else [], gone, noted=noted)


def _next(study: Study, part: str) -> ToRead | None:
    if part not in ("sample", "languages"):
        raise HTTPException(404)
    return next_in_sample(study) if part == "sample" else next_held(study)


def _reading(
    request: Request, study: Study, part: str, item: ToRead | None, acts: Sequence[Act], problem: str = "", *,
    noted: int = -1, words: str = "", status: int = 200,
) -> Response:  # fmt: skip
    return render(
        request, "check_read.html", status=status, study=study, part=part, item=item, acts=acts, gate=gate(study),
        pieces=list(_pieces(item, acts)) if item else [], marked=_marked(item, acts) if item else [], kinds=KINDS,
        problem=problem, noted=noted, words=words,
    )  # fmt: skip


def _acts(sent: Sequence[str], item: ToRead) -> list[Act]:
    """The acts that an address holds, without those that cannot be of this text."""
    acts: list[Act] = []
    for one in sent[:200]:
        act = _act(one, item)
        if act is not None and not any(a.span.start < act.span.end and act.span.start < a.span.end for a in acts):
            acts.append(act)
    return acts


def _act(sent: str, item: ToRead) -> Act | None:
    found = _ACT.fullmatch(sent)
    masks = [Span(r.start, r.end) for r in item.clean.redactions]
    if found is None:
        return None
    if found[5]:
        opened = (int(found[6]), int(found[7]))
        return next((Act(m) for m in masks if (m.start, m.end) == opened), None)
    span = words_at(item.clean, int(found[2]), int(found[3]))
    return Act(span, Label(found[4])) if span is not None and found[4] in KINDS else None


def _pieces(item: ToRead, acts: Sequence[Act]) -> Iterator[Piece]:
    """The text cut where masks and marks begin and end; joined, the pieces are the text."""
    states = {(r.start, r.end): "masked" for r in item.clean.redactions}
    states |= {(a.span.start, a.span.end): "open" if a.label is None else "mark" for a in acts}
    edges = sorted({0, len(item.clean.text), *(edge for span in states for edge in span)})
    for start, end in pairwise(edges):
        yield Piece(item.clean.text[start:end], start, end, states.get((start, end), "plain"))


def _marked(item: ToRead, acts: Sequence[Act]) -> list[Marked]:
    return [
        Marked(a, a.span.of(item.clean.text), len(places_of(item.clean.text, a.span.of(item.clean.text))),
               _query(item, [b for b in acts if b is not a]))
        for a in acts
    ]  # fmt: skip


def _query(item: ToRead, acts: Sequence[Act]) -> str:
    return urlencode(
        [("voice", item.record.id), ("version", item.clean.version), *(("act", str(a)) for a in acts)]
    )  # fmt: skip


@router.post("/studies/{name}/check/{part}/find")
def finding(
    request: Request, study: AStudy, _: AChecker, part: str, voice: Annotated[str, Form()],
    version: Annotated[int, Form()], words: Annotated[str, Form()] = "", kind: Annotated[str, Form()] = "",
    place: Annotated[str, Form()] = "", seen: Annotated[str, Form()] = "",
    act: Sent = [],  # noqa: B006
) -> Response:  # fmt: skip
    """Mark words as missed: those that were selected, at `place`, or those that were typed."""
    item = _same(study, part, voice, version)
    if item is None:
        return _reading(request, study, part, _next(study, part), [], _sentence(CHANGED), words=words, status=412)
    acts, found = _acts(act, item), _found(item, words, place, seen)
    if found is None or kind not in KINDS:
        problem = NOT_THERE if words.strip() or place else NOTHING_CHOSEN
        return _reading(request, study, part, item, acts, problem, words=words, status=422)
    made = _acts([*(str(a) for a in acts), str(Act(found, Label(kind)))], item)
    return RedirectResponse(f"/studies/{study.name}/check/{part}?{_query(item, made)}#text", 303)


def _found(item: ToRead, words: str, place: str, seen: str) -> Span | None:
    """The place that was selected, if it reads as it was seen; otherwise the first place with those words."""
    text = item.clean.text
    selected = re.fullmatch(r"(\d{1,9})-(\d{1,9})", place, re.ASCII)
    if selected is not None:
        start, end = int(selected[1]), int(selected[2])
        if text[start:end].split() == seen.split():
            return words_at(item.clean, start, end)
    places = (words_at(item.clean, s.start, s.end) for s in places_of(text, (seen or words).strip()))
    return next((span for span in places if span is not None), None)


def _same(study: Study, part: str, voice: str, version: int) -> ToRead | None:
    """The voice that somebody has open, if it is still as they see it."""
    if part not in ("sample", "languages"):
        raise HTTPException(404)
    try:
        item = to_read(study, voice)
    except RecordError:
        return None
    return item if item.clean.version == version else None


@router.post("/studies/{name}/check/{part}")
def reading_done(
    request: Request, study: AStudy, person: AChecker, key: AKey, part: str, voice: Annotated[str, Form()],
    version: Annotated[int, Form()], act: Sent = [],  # noqa: B006
) -> Response:  # fmt: skip
    """A voice is read: what is marked is masked or opened, and the next one comes."""
    item = _same(study, part, voice, version)
    if item is None:
        return _reading(request, study, part, _next(study, part), [], _sentence(CHANGED), status=412)
    acts = _acts(act, item)
    missed = [(a.span.of(item.clean.text), a.label) for a in acts if a.label is not None]
    opened = [a.span for a in acts if a.label is None]
    try:
        changed = record_reading(study, key, item, missed=missed, rejected=opened, checker=person.name, now=now())
    except ConflictError as refused:
        return _reading(request, study, part, _next(study, part), [], _sentence(refused), status=412)
    except StudyError as refused:
        return _reading(request, study, part, item, acts, _sentence(refused), status=409)
    return RedirectResponse(f"/studies/{study.name}/check/{part}?noted={changed}", 303)


def _sentence(refused: object) -> str:
    words = str(refused).rstrip(".")
    return f"{words[:1].upper()}{words[1:]}."


def gate_sentence(state: Gate) -> str:
    """What the sample says so far, and what is still needed."""
    e = state.overall
    if not e.read:
        return (
            f"Nobody has read the random sample yet. {state.still_to_read} voices read without finding anything bring the"
            f" bound under this study’s limit of {state.limit:g} in 1,000."
            if not state.open
            else "Nobody has read the random sample, so no bound can be given."
        )
    found = "none still held a name or another direct identifier" if not e.leaking else (
        f"{e.leaking} still held a name or another direct identifier"
    )  # fmt: skip
    told = (
        f"Of {e.read} voices drawn at random and read, {found}. With 95% confidence, at most {e.upper:.0f} in 1,000 of all"
        f" the voices still do; this study’s limit is {state.limit:g}."
    )
    return f"{told} {_still(state)}".strip()


def _still(state: Gate) -> str:
    if state.open or not state.still_to_read:
        return ""
    if state.still_to_read > state.waiting:
        return (
            f"{state.still_to_read} more would have to be read without finding anything, and only {state.waiting} are left:"
            " de-identify anew, or let a named person accept the risk in writing."
        )
    return f"If nothing more is found, {state.still_to_read} more voices bring it under the limit."


templates.env.globals.update(gate_sentence=gate_sentence)
