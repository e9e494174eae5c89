"""What a coder reads next, and how far a round is.

Without a plan everybody reads a round whole. With one, assigned positions go to their coders; the others are a pool
from which a coder takes one for ten minutes at a time, so that nobody reads what somebody else is reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from nlp.intervals import reads_for
from service.errors import RecordError, StudyError
from service.study.database import write
from service.study.decisions import Draw, Round, rounds
from service.study.queue import (
    Part,
    assigned_at,
    done_by,
    draw_at,
    ended_rounds,
    frame_size,
    holder_of,
    last_position,
    next_position,
    parts_at,
    planned_coders,
    position_of,
    random_reads,
    take_lease,
    units_done,
)  # fmt: skip
from service.study.sealed import without_suggestions
from service.study.study import Study
from service.study.suggestions import StoredSuggestion, suggestions_of_segment
from service.study.voices import StoredSegment, VoiceRecord, segments, voice

HELD_FOR = timedelta(minutes=10)
HALF_WIDTH = 0.10

Fresh = Callable[[StoredSegment], Sequence[StoredSuggestion]]


@dataclass(frozen=True, slots=True)
class Item:
    """What a coder reads. `suggestions` is empty where it is read blind, until the decision is saved.

    `position` of `total` is the drawn unit; `part` of `parts` is this text among that unit's. `done` says that the
    coder has finished it; `sealed` that suggestions are kept back because a counting round will ask for it blind.
    """

    round: Round
    draw: Draw
    segment: StoredSegment
    voice: VoiceRecord
    suggestions: tuple[StoredSuggestion, ...]
    position: int
    total: int
    part: int = 1
    parts: int = 1
    done: bool = False
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """How far a round is: texts that this coder finished; units done by anybody, of how many.

    In a counting round `reads` are units of the random draw read to the end, and `needed` is how many more a share
    within ten points either way, at 95% and whatever the share, asks for; both None in a review round.
    """

    mine: int
    units: int
    total: int
    reads: int | None = None
    needed: int | None = None


def rounds_to_code(study: Study, coder: str) -> list[Round]:
    """Rounds that are not over and that the coder has a part in, newest first."""
    over = ended_rounds(study.db)
    return [r for r in reversed(rounds(study.db)) if r.id not in over and _has_part(study, r, coder)]


def _has_part(study: Study, round_: Round, coder: str) -> bool:
    planned = planned_coders(study.db, round_.id)
    return planned is None or coder in planned


def round_to_code(study: Study, round_id: str, coder: str) -> Round:
    """A round by its id. RecordError when there is none; StudyError, with the reason, when the coder reads nothing in it."""
    round_ = next((r for r in rounds(study.db) if r.id == round_id), None)
    if round_ is None:
        raise RecordError("there is no round of that name in this study")
    if round_.id in ended_rounds(study.db):
        raise StudyError("this round is over; what was decided in it is kept")
    if not _has_part(study, round_, coder):
        raise StudyError("you are not among the coders of this round; the study's lead can add you")
    return round_


def next_item(
    study: Study,
    round_: Round,
    coder: str,
    *,
    after: int = 0,
    past: str = "",
    fresh: Fresh | None = None,
    now: str = "",
) -> Item | None:
    """The coder's next item, walking on from position `after` and then once from the start; None when all is read.

    `past` is the segment in hand, which is not offered again. `fresh` makes a review item's suggestions anew from all
    that is decided; without it they are the study's. `now` is needed where the round has a plan.
    """
    planned = planned_coders(study.db, round_.id)
    if planned is None:
        position = _walk(study, round_, coder, after, past, planned=False, now=now)
    elif coder not in planned:
        return None
    else:
        position = _taken(study, round_, coder, after, past, now)
    if position is None:
        return None
    return _item(study, round_, position, _part(parts_at(study.db, round_, position, coder), past), coder, fresh)


def _taken(study: Study, round_: Round, coder: str, after: int, past: str, now: str) -> int | None:
    """Find a position and hold it, in one transaction, so that no other coder finds it too."""
    with write(study.db) as connection:
        position = _walk(study, round_, coder, after, past, planned=True, now=now)
        if position is not None and not assigned_at(study.db, round_.id, position):
            take_lease(connection, round_.id, position, coder, now=now, until=_until(now))
    return position


def _until(now: str) -> str:
    return (datetime.fromisoformat(now) + HELD_FOR).isoformat(timespec="milliseconds")


def _walk(study: Study, round_: Round, coder: str, after: int, past: str, *, planned: bool, now: str) -> int | None:
    last = last_position(study.db, round_.id)
    for over, upto in _ranges(after, last, bool(past)):
        found = next_position(
            study.db, round_, coder, over=over, upto=upto, but=past, planned=planned, now=now
        )  # fmt: skip
        if found is not None:
            return found
    return None


def _ranges(after: int, last: int, in_hand: bool) -> Iterator[tuple[int, int]]:
    """First the rest of the unit in hand, then what follows, then what was passed over."""
    if in_hand:
        yield after - 1, after
    yield after, last
    yield 0, after


def _part(parts: Sequence[Part], past: str) -> tuple[int, Sequence[Part]]:
    """The place of the text to read: the first open one after `past`, else the first open one."""
    ids = [p.segment for p in parts]
    first = ids.index(past) + 1 if past in ids else 0
    order = [*range(first, len(parts)), *range(first)]
    return next(i for i in order if not parts[i].done and parts[i].segment != past), parts


def item_at(study: Study, round_: Round, coder: str, segment: str, *, now: str, saving: bool = False) -> Item:
    """A certain item of a round, read or not. RecordError when it is not there; StudyError when it is not the coder's.

    `saving` is for what was read while it was the coder's: somebody else may have taken it from the pool since.
    """
    position = position_of(study.db, round_, segment)
    parts = [] if position is None else parts_at(study.db, round_, position, coder)
    place = next((i for i, p in enumerate(parts) if p.segment == segment), None)
    if position is None or place is None:
        raise RecordError("this text is no longer in the round; it may have been taken out of the study")
    if not parts[place].done:
        _require_mine(study, round_, position, coder, "" if saving else now)
    return _item(study, round_, position, (place, parts), coder, None)


def _require_mine(study: Study, round_: Round, position: int, coder: str, now: str) -> None:
    if planned_coders(study.db, round_.id) is None:
        return
    assigned = assigned_at(study.db, round_.id, position)
    held = bool(now) and holder_of(study.db, round_.id, position, now) not in ("", coder)
    if (assigned and coder not in assigned) or held:
        raise StudyError("another coder is reading this one")


def hold(study: Study, item: Item, coder: str, *, now: str) -> None:
    """The coder is still at it: keep it for them for another while, where it is from a pool."""
    pooled = planned_coders(study.db, item.round.id) is not None
    if pooled and not assigned_at(study.db, item.round.id, item.position):
        with write(study.db) as connection:
            take_lease(connection, item.round.id, item.position, coder, now=now, until=_until(now))


def _item(
    study: Study, round_: Round, position: int, part: tuple[int, Sequence[Part]], coder: str, fresh: Fresh | None
) -> Item:
    place, parts = part
    (segment,) = segments(study.db, "s.id = ?", [parts[place].segment])
    sealed = round_.kind == "review" and segment.id in without_suggestions(study.db, coder, [segment.id])
    shown = not sealed and (round_.kind == "review" or parts[place].closed)
    return Item(
        round_, draw_at(study.db, round_.id, position), segment, voice(study.db, segment.voice),
        _suggestions(study, segment, fresh) if shown else (), position, last_position(study.db, round_.id), place + 1,
        len(parts), parts[place].done, sealed,
    )  # fmt: skip


def _suggestions(study: Study, segment: StoredSegment, fresh: Fresh | None) -> tuple[StoredSuggestion, ...]:
    return tuple(fresh(segment) if fresh else suggestions_of_segment(study.db, segment.id))


def tally(study: Study, round_: Round, coder: str) -> Tally:
    """How far a round is, for one coder and for everybody."""
    mine, total = done_by(study.db, round_.id, coder), last_position(study.db, round_.id)
    units = units_done(study.db, round_)
    if round_.kind == "review":
        return Tally(mine, units, total)
    reads = random_reads(study.db, round_).whole
    wanted = reads_for(HALF_WIDTH, frame_size(study.db, round_.id))
    return Tally(mine, units, total, reads, max(0, wanted - reads))
