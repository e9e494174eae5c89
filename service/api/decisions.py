"""Decisions by programs that act for a coder: the next text of a round, blind where it counts, and what is decided on it."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import Path, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from service.api.once import AnOnce, Made, Once
from service.api.router import api_router
from service.clock import now
from service.deps import ACoder, AStudy
from service.errors import ConflictError, StudyError
from service.study.codebooks import newest_codebook
from service.study.study import Study
from service.study.suggestions import StoredSuggestion
from service.usecases.desk import as_shown, freshest
from service.usecases.queue import Item, item_at, next_item, round_to_code
from service.usecases.review import Choice, decide, revise, undo

router = api_router("decisions")
RoundId = Annotated[str, Path(max_length=60)]
SegmentId = Annotated[str, Field(min_length=1, max_length=80)]
SuggestionId = Annotated[int, Field(ge=0, le=2**53)]
Offset = Annotated[int, Field(ge=0, le=10**9)]
LONGEST_READ = 3600.0


class ItemSuggestion(BaseModel):
    """A suggestion that the coder may see; offsets lie in the voice's clean text."""

    id: int
    code: str
    probability: float
    band: str
    start: int
    end: int


class ItemOut(BaseModel):
    """A text to decide on. `blind` says that nothing is shown before the decision; `sealed` that nothing may be yet."""

    round: str
    segment: str
    voice: str
    start: int
    end: int
    text: str
    position: int
    total: int
    blind: bool
    sealed: bool
    suggestions: list[ItemSuggestion]


class NextItem(BaseModel):
    """The coder's next text; null when all are read."""

    item: ItemOut | None


class ChoiceIn(BaseModel):
    """A code given; `start` and `end` lie in the voice's clean text, both 0 for the whole text."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, Field(max_length=200)]
    stance: Annotated[str, Field(max_length=20)] = ""
    start: Offset = 0
    end: Offset = 0
    suggestion: SuggestionId | None = None


class DecisionIn(BaseModel):
    """What the coder decided on a text. `shown` are the suggestions that they saw; `revise` changes a blind decision."""

    model_config = ConfigDict(extra="forbid")

    segment: SegmentId
    choices: Annotated[list[ChoiceIn], Field(max_length=500)] = []
    rejected: Annotated[list[SuggestionId], Field(max_length=1000)] = []
    shown: Annotated[list[SuggestionId], Field(max_length=1000)] = []
    skip: bool = False
    revise: bool = False
    seconds: Annotated[FiniteFloat, Field(ge=0)] = 0.0
    codebook: Annotated[str, Field(max_length=50, description="The version that was chosen from.")] = ""


class Decided(BaseModel):
    """How many acts were kept; after a blind decision, what was suggested."""

    segment: str
    acts: int
    suggestions: list[ItemSuggestion]


class Undone(BaseModel):
    """The text whose decision was taken back; null when there is none."""

    segment: str | None


@router.get("/studies/{name}/rounds/{round_id}/next")
def following(
    study: AStudy, person: ACoder, round_id: RoundId, past: Annotated[str, Query(max_length=80)] = ""
) -> NextItem:  # fmt: skip
    """The coder's next text, held for them where the round has a pool; `past` is a segment to leave for later."""
    round_ = round_to_code(study, round_id, person.name)
    position = item_at(study, round_, person.name, past, now=now(), saving=True).position if past else 0
    item = next_item(study, round_, person.name, after=position, past=past, now=now())
    return NextItem(item=None if item is None else _out(freshest(study, item)))


@router.post("/studies/{name}/rounds/{round_id}/decisions", status_code=201, response_model=Decided)
def add_decision(study: AStudy, person: ACoder, once: AnOnce, round_id: RoundId, body: DecisionIn) -> Response:
    """Decide on a text. In a counting round the answer tells what was suggested, since it is decided."""

    def make() -> Made:
        round_ = round_to_code(study, round_id, person.name)
        item = item_at(study, round_, person.name, body.segment, now=now(), saving=True)
        acts = _keep(study, as_shown(study, item, body.shown), person.name, once, body)
        after = item_at(study, round_, person.name, body.segment, now=now(), saving=True)
        told = [] if body.skip or round_.kind == "review" else _suggestions(after.suggestions)
        return Decided(segment=body.segment, acts=len(acts), suggestions=told), ""

    return once.do(make)


@router.post("/studies/{name}/rounds/{round_id}/undo", status_code=201, response_model=Undone)
def undo_last(study: AStudy, person: ACoder, once: AnOnce, round_id: RoundId) -> Response:
    """Take back the coder's last decision in the round, where nothing blind has been seen since."""

    def make() -> Made:
        round_ = round_to_code(study, round_id, person.name)
        return Undone(segment=undo(study, round_, person.name, now=now())), ""

    return once.do(make)


def _keep(study: Study, item: Item, coder: str, once: Once, body: DecisionIn) -> list[int]:
    _require_known(study, body)
    token = once.token or secrets.token_hex(16)
    choices = [Choice(c.code, c.stance, c.start, c.end, c.suggestion) for c in body.choices]
    rejected = [s for s in item.suggestions if s.id in set(body.rejected)]
    seconds = min(body.seconds, LONGEST_READ)
    if body.revise:
        return revise(
            study, item, coder=coder, choices=choices, rejected=rejected, seconds=seconds, now=now(), token=token,
            codebook=body.codebook,
        )  # fmt: skip
    return decide(
        study, item, coder=coder, choices=choices, rejected=rejected, skip=body.skip, seconds=seconds, now=now(),
        token=token, codebook=body.codebook,
    )  # fmt: skip


def _require_known(study: Study, body: DecisionIn) -> None:
    """What the use case would refuse by name is refused here without it: a code may be anybody's words."""
    book = newest_codebook(study.db)
    if body.codebook and body.codebook != book.version:
        raise ConflictError(f"the codebook is now version {book.version}; look at your choice again")
    known = {code.id for code in book.active_codes}
    for number, choice in enumerate(body.choices, 1):
        if choice.code not in known:
            raise StudyError(f"choice {number} is no code of the codebook now in use, version {book.version}")


def _out(item: Item) -> ItemOut:
    segment = item.segment
    return ItemOut(
        round=item.round.id, segment=segment.id, voice=segment.voice, start=segment.start, end=segment.end,
        text=segment.text, position=item.position, total=item.total, sealed=item.sealed,
        blind=item.round.kind == "counting" and not item.done, suggestions=_suggestions(item.suggestions),
    )  # fmt: skip


def _suggestions(found: tuple[StoredSuggestion, ...]) -> list[ItemSuggestion]:
    return [ItemSuggestion(**{name: getattr(s, name) for name in ItemSuggestion.model_fields}) for s in found]
