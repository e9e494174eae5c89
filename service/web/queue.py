"""The queue: a coder's rounds, and one text after another to decide on.

In a counting round nothing about suggestions leaves the server for a text before its decision is saved.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from nlp.types import Code, Codebook
from service.access.people import Person, preferences
from service.clock import now
from service.deps import ACoder, AStudy, people_of
from service.errors import GateError, RecordError, ServiceError
from service.study.codebooks import newest_codebook
from service.study.decisions import Round
from service.study.study import Study
from service.usecases.check import require_open
from service.usecases.desk import Desk, desk, freshest
from service.usecases.queue import Item, Tally, item_at, next_item, round_to_code, rounds_to_code, tally
from service.web.keys import ACTS, keys_of
from service.web.memos import KIND_WORDS
from service.web.views import render, templates

router = APIRouter(include_in_schema=False)

ROUND_KINDS = {"review": "Review round", "counting": "Counting round"}
UNITS = {"participant": ("person", "people"), "voice": ("voice", "voices"), "segment": ("text", "texts")}


@dataclass(frozen=True, slots=True)
class Line:
    """A round that somebody may code in, with how far it is."""

    round: Round
    tally: Tally


@router.get("/studies/{name}/code")
def rounds_page(request: Request, study: AStudy, person: ACoder) -> HTMLResponse:
    """The rounds that the person reads in."""
    lines = [Line(r, tally(study, r, person.name)) for r in rounds_to_code(study, person.name)]
    return render(
        request, "code.html", study=study, lines=lines, shut=shut(study), kinds=ROUND_KINDS, units=UNITS
    )  # fmt: skip


def shut(study: Study) -> str:
    """Why nobody may code yet; empty when they may."""
    try:
        require_open(study)
    except GateError as refused:
        return str(refused)
    return ""


@router.get("/studies/{name}/rounds/{round_id}/read")
def queue_page(request: Request, study: AStudy, person: ACoder, round_id: str, at: str = "") -> HTMLResponse:
    """The queue, with its first text or a certain one."""
    require_open(study)
    round_ = round_to_code(study, round_id, person.name)
    note, item = _first(study, round_, person.name, at)
    with people_of(request) as db:
        chosen = preferences(db, person)
    codebook = newest_codebook(study.db)
    return render(
        request, "queue.html", study=study, round=round_, tally=tally(study, round_, person.name), note=note,
        keys=keys_of(chosen), acts=ACTS, single=chosen.get("single") != "off", young=chosen.get("young") == "on",
        kinds=ROUND_KINDS, units=UNITS, memo_kinds=KIND_WORDS, **_shown(study, item, person, codebook),
        has_young=any(c.young_label not in ("", c.label) for c in codebook.active_codes),
    )  # fmt: skip


def _first(study: Study, round_: Round, coder: str, at: str) -> tuple[str, Item | None]:
    """The item to begin with; where the asked one cannot be shown, why, and the next."""
    note = ""
    if at:
        try:
            return "", item_at(study, round_, coder, at, now=now())
        except ServiceError as gone:
            note = f"{str(gone)[:1].upper()}{str(gone)[1:]}. Here is the next one."
    return note, next_item(study, round_, coder, now=now())


def _shown(study: Study, item: Item | None, person: Person, codebook: Codebook) -> dict[str, Any]:
    """What the fragment of one text is made from."""
    if item is None:
        return {"desk": None, "codes": {}, "given": "[]", "version": codebook.version}
    on_desk = desk(study, freshest(study, item), person.name)
    codes = {c.id: c for c in codebook.codes} if on_desk.item.suggestions or on_desk.given else {}
    return {"desk": on_desk, "codes": codes, "given": _given(on_desk), "version": codebook.version}


def _given(on_desk: Desk) -> str:
    start = on_desk.item.segment.start
    rows = [
        {"code": c.code, "stance": c.stance, "start": max(0, c.start - start), "end": max(0, c.end - start)}
        for c in on_desk.given
    ]
    return json.dumps(rows)


def fragment(request: Request, study: Study, item: Item | None, person: Person) -> str:
    """One text and its codes, to be put in place of those on screen."""
    context = {"study": study, "person": person, **_shown(study, item, person, newest_codebook(study.db))}
    return bytes(templates.TemplateResponse(request, "queue_item.html", context).body).decode()


@router.get("/studies/{name}/rounds/{round_id}/item")
def next_fragment(request: Request, study: AStudy, person: ACoder, round_id: str, after: str = "") -> Response:
    """The text that comes after another one, held for this coder where the round has a pool."""
    round_ = round_to_code(study, round_id, person.name)
    item = next_item(study, round_, person.name, after=_place(study, round_, person.name, after), past=after, now=now())
    return HTMLResponse(fragment(request, study, item, person))


def _place(study: Study, round_: Round, coder: str, segment: str) -> int:
    """Where in the round a text stands; the start, when it was taken out of the study meanwhile."""
    try:
        return item_at(study, round_, coder, segment, now=now(), saving=True).position if segment else 0
    except RecordError:
        return 0


@router.get("/studies/{name}/rounds/{round_id}/items/{segment}")
def certain_fragment(request: Request, study: AStudy, person: ACoder, round_id: str, segment: str) -> Response:
    """A certain text of a round, read or not."""
    round_ = round_to_code(study, round_id, person.name)
    return HTMLResponse(
        fragment(request, study, item_at(study, round_, person.name, segment, now=now()), person)
    )  # fmt: skip


@router.get("/studies/{name}/rounds/{round_id}/tally")
def tally_fragment(request: Request, study: AStudy, person: ACoder, round_id: str) -> Response:
    """How far the round is, in words."""
    round_ = round_to_code(study, round_id, person.name)
    context = {"round": round_, "tally": tally(study, round_, person.name), "units": UNITS}
    return templates.TemplateResponse(request, "queue_tally.html", context)


@router.get("/studies/{name}/codes")
def codes(study: AStudy, _: ACoder) -> dict[str, object]:
    """The codes that may be given, with all that the codebook says of them."""
    book = newest_codebook(study.db)
    return {"version": book.version, "codes": [_code(c) for c in book.active_codes]}


def _code(code: Code) -> dict[str, object]:
    return {
        "id": code.id, "label": code.label, "young": code.young_label, "definition": code.definition,
        "include": code.include, "exclude": [{"text": e.text, "see": e.see} for e in code.exclude],
        "examples": code.examples[:2],
    }  # fmt: skip
