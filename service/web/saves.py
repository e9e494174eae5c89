"""What the queue page sends to be kept: decisions by their tokens, undoing, memos and flags. Answers are JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field, FiniteFloat

from service.access.people import Person
from service.clock import now
from service.deps import ACoder, AStudy
from service.errors import ConflictError, IdentifierError, RecordError, ServiceError
from service.study.decisions import Round
from service.study.study import Study
from service.study.suggestions import StoredSuggestion
from service.usecases.desk import as_shown
from service.usecases.flags import raise_flag
from service.usecases.memos import add_memo
from service.usecases.queue import Item, hold, item_at, round_to_code
from service.usecases.review import Choice, decide, revise, undo
from service.web.queue import fragment
from service.web.sharpening import sharpen_soon

router = APIRouter(include_in_schema=False)
Ids = Annotated[list[int], Field(max_length=1000)]
LONGEST_READ = 3600.0


class SentChoice(BaseModel):
    """A code given; `start` and `end` are code points in the voice's clean text, both 0 for the whole text."""

    code: str = Field(max_length=200)
    stance: str = Field("", max_length=20)
    start: int = Field(0, ge=0, le=10**9)
    end: int = Field(0, ge=0, le=10**9)
    suggestion: int | None = None
    quote: str = Field("", max_length=50_000)

    def choice(self) -> Choice:
        """The same as a use case takes it."""
        return Choice(self.code, self.stance, self.start, self.end, self.suggestion, self.quote)


class Sent(BaseModel):
    """A coder's decision on one text; `shown` are the suggestions that were on screen."""

    token: str = Field(min_length=16, max_length=64)
    choices: list[SentChoice] = Field(default=[], max_length=500)
    rejected: Ids = []
    shown: Ids = []
    skip: bool = False
    revise: bool = False
    seconds: FiniteFloat = Field(0.0, ge=0)
    codebook: str = Field("", max_length=50)


@router.post("/studies/{name}/rounds/{round_id}/items/{segment}")
def saving(request: Request, study: AStudy, person: ACoder, round_id: str, segment: str, sent: Sent) -> Response:
    """Keep a decision once, however often it is sent; in a counting round, show then what was suggested."""
    try:
        round_ = round_to_code(study, round_id, person.name)
        item = item_at(study, round_, person.name, segment, now=now(), saving=True)
        _keep(study, as_shown(study, item, sent.shown), person, sent)
        if round_.kind == "review":
            sharpen_soon(request.app, study, round_, person.name, item.position)
        return JSONResponse({"saved": True, "revealed": _revealed(request, study, round_, segment, person, sent)})
    except ServiceError as refused:
        return _refusal(refused)


def _keep(study: Study, item: Item, person: Person, sent: Sent) -> None:
    choices = [c.choice() for c in sent.choices]
    rejected = _rejected(item.suggestions, sent.rejected)
    common = {
        "coder": person.name, "choices": choices, "rejected": rejected, "now": now(), "token": sent.token,
        "codebook": sent.codebook, "seconds": min(sent.seconds, LONGEST_READ),
    }  # fmt: skip
    if sent.revise:
        revise(study, item, **common)  # type: ignore[arg-type]
    else:
        decide(study, item, skip=sent.skip, **common)  # type: ignore[arg-type]


def _rejected(shown: Sequence[StoredSuggestion], ids: Sequence[int]) -> list[StoredSuggestion]:
    return [s for s in shown if s.id in set(ids)]


def _revealed(
    request: Request, study: Study, round_: Round, segment: str, person: Person, sent: Sent
) -> str | None:  # fmt: skip
    """After a blind decision, the text anew with what was suggested for it."""
    if round_.kind == "review" or sent.skip or sent.revise:
        return None
    return fragment(request, study, item_at(study, round_, person.name, segment, now=now()), person)


def _refusal(refused: ServiceError) -> Response:
    status = 404 if isinstance(refused, RecordError) else 412 if isinstance(refused, ConflictError) else 409
    words = str(refused)
    body: dict[str, Any] = {"problem": f"{words[:1].upper()}{words[1:]}{'' if words[-1:] in '.!?' else '.'}"}
    if isinstance(refused, IdentifierError):
        body["identifies"] = True
    return JSONResponse(body, status)


@router.post("/studies/{name}/rounds/{round_id}/undo")
def undoing(request: Request, study: AStudy, person: ACoder, round_id: str) -> Response:
    """Take back the coder's last decision in the round, and give its text back."""
    try:
        round_ = round_to_code(study, round_id, person.name)
        segment = undo(study, round_, person.name, now=now())
        if segment is None:
            return JSONResponse({"problem": "There is nothing more to undo in this round."}, 409)
        item = item_at(study, round_, person.name, segment, now=now(), saving=True)
        hold(study, item, person.name, now=now())
        return JSONResponse({"segment": segment, "html": fragment(request, study, item, person)})
    except ServiceError as refused:
        return _refusal(refused)


class Held(BaseModel):
    """Texts that a coder still has in hand."""

    segments: list[str] = Field(max_length=5)


@router.post("/studies/{name}/rounds/{round_id}/hold")
def holding(study: AStudy, person: ACoder, round_id: str, held: Held) -> Response:
    """The coder is still at it: nobody else is to get these texts."""
    try:
        round_ = round_to_code(study, round_id, person.name)
        for segment in held.segments:
            hold(study, item_at(study, round_, person.name, segment, now=now()), person.name, now=now())
    except ServiceError as refused:
        return _refusal(refused)
    return JSONResponse({})


class NewMemo(BaseModel):
    """A memo about a text."""

    segment: str = Field(max_length=200)
    kind: str = Field(max_length=20)
    words: str = Field(max_length=200_000)
    identifies_nobody: bool = False


@router.post("/studies/{name}/queue/memos")
def memo(study: AStudy, person: ACoder, new: NewMemo) -> Response:
    """Write a memo without leaving the text."""
    try:
        add_memo(
            study, object="segment", subject=new.segment, kind=new.kind, words=new.words, by=person.name, now=now(),
            identifies_nobody=new.identifies_nobody,
        )  # fmt: skip
    except ServiceError as refused:
        return _refusal(refused)
    return JSONResponse({"saved": True})


class NewFlag(BaseModel):
    """A flag on a text: to talk about, or a possible disclosure."""

    segment: str = Field(max_length=200)
    kind: str = Field(max_length=20)


@router.post("/studies/{name}/queue/flags")
def flag(study: AStudy, person: ACoder, new: NewFlag) -> Response:
    """Flag a text without leaving it."""
    try:
        raise_flag(study, new.segment, new.kind, by=person.name, now=now())
    except ServiceError as refused:
        return _refusal(refused)
    return JSONResponse({"saved": True})
