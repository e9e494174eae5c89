"""Accepting many suggestions of a code at once: only where blind readings show that they are right, and never all of them.

What is accepted so counts as accepted, never as read; nothing is taught by it and no share or agreement rests on it. Part
is always held back to be read one by one. Whoever reads one of the texts later decides anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nlp.findings.bulk import Judged, Step, at_least, safe_step, steps
from nlp.types import Code
from service.errors import ConflictError, RecordError, StudyError
from service.study.bulk import (
    BulkAct,
    Held,
    Proposed,
    acts,
    add_act,
    add_act_end,
    counted,
    ended,
    held_back,
    proposed,
    scores_of,
    standing_of,
)
from service.study.codebooks import newest_codebook
from service.study.database import write
from service.study.decisions import (
    Decision,
    Draw,
    Round,
    add_decisions,
    add_round,
    blind_codings,
    draws,
    is_uniform,
    rounds,
)
from service.study.readings import Reading, readings
from service.study.runs import add_audit
from service.study.sealed import all_without_suggestions
from service.study.study import Study
from service.study.suggestions import newest_reading, version_read
from service.usecases.check import require_open

LEAST_HELD, HELD_SHARE, MOST_HELD, FEWEST = 10, 0.1, 100, 20
STREAM = "bulk"
MOVED = "the suggestions or what was read have changed since you opened this page; look at the figures again"


@dataclass(frozen=True, slots=True)
class Offer:
    """A code whose suggestions might be accepted together: what blind readings say of them, and how many there are.

    `step` is None where too few were read or too many were wrong; `accept` and `hold` are then 0.
    """

    code: Code
    steps: tuple[Step, ...]
    step: Step | None
    accept: int
    hold: int


@dataclass(frozen=True, slots=True)
class ActLine:
    """An acceptance as it stands: codings that still `count`, what was held back, and when it was taken back."""

    act: BulkAct
    counts: int
    held: Held
    least: float
    taken_back: tuple[str, str] | None


def offers(study: Study, person: str) -> list[Offer]:
    """For each code in use with undecided suggestions, whether they may be accepted together; those that may come first."""
    book = newest_codebook(study.db)
    if version_read(study.db) != book.version:
        return []
    waiting, known = _waiting(study, person), _judged(study)
    found = [_offer(c, known.get(c.id, ()), waiting[c.id]) for c in book.active_codes if c.id in waiting]
    return sorted(found, key=lambda o: (o.step is None, -o.accept))


def _waiting(study: Study, person: str) -> dict[str, list[Proposed]]:
    found: dict[str, list[Proposed]] = {}
    for one in proposed(study.db, all_without_suggestions(study.db, person)):
        found.setdefault(one.code, []).append(one)
    return found


def _judged(study: Study) -> dict[str, list[Judged]]:
    """By code, the suggestions on texts of the uniform draws that were read blind, and whether the first reader gave it."""
    read = _first_blind(study)
    given = {(c.segment, c.coder, c.code) for r in {b.round for b in read} for c in blind_codings(study.db, r)}
    reader = {b.segment: b for b in read}
    found: dict[str, list[Judged]] = {}
    for (segment, code), score in scores_of(study.db, reader.keys()).items():
        b = reader[segment]
        found.setdefault(code, []).append(Judged(score, b.participant, (segment, b.coder, code) in given))
    return found


def _first_blind(study: Study) -> list[Reading]:
    """The first blind reading, with the codebook in use, of each text that chance alone brought."""
    version = newest_codebook(study.db).version
    first: dict[str, Reading] = {}
    for one in readings(study.db, "r.kind = 'counting' AND x.codebook_version = ?", [version]):
        first.setdefault(one.segment, one)
    drawn = {r: {d.unit for d in draws(study.db, r) if is_uniform(d)} for r in {b.round for b in first.values()}}
    return [b for b in first.values() if drawn[b.round] & {b.participant, b.segment, b.segment.rpartition(".")[0]}]


def _offer(code: Code, judged: Sequence[Judged], waiting: Sequence[Proposed]) -> Offer:
    made = steps(judged)
    step = safe_step(made)
    those = [] if step is None else [one for one in waiting if one.score >= step.score]
    if len(those) < FEWEST:
        return Offer(code, made, None if step is None or not those else step, 0, 0)
    hold = min(MOST_HELD, max(LEAST_HELD, round(HELD_SHARE * len(those))))
    return Offer(code, made, step, len(those) - hold, hold)


def accept_many(study: Study, code: str, *, accept: int, hold: int, by: str, now: str) -> BulkAct:
    """Accept a code's suggestions as they are offered, but for a random part, which becomes a review round.

    `accept` and `hold` are the numbers that were on screen; ConflictError when they are no longer so, StudyError where
    the code is not offered.
    """
    require_open(study)
    offer = next((o for o in offers(study, by) if o.code.id == code), None)
    if offer is None or offer.step is None or not offer.accept:
        raise StudyError("the suggestions of this code may not be accepted together")
    if (offer.accept, offer.hold) != (accept, hold):
        raise ConflictError(MOVED)
    those = [one for one in _waiting(study, by)[code] if one.score >= offer.step.score]
    seed = len(rounds(study.db))
    kept = set(np.random.default_rng([seed, len(those)]).choice(len(those), hold, replace=False).tolist())
    book = newest_codebook(study.db)
    round_ = Round(f"review-{seed + 1}", "review", "segment", seed, book.id, book.version, now)
    act = BulkAct(
        round_.id, code, book.id, book.version, newest_reading(study.db), offer.step.score, offer.step.people,
        offer.step.right, offer.step.least, accept, hold, by, now,
    )  # fmt: skip
    with write(study.db) as connection:
        if len(rounds(study.db)) != seed:
            raise ConflictError(MOVED)
        held = [one for i, one in enumerate(those) if i in kept]
        add_round(
            connection, round_, [Draw(i, one.segment, STREAM, hold / len(those)) for i, one in enumerate(held, 1)]
        )
        add_act(connection, act)
        add_decisions(connection, [_accepted(one, act) for i, one in enumerate(those) if i not in kept])
        counts = {"accepted": accept, "held back": hold}
        add_audit(connection, at=now, actor=by, action="accept in bulk", subject=code, counts=counts)
    return act


def _accepted(one: Proposed, act: BulkAct) -> Decision:
    return Decision(
        segment=one.segment, action="accept", coder=act.by, at=act.at, round=act.round, stream=STREAM, probability=1.0,
        codebook=act.codebook, codebook_version=act.codebook_version, shown=True, code=one.code, start=one.start,
        end=one.end, suggestion=one.id, model=one.model, bulk=True,
    )  # fmt: skip


def act_lines(study: Study) -> list[ActLine]:
    """Every acceptance as it stands, newest first."""
    over, counts = ended(study.db), counted(study.db)
    return [_line(study, act, counts, over) for act in acts(study.db)]


def _line(study: Study, act: BulkAct, counts: Mapping[str, int], over: Mapping[str, tuple[str, str]]) -> ActLine:
    held = held_back(study.db, act)
    least = at_least(held.read - held.wrong, held.read)
    return ActLine(act, counts.get(act.round, 0), held, least, over.get(act.round))


def take_back(study: Study, round_id: str, *, by: str, now: str) -> int:
    """Take an acceptance back whole; how many decisions that undid. What people read since stays. Twice is once."""
    act = next((a for a in acts(study.db) if a.round == round_id), None)
    if act is None:
        raise RecordError("there is no such acceptance in this study")
    with write(study.db) as connection:
        if not add_act_end(connection, round_id, by=by, at=now):
            return 0
        undone = [
            Decision(
                segment=row["segment"], action="undo", coder=by, at=now, round=round_id, stream=row["stream"],
                probability=row["probability"], codebook=row["codebook"], codebook_version=row["codebook_version"],
                shown=True, undoes=row["seq"], bulk=True,
            )
            for row in standing_of(study.db, round_id)
        ]  # fmt: skip
        add_decisions(connection, undone)
        add_audit(
            connection, at=now, actor=by, action="take back bulk", subject=act.code, counts={"undone": len(undone)}
        )
    return len(undone)
