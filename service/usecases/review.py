"""Review: rounds are drawn, items are read, people decide. The one path for terminal, pages and API.

A review round shows suggestions from the start. A counting round is a uniform random draw of
people, all of whose segments are read blind first.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from service.errors import StudyError
from service.study.codebooks import newest_codebook
from service.study.database import write
from service.study.decisions import (
    Decision,
    Draw,
    Round,
    add_decisions,
    add_frame,
    add_round,
    draws,
    finished_segments,
    frame,
    last_standing,
    rounds,
)  # fmt: skip
from service.study.runs import add_audit
from service.study.study import Study
from service.study.suggestions import StoredSuggestion, newest_reading, suggestions_of_segment
from service.study.voices import (
    StoredSegment,
    VoiceRecord,
    all_voices,
    segments,
    voice,
    voices_held,
    voices_without_clean_text,
)
from service.usecases.check import require_open

PEOPLE_VOICES = ("child", "young_person", "parent_carer")


@dataclass(frozen=True, slots=True)
class Item:
    """What a coder sees next. `suggestions` is empty in a counting round until the decision is saved."""

    round: Round
    draw: Draw
    segment: StoredSegment
    voice: VoiceRecord
    suggestions: tuple[StoredSuggestion, ...]
    position: int
    total: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One code that a coder gives an item, with stance and evidence where said."""

    code: str
    stance: str = ""
    start: int = 0
    end: int = 0
    suggestion: int | None = None


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


def draw_counting_round(study: Study, *, people: int, seed: int, now: str, actor: str) -> Round:
    """Draw people uniformly without replacement; each one's probability is logged before reading."""
    require_open(study)
    scope = list(people_in_scope(study))  # in the order of intake, so that a seed means the same in a study built again
    if not scope:
        raise StudyError(
            "there is nobody to draw: no de-identified voice here is known to be a child's, young person's, parent's or carer's"
        )
    repeatable = random.Random(seed)  # noqa: S311 - a draw must be repeatable, not secret
    chosen = repeatable.sample(scope, min(people, len(scope)))
    return _store_round(study, "counting", chosen, len(chosen) / len(scope), seed, now, actor)


def draw_review_round(study: Study, *, seed: int, now: str, actor: str) -> Round:
    """A round over every segment with a suggestion, likely ones first, grouped by code."""
    require_open(study)
    rows = study.db.conn.execute(
        "SELECT segment, code, max(probability) AS best FROM suggestions WHERE reading = ?"
        " GROUP BY segment ORDER BY code, best DESC",
        [newest_reading(study.db)],
    ).fetchall()
    if not rows:
        raise StudyError("there is nothing to review: run “heard suggest” first")
    return _store_round(study, "review", [row["segment"] for row in rows], 1.0, seed, now, actor)


def _store_round(
    study: Study, kind: str, units: Sequence[str], probability: float, seed: int, now: str, actor: str
) -> Round:
    codebook = newest_codebook(study.db)
    number = len(rounds(study.db)) + 1
    unit = "participant" if kind == "counting" else "segment"
    round_ = Round(f"{kind}-{number}", kind, unit, seed, codebook.id, codebook.version, now)
    stream = "uniform" if kind == "counting" else "suggested"
    drawn = [Draw(i, unit_id, stream, probability) for i, unit_id in enumerate(units, 1)]
    with write(study.db) as connection:
        add_round(connection, round_, drawn)
        if kind == "counting":
            add_frame(connection, round_.id, people_in_scope(study))
        add_audit(connection, at=now, actor=actor, action="draw round", subject=round_.id, counts={"units": len(drawn)})
    return round_


def round_for(study: Study, kind: str) -> Round | None:
    """The newest round of a kind, if any."""
    return next((r for r in reversed(rounds(study.db)) if r.kind == kind), None)


