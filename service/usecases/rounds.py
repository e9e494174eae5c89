"""Rounds: who or what is read, in which order, drawn before anything is read.

A counting round is a uniform random draw of people (all their texts) or of texts, read blind; what is added
by choice is logged with it, and each unit's probability is that of coming by any way. A review round shows
suggestions and is ordered so that a coder stays in one idea.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from nlp.deid.surrogates import neutralise
from nlp.encode import text_key
from nlp.themes import queue
from nlp.themes.explain import LIKELY_FROM, POSSIBLE_FROM
from nlp.themes.queue import Drawn, Focus, Stream
from service.errors import StudyError
from service.study.codebooks import newest_codebook
from service.study.database import write
from service.study.decisions import Draw, Round, add_frame, add_round, codings, rounds
from service.study.plans import Plan, add_plan
from service.study.runs import add_audit
from service.study.study import Study
from service.study.suggestions import newest_reading
from service.study.vectors import vectors_held
from service.study.voices import all_voices, segments, voices_held, voices_without_clean_text
from service.usecases.check import require_open

PEOPLE_VOICES = ("child", "young_person", "parent_carer")
BY = {"person": "participant", "text": "voice"}

Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ByChoice:
    """What is read besides the random draw: strata for up to five focus codes, a diverse start, rare codes, uncertain items."""

    focus: tuple[str, ...] = ()
    focus_reads: int = 30
    start: int = 0
    rare: int = 0
    uncertain: int = 0


def people_in_scope(study: Study) -> dict[str, list[str]]:
    """Participants whose own voice is here and de-identified, with those voices.

    Practitioners' own views, AI-drafted text and voices of unknown speakers stay apart.
    """
    found: dict[str, list[str]] = {}
    waiting = {*voices_without_clean_text(study.db), *voices_held(study.db)}
    for record in all_voices(study.db):
        if record.voice in PEOPLE_VOICES and record.provenance != "ai_drafted" and record.id not in waiting:
            found.setdefault(record.participant, []).append(record.id)
    return found


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a round would read, in reading order; `scope` is whom it could have drawn, with their voices."""

    kind: str
    unit: str
    seed: int
    draws: tuple[Draw, ...]
    scope: Mapping[str, Sequence[str]]


def draw_counting_round(
    study: Study, *, people: int, seed: int, now: str, actor: str, by: str = "person", choice: ByChoice = ByChoice()
) -> Round:  # fmt: skip
    """Draw people, or texts, uniformly without replacement; each one's probability is logged before reading."""
    return store_round(study, counting_drawing(study, people=people, seed=seed, by=by, choice=choice), now, actor)


def counting_drawing(
    study: Study, *, people: int, seed: int, by: str = "person", choice: ByChoice = ByChoice()
) -> Drawing:  # fmt: skip
    """What a counting round would draw.

    Only what the uniform stream brought is a random sample by itself; `choice` adds reads that teach more.
    """
    require_open(study)
    scope = _frame(study, by)
    if not scope:
        raise StudyError(
            "there is nobody to draw: no de-identified voice here is known to be a child's, young person's, parent's or carer's"
        )
    units = list(scope)  # in the order of intake, so that a seed means the same in a study built again
    focus, chosen = _focus(study, scope, choice), _chosen(study, scope, choice, seed)
    drawn = queue.counting(units, reads=people, seed=seed, focus=focus, chosen=chosen)
    return Drawing("counting", BY[by], seed, tuple(_draw(i, d) for i, d in enumerate(drawn, 1)), scope)


def draw_review_round(study: Study, *, seed: int, now: str, actor: str, start: int = 0) -> Round:
    """A round over every segment: a diverse start if wished, likely suggestions grouped by code, possible ones, the rest."""
    return store_round(study, review_drawing(study, seed=seed, start=start), now, actor)


def review_drawing(study: Study, *, seed: int, start: int = 0) -> Drawing:
    """What a review round would read."""
    require_open(study)
    if not newest_reading(study.db):
        raise StudyError("there is nothing to review: run “heard suggest” first")
    held = segments(study.db)
    units = {s.id: [s.id] for s in held}
    first = _diverse(study, units, {s.id: s.text for s in held}, seed, start)
    shares = _shares(study, units, {s.id: s.id for s in held})
    order = queue.review_order(list(units), shares, likely_from=LIKELY_FROM, possible_from=POSSIBLE_FROM, start=first)
    return Drawing(
        "review", "segment", seed, tuple(Draw(i, unit, s.value, 1.0) for i, (unit, s) in enumerate(order, 1)), {}
    )


def _frame(study: Study, by: str) -> dict[str, list[str]]:
    """The units that may come, with their voices."""
    if by not in BY:
        raise StudyError("a counting round draws by person or by text")
    people = people_in_scope(study)
    return people if by == "person" else {voice: [voice] for voices in people.values() for voice in voices}


def _draw(position: int, drawn: Drawn) -> Draw:
    return Draw(position, drawn.unit, "+".join(drawn.streams), drawn.probability)


