"""Adjudication, for leads: what coders who read apart decided, side by side without names, and what shall stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from nlp.types import Codebook, Stance
from service.access.people import Person
from service.clock import now
from service.deps import ALead, AStudy
from service.errors import ConflictError, IdentifierError, MemoError, StudyError
from service.etag import etag
from service.study.codebooks import all_codebooks, newest_codebook
from service.study.study import Study
from service.study.voices import segments
from service.usecases.adjudicate import LONGEST_REASON, Dispute, Settled, disagreements, dispute, settle, to_talk_about
from service.usecases.plan import named_round
from service.web.views import render

router = APIRouter(include_in_schema=False)
HERE = "/studies/{name}/rounds/{round_id}/adjudicate"
MOST_SHOWN = 100
NO_VERSION = "Say which version you have read, as If-Match: it may have changed since."


class SettleForm(BaseModel):
    """What a lead settles: `stance` and `words` (“start-end”, or empty) lie beside each `code`, of which some are `given`."""

    read: str = Field(default="", max_length=64)
    code: list[str] = Field(default=[], max_length=500)
    stance: list[str] = Field(default=[], max_length=500)
    words: list[str] = Field(default=[], max_length=500)
    given: list[str] = Field(default=[], max_length=500)
    extra: str = Field(default="", max_length=300)
    extra_stance: str = Field(default="", max_length=20)
    reason: str = Field(default="", max_length=50_000)
    identifies_nobody: bool = False

    def settled(self, book: Codebook) -> list[Settled]:
        """The codes that shall stand; StudyError where the form does not add up."""
        if not len(self.code) == len(self.stance) == len(self.words):
            raise StudyError("the form came in pieces; load the page again")
        rows = zip(self.code, self.stance, self.words, strict=True)
        found = [Settled(code, stance, *_span(words)) for code, stance, words in rows if code in self.given]
        return [*found, *self._extra(book)]

    def _extra(self, book: Codebook) -> Iterator[Settled]:
        typed = self.extra.strip().casefold()
        if typed:
            codes = [c.id for c in book.active_codes if typed in (c.id.casefold(), c.label.casefold())]
            if not codes:
                raise StudyError("the other code is not in the codebook: choose it from the list")
            yield Settled(codes[0], self.extra_stance)


def _span(words: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,9})-(\d{1,9})", words)
    return (int(found[1]), int(found[2])) if found else (0, 0)


@router.get(HERE)
def disputes_page(request: Request, study: AStudy, person: ALead, round_id: str) -> Response:
    """Where coders disagree in a round, those to settle first."""
    round_ = named_round(study, round_id)
    found = disagreements(study, round_, person.name)
    shown = found[:MOST_SHOWN]
    marks = ",".join("?" * len(shown))
    texts = {s.id: s.text for s in segments(study.db, f"s.id IN ({marks})", [d.segment for d in shown])}
    return render(
        request, "adjudicate.html", study=study, round=round_, found=found, shown=[d for d in shown if d.segment in texts],
        texts=texts, talk=to_talk_about(found)[:10], labels=_labels(study),
    )  # fmt: skip


def _labels(study: Study) -> dict[str, str]:
    return {c.id: c.label for book in all_codebooks(study.db, study.codebook) for c in book.codes}


@router.get(HERE + "/{segment}")
def dispute_page(request: Request, study: AStudy, person: ALead, round_id: str, segment: str) -> Response:
    """One text on which coders disagree."""
    return _page(request, study, person, round_id, segment)


def _page(
    request: Request, study: Study, person: Person, round_id: str, segment: str, *, status: int = 200,
    typed: SettleForm | None = None, problem: str = "", identifies: bool = False,
) -> Response:  # fmt: skip
    round_, book = named_round(study, round_id), newest_codebook(study.db)
    found = dispute(study, round_, segment, person.name)
    answer = render(
        request, "adjudicate_text.html", status=status, study=study, round=round_, found=found, book=book,
        form=typed or _filled(found, book), problem=problem, identifies=identifies, labels=_labels(study),
        active={c.id for c in book.active_codes}, longest=LONGEST_REASON, every_stance=list(Stance),
        codes=_codes(found, typed),
    )  # fmt: skip
    answer.headers["ETag"] = etag(found.version)
    return answer


def _codes(found: Dispute, typed: SettleForm | None) -> list[str]:
    return list(dict.fromkeys([*found.codes, *(typed.code if typed else ())]))


def _filled(found: Dispute, book: Codebook) -> SettleForm:
    """What is settled already; before that, what all readings say alike."""
    active = {c.id for c in book.active_codes}
    settled = {a.code: a for a in found.disagreement.settled}
    form = SettleForm()
    for code in found.codes:
        given = [j for r in found.readings for j in r.judgements if j.code == code]
        stands = settled.get(code)
        first = stands if stands and stands.given else next(iter(given), None)
        form.code.append(code)
        form.stance.append(first.stance if first else "")
        form.words.append(f"{first.start}-{first.end}" if first and first.end else "")
        alike = code not in found.disagreement.codes
        if code in active and (stands.given if stands else alike):
            form.given.append(code)
    return form


@router.post(HERE + "/{segment}")
def settling(
    request: Request, study: AStudy, person: ALead, round_id: str, segment: str, form: Annotated[SettleForm, Form()]
) -> Response:
    """Settle one text."""

    def again(status: int, problem: str, *, identifies: bool = False) -> Response:
        return _page(
            request, study, person, round_id, segment, status=status, typed=form, problem=problem, identifies=identifies
        )

    try:
        settle(
            study, named_round(study, round_id), segment, codes=form.settled(newest_codebook(study.db)),
            reason=form.reason, read=_read(request, form), by=person.name, now=now(),
            identifies_nobody=form.identifies_nobody,
        )  # fmt: skip
    except ConflictError as changed:
        return again(412, f"{changed}. How it stands now is below; what you wrote is kept. Look, and save again.")
    except MemoError as refused:
        return again(422, str(refused), identifies=isinstance(refused, IdentifierError))
    except StudyError as refused:
        return again(422, f"{str(refused)[:1].upper()}{str(refused)[1:]}.")
    return RedirectResponse(f"/studies/{study.name}/rounds/{round_id}/adjudicate", 303)


def _read(request: Request, form: SettleForm) -> str:
    """The version that the person had read: from If-Match, or from the form."""
    found = re.fullmatch(r'"([0-9a-f]+)"', request.headers.get("If-Match", "").strip())
    read = found[1] if found else form.read
    if not read:
        raise ConflictError(NO_VERSION.rstrip("."))
    return read
