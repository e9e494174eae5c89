"""Review: items are read and people decide. The one path for terminal, pages and API.

A review round shows suggestions from the start; in a counting round every item is read blind first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from service.errors import StudyError
from service.study.codebooks import newest_codebook
from service.study.database import write
from service.study.decisions import (
    Decision,
    Draw,
    Round,
    add_decisions,
    draws,
    finished_segments,
    frame,
    last_standing,
)  # fmt: skip
from service.study.study import Study
from service.study.suggestions import StoredSuggestion, suggestions_of_segment
from service.study.voices import (
    StoredSegment,
    VoiceRecord,
    segments,
    voice,
)
from service.usecases.check import require_open

Fresh = Callable[[StoredSegment], Sequence[StoredSuggestion]]


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


def next_item(study: Study, round_: Round, coder: str, *, fresh: Fresh | None = None) -> Item | None:
    """The coder's next item of the round, or None when it is finished.

    `fresh` makes a review item's suggestions anew from all that is decided; without it they are the study's.
    """

    def at_hand(segment: StoredSegment) -> Sequence[StoredSuggestion]:
        return suggestions_of_segment(study.db, segment.id)

    make = fresh or at_hand
    done = finished_segments(study.db, round_.id, coder)
    everything = round_segments(study, round_)
    for position, (draw, segment) in enumerate(everything, 1):
        if segment.id not in done:
            shown = tuple(make(segment)) if round_.kind == "review" else ()
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
        return add_decisions(connection, _in_version(made, codebook.version))


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


def _in_version(made: Sequence[Decision], version: str) -> list[Decision]:
    """Decisions name the codebook that they were made with, which may be newer than their round."""
    return [replace(d, codebook_version=version) for d in made]


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