def _focus(study: Study, scope: Mapping[str, Sequence[str]], choice: ByChoice) -> Focus | None:
    if not choice.focus:
        return None
    codes = [code.id for code in newest_codebook(study.db).active_codes]
    unknown = [code for code in choice.focus if code not in codes]
    if unknown:
        raise StudyError(f"“{unknown[0]}” is no code of this study's codebook")
    shares = _unit_shares(study, scope)[:, [codes.index(code) for code in choice.focus]]
    return Focus(shares, choice.focus_reads, study.threshold)


def _chosen(
    study: Study, scope: Mapping[str, Sequence[str]], choice: ByChoice, seed: int
) -> dict[Stream, Sequence[str]]:
    """What is certain to be read, by stream."""
    units, found = list(scope), dict[Stream, Sequence[str]]()
    if choice.start:
        text = {s.voice: s.text for s in reversed(segments(study.db))}
        found[Stream.DIVERSE] = _diverse(study, scope, text, seed, choice.start)
    if not (choice.rare or choice.uncertain):
        return found
    shares = _unit_shares(study, scope)
    if choice.rare:
        found[Stream.RARE] = queue.rare(units, shares, _confirmed(study), count=choice.rare)
    if choice.uncertain:
        found[Stream.UNCERTAIN] = queue.uncertain(units, shares, count=choice.uncertain)
    return found


def _confirmed(study: Study) -> NDArray[np.int64]:
    """How many segments each code is confirmed in, in the codebook's order."""
    held = {(c.segment, c.code) for c in codings(study.db)}
    codes = newest_codebook(study.db).active_codes
    return np.array([sum(code.id == given for _, given in held) for code in codes], np.int64)


def _diverse(
    study: Study, units: Mapping[str, Sequence[str]], text: Mapping[str, str], seed: int, count: int
) -> list[str]:
    """Units that lie far apart, each seen by its first text; only what a model has read can be compared."""
    if not count:
        return []
    key = {u: text_key(neutralise(text[v[0]].strip())) for u, v in units.items() if v[0] in text}
    held = vectors_held(study.db, list(key.values()))
    known = [unit for unit, k in key.items() if k in held]
    if not known:
        raise StudyError("a diverse start needs the study's vectors: run “heard suggest” first")
    vectors = np.stack([held[key[unit]] for unit in known]).astype(np.float32)
    return queue.diverse(known, vectors, seed=seed, count=count)


def _unit_shares(study: Study, scope: Mapping[str, Sequence[str]]) -> Shares:
    unit_of = {voice: unit for unit, voices in scope.items() for voice in voices}
    return _shares(study, scope, {s.id: unit_of[s.voice] for s in segments(study.db) if s.voice in unit_of})


def _shares(study: Study, units: Iterable[str], unit_of: Mapping[str, str]) -> Shares:
    """How probable it is that a unit holds each code, shape (units, codes), as far as something is suggested."""
    place = {unit: i for i, unit in enumerate(units)}
    column = {code.id: j for j, code in enumerate(newest_codebook(study.db).active_codes)}
    missed = np.ones((len(place), len(column)))
    rows = study.db.conn.execute(
        "SELECT segment, code, probability FROM suggestions WHERE reading = ?", [newest_reading(study.db)]
    )
    for segment, code, probability in rows:
        if segment in unit_of and code in column:
            missed[place[unit_of[segment]], column[code]] *= 1 - probability
    return np.asarray(1 - missed, np.float64)


def store_round(
    study: Study, drawing: Drawing, now: str, actor: str, plan: Plan | None = None,
    assigned: Mapping[int, Sequence[str]] = MappingProxyType({}),
) -> Round:  # fmt: skip
    """Store a round with its whole draw and, where somebody planned it, who reads what."""
    codebook = newest_codebook(study.db)
    with write(study.db) as connection:
        name = f"{drawing.kind}-{len(rounds(study.db)) + 1}"
        round_ = Round(name, drawing.kind, drawing.unit, drawing.seed, codebook.id, codebook.version, now)
        add_round(connection, round_, drawing.draws)
        add_frame(connection, round_.id, drawing.scope)
        if plan is not None:
            add_plan(connection, round_.id, plan, assigned, by=actor, at=now)
        counts = {"units": len(drawing.draws)}
        add_audit(connection, at=now, actor=actor, action="draw round", subject=round_.id, counts=counts)
    return round_


def round_for(study: Study, kind: str) -> Round | None:
    """The newest round of a kind, if any."""
    return next((r for r in reversed(rounds(study.db)) if r.kind == kind), None)


def counted_round(study: Study, *, unit: str | None = None) -> Round | None:
    """The newest counting round that somebody has begun to read; the newest of all where none is begun."""
    begun = {row[0] for row in study.db.conn.execute("SELECT DISTINCT round FROM standing WHERE action = 'close'")}
    held = [r for r in reversed(rounds(study.db)) if r.kind == "counting" and unit in (None, r.unit)]
    return next((r for r in held if r.id in begun), held[0] if held else None)
