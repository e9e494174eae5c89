"""Quotations: asked for with a card, decided on by a release officer, and the ledger of them all."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from service.access.people import Person
from service.access.permissions import Action
from service.clock import now
from service.deps import ACoder, AReleaseOfficer, AStudy, AVoiceReader
from service.errors import FindingError, PassportError, RecordError
from service.study.quotations import PARTNERS, quotation, quotations
from service.study.study import Study
from service.study.voices import segments
from service.usecases.quote import LONGEST, OUTCOMES, ask_to_quote, card_of, rule_on
from service.usecases.release_card import AUDIENCES, HARMS, Card, Wish, release_card
from service.usecases.search import every_code
from service.web.views import render

router = APIRouter(include_in_schema=False)
HERE = "/studies/{name}/quotations"
Number = Annotated[int, Field(ge=0, le=10**9)]


Short = Annotated[str, Field(max_length=200)]
Long = Annotated[str, Field(max_length=50_000)]


class Asked(BaseModel):
    """The form of a wish; `words` is the part of the text to quote. With `look` the card is shown again, no more."""

    segment: Short = ""
    code: Short = ""
    stance: Short = ""
    words: Long = ""
    audience: Short = PARTNERS
    paraphrase: Long = ""
    harms: Annotated[list[str], Field(max_length=20)] = []
    reason: Long = ""
    look: bool = False


@router.get(HERE)
def ledger(request: Request, study: AStudy, person: AVoiceReader) -> Response:
    """Every quotation that was asked for, and what became of it."""
    held = quotations(study.db)
    shown = {outcome: [(q, card_of(study, q)) for q in held if q.outcome == outcome] for outcome in OUTCOMES}
    return render(
        request, "quotations.html", study=study, shown=shown, outcomes=OUTCOMES, codes=every_code(study),
        audiences=AUDIENCES, rules=person.may(Action.RELEASE),
    )  # fmt: skip


@router.get(HERE + "/new")
def wishing(
    request: Request, study: AStudy, _: ACoder, segment: Short, code: Short, start: Number, end: Number, stance: Short = ""
) -> Response:  # fmt: skip
    """The card of a stretch, to ask for its release."""
    return _wish(request, study, Wish(segment, code, stance, start, end))


@router.post(HERE + "/new")
def asking(request: Request, study: AStudy, person: ACoder, form: Annotated[Asked, Form()]) -> Response:
    """Look at the card again, or ask for the release."""
    try:
        wish = _wished(study, form)
    except FindingError as refused:
        return _wish(request, study, _whole(study, form), form, str(refused), 422)
    if form.look:
        return _wish(request, study, wish, form)
    try:
        number = ask_to_quote(study, wish, by=person.name, now=now())
    except FindingError as refused:
        return _wish(request, study, wish, form, str(refused), 422)
    return RedirectResponse(f"/studies/{study.name}/quotations/{number}", 303)


def _whole(study: Study, form: Asked) -> Wish:
    found = segments(study.db, "s.id = ?", [form.segment])
    if not found:
        raise RecordError("this text is no longer in the study, or it was corrected meanwhile")
    return Wish(form.segment, form.code, form.stance, found[0].start, found[0].end)


def _wished(study: Study, form: Asked) -> Wish:
    whole = _whole(study, form)
    (held,) = segments(study.db, "s.id = ?", [form.segment])
    words = " ".join(form.words.split())
    at = " ".join(held.text.split()).find(words)
    if not words or at < 0:
        raise FindingError("the words to quote do not stand in the text like that: take a part of it as it stands")
    start, end = _place(held.text, words)
    wish = replace(whole, start=held.start + start, end=held.start + end, audience=form.audience)
    return replace(wish, paraphrase=form.paraphrase, harms=tuple(form.harms), reason=form.reason)


def _place(text: str, words: str) -> tuple[int, int]:
    """Where the words stand, however their spaces and lines were."""
    squeezed: list[int] = []
    for i, letter in enumerate(text):
        if not letter.isspace() or (squeezed and not text[squeezed[-1]].isspace()):
            squeezed.append(i)
    at = "".join(" " if text[i].isspace() else text[i] for i in squeezed).find(words)
    return squeezed[at], squeezed[at + len(words) - 1] + 1


def _wish(
    request: Request, study: Study, wish: Wish, form: Asked | None = None, problem: str = "", status: int = 200
) -> Response:
    code = every_code(study).get(wish.code)
    if code is None:
        raise HTTPException(404)
    card = release_card(study, replace(wish, audience=wish.audience if wish.audience in AUDIENCES else PARTNERS))
    (held,) = segments(study.db, "s.id = ?", [wish.segment])
    said = held.text[wish.start - held.start : wish.end - held.start]
    return render(
        request, "quotation_new.html", status=status, study=study, wish=wish, card=card, code=code, problem=problem,
        words=form.words if form else said, form=form or Asked(), harms=HARMS, audiences=AUDIENCES, longest=LONGEST,
        **_marked(card),
    )  # fmt: skip


def _marked(card: Card) -> dict[str, Any]:
    """The words cut where something may identify or single out."""
    spans = [(t.start, t.end, t.why) for t in card.traces] + [(q.start, q.end, q.why) for q in card.quasi]
    edges = sorted({0, len(card.words), *(edge for start, end, _ in spans for edge in (start, end))})
    pieces = [(card.words[a:b], next((w for s, e, w in spans if s <= a and b <= e), "")) for a, b in pairwise(edges)]
    return {"marked": pieces, "whys": sorted({why for _, why in pieces if why})}


@router.get(HERE + "/{number}")
def one(request: Request, study: AStudy, person: AVoiceReader, number: Number) -> Response:
    """A quotation with its card."""
    return _one(request, study, person, number)


@router.post(HERE + "/{number}")
def ruling(
    request: Request, study: AStudy, person: AReleaseOfficer, number: Number,
    outcome: Annotated[str, Form(max_length=20)], why: Annotated[str, Form(max_length=20_000)] = "",
) -> Response:  # fmt: skip
    """Release or withhold it."""
    try:
        rule_on(study, number, outcome, why=why, by=person.name, now=now())
    except (FindingError, PassportError) as refused:
        return _one(request, study, person, number, why, str(refused), 422)
    return RedirectResponse(f"/studies/{study.name}/quotations/{number}", 303)


def _one(
    request: Request, study: Study, person: Person, number: int, why: str = "", problem: str = "", status: int = 200
) -> Response:
    held = quotation(study.db, number)
    card = card_of(study, held)
    return render(
        request, "quotation.html", status=status, study=study, held=held, card=card, code=every_code(study).get(held.asked.code),
        outcomes=OUTCOMES, audiences=AUDIENCES, harms=HARMS, problem=problem, why=why, rules=person.may(Action.RELEASE),
        **(_marked(card) if card else {}),
    )  # fmt: skip