def round_segments(study: Study, round_: Round) -> list[tuple[Draw, StoredSegment]]:
    """What is read in a round, in reading order: drawn people's own segments, or drawn segments."""
    drawn = draws(study.db, round_.id)
    if round_.unit == "segment":
        by_id = {s.id: s for s in segments(study.db)}
        return [(d, by_id[d.unit]) for d in drawn if d.unit in by_id]
    scope = frame(study.db, round_.id)
    by_voice: dict[str, list[StoredSegment]] = {}
    for segment in segments(study.db):
        by_voice.setdefault(segment.voice, []).append(segment)
    return [(d, s) for d in drawn for v in scope.get(d.unit, ()) for s in by_voice.get(v, ())]


def next_item(study: Study, round_: Round, coder: str) -> Item | None:
    """The coder's next item of the round, or None when it is finished."""
    done = finished_segments(study.db, round_.id, coder)
    everything = round_segments(study, round_)
    for position, (draw, segment) in enumerate(everything, 1):
        if segment.id not in done:
            shown = tuple(suggestions_of_segment(study.db, segment.id)) if round_.kind == "review" else ()
            return Item(round_, draw, segment, voice(study.db, segment.voice), shown, position, len(everything))
    return None


def decide(
    study: Study, item: Item, *, coder: str, choices: Sequence[Choice], rejected: Sequence[StoredSuggestion] = (),
    skip: bool = False, seconds: float, now: str,
) -> list[int]:  # fmt: skip
    """Save a coder's decision on an item and close it; a skip closes it without a word on any code."""
    require_open(study)
    codebook = newest_codebook(study.db)
    known = {code.id for code in codebook.active_codes}
    unknown = [c.code for c in choices if c.code not in known]
    if unknown:
        raise StudyError(f"“{unknown[0]}” is no code of {codebook.id} {codebook.version}")
    made = [] if skip else [_choice(item, c, coder, now, seconds) for c in choices]
    made += [] if skip else [_rejection(item, s, coder, now, seconds) for s in rejected]
    made.append(_decision(item, "skip" if skip else "close", coder, now, seconds))
    with write(study.db) as connection:
        return add_decisions(connection, made)


def _choice(item: Item, choice: Choice, coder: str, now: str, seconds: float) -> Decision:
    return _decision(
        item, "add" if choice.suggestion is None else "accept", coder, now, seconds, code=choice.code, stance=choice.stance,
        start=choice.start, end=choice.end, suggestion=choice.suggestion,
    )  # fmt: skip


def _rejection(item: Item, s: StoredSuggestion, coder: str, now: str, seconds: float) -> Decision:
    return _decision(item, "reject", coder, now, seconds, code=s.code, suggestion=s.id)


def _decision(
    item: Item, action: str, coder: str, now: str, seconds: float, *, code: str = "", stance: str = "", start: int = 0,
    end: int = 0, suggestion: int | None = None,
) -> Decision:  # fmt: skip
    return Decision(
        segment=item.segment.id, action=action, coder=coder, at=now, round=item.round.id, stream=item.draw.stream,
        probability=item.draw.probability, codebook=item.round.codebook, codebook_version=item.round.codebook_version,
        shown=bool(item.suggestions), code=code, stance=stance, start=start, end=end, suggestion=suggestion, seconds=seconds,
        model=item.suggestions[0].model if item.suggestions else "",
    )  # fmt: skip


def undo(study: Study, round_: Round, coder: str, *, now: str) -> str | None:
    """Take back the coder's last item of a round whole; the segment's id, or None when nothing is left."""
    last = last_standing(study.db, coder, round_.id)
    if last is None:
        return None
    segment = study.db.conn.execute("SELECT segment FROM decisions WHERE seq = ?", [last]).fetchone()["segment"]
    rows = study.db.conn.execute(
        "SELECT * FROM standing WHERE coder = ? AND round = ? AND segment = ?", [coder, round_.id, segment]
    ).fetchall()
    undone = [
        Decision(
            segment=segment, action="undo", coder=coder, at=now, round=round_.id, stream=row["stream"],
            probability=row["probability"], codebook=row["codebook"], codebook_version=row["codebook_version"],
            shown=bool(row["shown"]), undoes=row["seq"],
        )
        for row in rows
    ]  # fmt: skip
    with write(study.db) as connection:
        add_decisions(connection, undone)
    return str(segment)
