"""Rounds: what is read, by whom and how far it is. Leads make and end them; coders see those that they read in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from nlp.types import Codebook
from service.access.people import Person, all_people
from service.access.permissions import Action
from service.clock import now
from service.deps import ACoder, ALead, AStudy, people_of
from service.errors import ConflictError, RecordError, ServiceError, StudyError
from service.study.codebooks import newest_codebook
from service.study.decisions import rounds
from service.study.publications import recode_counts
from service.study.study import Study
from service.usecases.adjudicate import left_to_settle
from service.usecases.plan import Asked, Planned, RoundLine, end_round, make_round, planned, round_lines
from service.usecases.queue import Tally, rounds_to_code, tally
from service.usecases.rounds import ByChoice
from service.web.queue import ROUND_KINDS, UNITS, shut
from service.web.views import render

router = APIRouter(include_in_schema=False)
HERE = "/studies/{name}/rounds"
FOCUS_CODES = 5


class RoundForm(BaseModel):
    """The form of a new round, as typed; `after` is how many rounds there were when it was opened."""

    kind: str = Field(default="counting", max_length=20)
    by: str = Field(default="person", max_length=20)
    reads: str = Field(default="60", max_length=20)
    coders: list[str] = Field(default=[], max_length=500)
    twice: str = Field(default="20", max_length=20)
    focus: list[str] = Field(default=[], max_length=20)
    focus_reads: str = Field(default="30", max_length=20)
    start: str = Field(default="0", max_length=20)
    after: int = Field(default=0, ge=0, le=10**6)
    act: str = Field(default="look", max_length=10)

    def asked(self, book: Codebook, known: Sequence[str]) -> Asked:
        """The round that is asked for; StudyError names the field that cannot be taken."""
        strangers = [name for name in self.coders if name not in known]
        if strangers:
            raise StudyError("one of the chosen coders may not code any more; choose again")
        counting = self.kind == "counting"
        focus = tuple(dict.fromkeys(_code(book, words) for words in self.focus if words.strip())) if counting else ()
        choice = ByChoice(
            focus=focus, focus_reads=_whole("How many for each focus code", self.focus_reads),
            start=_whole("How many to begin with", self.start),
        )  # fmt: skip
        reads = _whole("How many to draw", self.reads) if counting else 1
        twice = _whole("The share that two coders read", self.twice) / 100
        return Asked(self.kind, tuple(self.coders), twice, self.by, reads, choice, seed=self.after + 1)


def _whole(field: str, typed: str) -> int:
    words = typed.strip().removesuffix("%").replace(",", "").strip()
    if not (words.isascii() and words.isdigit()):
        raise StudyError(f"{field}: write a whole number")
    return int(words)


def _code(book: Codebook, typed: str) -> str:
    words = typed.strip().casefold()
    found = next((c.id for c in book.active_codes if words in (c.id.casefold(), c.label.casefold())), None)
    if found is None:
        raise StudyError("a focus code is not in the codebook: choose it from the list")
    return found


@dataclass(frozen=True, slots=True)
class Shown:
    """A round on the page: `tally` is the asking person's, `line` is for leads; `settle` is (still open, all) disputes."""

    tally: Tally
    mine: bool
    line: RoundLine
    recodes: int
    settle: tuple[int, int]


@router.get(HERE)
def rounds_page(request: Request, study: AStudy, person: ACoder) -> Response:
    """The rounds of the study, for a lead; those that the person reads in, for a coder."""
    return _page(request, study, person, RoundForm(after=len(rounds(study.db))))


def _page(
    request: Request, study: Study, person: Person, form: RoundForm, *, problem: str = "", plan: Planned | None = None,
    status: int = 200,
) -> Response:  # fmt: skip
    leads, lines = person.may(Action.LEAD), round_lines(study)
    return render(
        request, "rounds.html", status=status, study=study, leads=leads, shown=_shown(study, person, lines), form=form,
        problem=problem, plan=plan, coders=_coders(request) if leads else [], book=_book(study), kinds=ROUND_KINDS,
        units=UNITS, shut=shut(study), slots=FOCUS_CODES, blind=_blind_share(lines),
    )  # fmt: skip


def _book(study: Study) -> Codebook | None:
    try:
        return newest_codebook(study.db)
    except RecordError:
        return None


def _coders(request: Request) -> list[str]:
    with people_of(request) as db:
        return [p.name for p in all_people(db) if p.may(Action.CODE)]


def _shown(study: Study, person: Person, lines: Sequence[RoundLine]) -> list[Shown]:
    """All rounds for a lead; for others those that they read in, without a word on how far another coder is."""
    leads, mine = person.may(Action.LEAD), {r.id for r in rounds_to_code(study, person.name)}
    again = recode_counts(study.db)
    seen = [line for line in lines if leads or line.round.id in mine]
    settle = left_to_settle(study, [line.round for line in seen], person.name) if leads else {}
    return [
        Shown(
            tally(study, line.round, person.name), line.round.id in mine, line, again.get(line.round.id, 0),
            settle.get(line.round.id, (0, 0)),
        )
        for line in seen
    ]  # fmt: skip


def _blind_share(lines: Sequence[RoundLine]) -> float | None:
    """Of all texts in rounds that go on, the share that is read blind."""
    going = [line.counts for line in lines if line.end is None]
    texts = sum(c.texts for c in going)
    return sum(c.texts for c in going if c.kind == "counting") / texts if texts else None


@router.post(HERE)
def making(request: Request, study: AStudy, person: ALead, form: Annotated[RoundForm, Form()]) -> Response:
    """Show what a round would be, or make it."""
    try:
        asked = form.asked(newest_codebook(study.db), _coders(request))
        if form.act != "make":
            return _page(request, study, person, form, plan=planned(study, asked))
        made = make_round(study, asked, after=form.after, now=now(), actor=person.name)
    except ConflictError as changed:
        form.after = len(rounds(study.db))
        return _page(request, study, person, form, problem=str(changed), status=412)
    except ServiceError as refused:
        return _page(request, study, person, form, problem=_sentence(refused), status=422)
    return RedirectResponse(f"/studies/{study.name}/rounds#{made.id}", 303)


def _sentence(refused: ServiceError) -> str:
    words = str(refused)
    return f"{words[:1].upper()}{words[1:]}."


@router.post(HERE + "/{round_id}/end")
def ending(study: AStudy, person: ALead, round_id: str) -> Response:
    """End a round."""
    end_round(study, round_id, now=now(), actor=person.name)
    return RedirectResponse(f"/studies/{study.name}/rounds#{round_id}", 303)
