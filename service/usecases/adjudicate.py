"""Adjudication: where coders who read apart disagree, a lead settles which codes stand, and says why.

What the coders decided stays as it is, and figures that rest on blind reads keep resting on it. What is settled takes
its place wherever codings are shown or quoted (see `service.study.confirmed`). The coders' names are left out: their
readings are called A, B and so on, in an order that differs from item to item.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from nlp.text import normalise
from nlp.types import Codebook, Stance
from service.errors import ConflictError, IdentifierError, MemoError, RecordError, StudyError
from service.study.adjudications import Adjudication, Judgement, Read, add_adjudications, adjudications, shared_reads
from service.study.codebooks import newest_codebook
from service.study.database import write
from service.study.decisions import Round
from service.study.runs import add_audit
from service.study.sealed import without_others
from service.study.study import Study
from service.study.voices import StoredSegment, VoiceRecord, segments, voice
from service.usecases.memos import identifiers

LONGEST_REASON = 2_000


@dataclass(frozen=True, slots=True)
class Reading:
    """One coder's reading without their name."""

    letter: str
    judgements: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An item that coders disagree on: `codes` are those that not all gave, or not with the same stance.

    `settled` is empty before anybody has adjudicated it. `changed` says that a coder has decided anew since.
    """

    segment: str
    codes: tuple[str, ...]
    readers: int
    settled: tuple[Adjudication, ...]
    changed: bool

    @property
    def open(self) -> bool:
        """Whether somebody still has to settle it."""
        return not self.settled or self.changed


@dataclass(frozen=True, slots=True)
class Dispute:
    """One disagreement whole, with its text. `version` is what an adjudication must have read.

    `codes` are all that any reading gave or an adjudication settled; `history` is all that was settled, oldest first.
    """

    segment: StoredSegment
    voice: VoiceRecord
    readings: tuple[Reading, ...]
    codes: tuple[str, ...]
    disagreement: Disagreement
    history: tuple[Adjudication, ...]
    version: str


@dataclass(frozen=True, slots=True)
class Settled:
    """A code that a lead gives an item; `start` and `end` lie in the voice's clean text, both 0 for no words."""

    code: str
    stance: str = ""
    start: int = 0
    end: int = 0


def disagreements(study: Study, round_: Round, person: str) -> list[Disagreement]:
    """Every disagreement of a round, without what this person is still to read themselves; those to settle first."""
    shared = shared_reads(study.db, round_.id)
    done: dict[str, list[Adjudication]] = {}
    for one in adjudications(study.db, "round = ?", [round_.id]):
        done.setdefault(one.segment, []).append(one)
    found = [_disagreement(s, reads, done.get(s, [])) for s, reads in shared.items() if _disputed(reads)]
    sealed = without_others(study.db, person, [d.segment for d in found])
    return sorted((d for d in found if d.segment not in sealed), key=lambda d: (not d.open, d.segment))


def to_talk_about(found: Sequence[Disagreement]) -> list[tuple[str, int]]:
    """In how many items each code is disagreed on, most first."""
    return Counter(code for d in found for code in d.codes).most_common()


def _disputed(reads: Sequence[Read]) -> tuple[str, ...]:
    """Codes that not all readings give, or not with the same stance; other words as evidence are no disagreement."""
    given = [{j.code: j.stance for j in read.judgements} for read in reads]
    every = dict.fromkeys(code for stances in given for code in stances)
    return tuple(code for code in every if len({stances.get(code) for stances in given}) > 1)


def _disagreement(segment: str, reads: Sequence[Read], done: Sequence[Adjudication]) -> Disagreement:
    stands = tuple({a.code: a for a in done}.values())
    changed = bool(done) and done[-1].considered != _weighed(reads)
    return Disagreement(segment, _disputed(reads), len(reads), stands, changed)


def _weighed(reads: Sequence[Read]) -> tuple[int, ...]:
    return tuple(sorted(seq for read in reads for seq in read.seqs))


def dispute(study: Study, round_: Round, segment: str, person: str) -> Dispute:
    """One disagreement. RecordError where there is none, or where it is kept from this person until they have read."""
    reads, done = _held(study, round_, segment)
    if segment in without_others(study.db, person, [segment]):
        raise RecordError("this text is still to be read apart; it can be settled afterwards")
    text = next(iter(segments(study.db, "s.id = ?", [segment])), None)
    if text is None:
        raise RecordError("this text is no longer in the study")
    stands = _disagreement(segment, reads, done)
    codes = dict.fromkeys([*(j.code for r in reads for j in r.judgements), *(a.code for a in stands.settled)])
    return Dispute(
        text, voice(study.db, text.voice), _without_names(study, round_, segment, reads), tuple(codes), stands,
        tuple(done), _version(reads, done),
    )  # fmt: skip


def _held(study: Study, round_: Round, segment: str) -> tuple[list[Read], list[Adjudication]]:
    reads = shared_reads(study.db, round_.id, segment).get(segment, [])
    done = adjudications(study.db, "round = ? AND segment = ?", [round_.id, segment])
    if not (done or _disputed(reads)):
        raise RecordError("there is nothing to settle here: two coders have not both read it, or they agree")
    return reads, done


def _without_names(study: Study, round_: Round, segment: str, reads: Sequence[Read]) -> tuple[Reading, ...]:
    def place(read: Read) -> str:
        return hashlib.sha256(f"{study.id}/{round_.id}/{segment}/{read.coder}".encode()).hexdigest()

    ordered = sorted(reads, key=place)
    return tuple(Reading(_letter(i), read.judgements) for i, read in enumerate(ordered))


def _letter(i: int) -> str:
    return ascii_uppercase[i] if i < len(ascii_uppercase) else str(i + 1)


def _version(reads: Sequence[Read], done: Sequence[Adjudication]) -> str:
    told = json.dumps([_weighed(reads), done[-1].seq if done else 0])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def settle(
    study: Study, round_: Round, segment: str, *, codes: Sequence[Settled], reason: str, read: str, by: str, now: str,
    identifies_nobody: bool = False,
) -> None:  # fmt: skip
    """Say which codes stand for an item, all others not, and why.

    MemoError where the reason is missing or cannot be kept; StudyError where a code cannot be given; ConflictError
    where somebody settled it or decided anew after `read`, the version that the person saw. Nothing is stored then.
    """
    book, why = newest_codebook(study.db), _reason(reason, identifies_nobody=identifies_nobody)
    before = dispute(study, round_, segment, by)
    _check(book, before.segment, codes)
    with write(study.db) as connection:
        reads, done = _held(study, round_, segment)
        if read != _version(reads, done):
            raise _conflict(read, reads, done)
        chosen = {c.code: c for c in codes}
        every = dict.fromkeys([*before.codes, *chosen])
        rows = [_row(round_, segment, chosen.get(c), c, why, _weighed(reads), by, now, book.version) for c in every]
        add_adjudications(connection, rows)
        counts = {"codes": len(chosen), "readings": len(reads)}
        add_audit(connection, at=now, actor=by, action="adjudicate", subject=segment, counts=counts)


def _row(
    round_: Round, segment: str, chosen: Settled | None, code: str, why: str, weighed: tuple[int, ...], by: str,
    now: str, version: str,
) -> Adjudication:  # fmt: skip
    kept = chosen or Settled(code)
    return Adjudication(
        round_.id, segment, code, chosen is not None, kept.stance, kept.start, kept.end, why, weighed, by, now, version
    )


def _conflict(read: str, reads: Sequence[Read], done: Sequence[Adjudication]) -> ConflictError:
    """Who settled it since, and how; or that a coder decided anew, whose name stays out of it."""
    if not any(_version(reads, done[:i]) == read for i in range(len(done))):
        return ConflictError("A coder has changed their codes here after you opened the page")
    last = done[-1]
    given = [a.code for a in done if a.at == last.at and a.by == last.by and a.given]
    what = f"with {', '.join(given)}" if given else "with no code"
    return ConflictError(
        f"{last.by} settled this on {last.at[:10]} at {last.at[11:16]} (UTC), {what}, after you opened the page"
    )


def _reason(reason: str, *, identifies_nobody: bool) -> str:
    kept = normalise(reason.replace("\r\n", "\n")).text.strip()
    if not kept:
        raise MemoError("Say why: whoever reads this later, and the coders, need the reason.")
    if len(kept) > LONGEST_REASON:
        raise MemoError(f"The reason has {len(kept):,} characters and may have {LONGEST_REASON:,}. Shorten it.")
    found = [] if identifies_nobody else identifiers(kept)
    if found:
        raise IdentifierError(
            f"The reason seems to hold {' and '.join(found)}. Take it out, or say that it identifies nobody."
        )
    return kept


def _check(book: Codebook, segment: StoredSegment, codes: Sequence[Settled]) -> None:
    known = {code.id for code in book.active_codes}
    if len({c.code for c in codes}) < len(codes):
        raise StudyError("a code can be given to a text once")
    for one in codes:
        if one.code not in known:
            raise StudyError(f"“{one.code}” is no code that the codebook has now; settle without it")
        if one.stance and one.stance not in set(Stance):
            raise StudyError("there is no such stance")
        if (one.start, one.end) != (0, 0) and not segment.start <= one.start < one.end <= segment.end:
            raise StudyError("the words chosen as evidence lie outside this text")


def left_to_settle(study: Study, rounds: Collection[Round], person: str) -> Mapping[str, tuple[int, int]]:
    """For each round in which coders disagree, how many disagreements are still to be settled, of how many."""
    found = {r.id: disagreements(study, r, person) for r in rounds}
    return {name: (sum(d.open for d in all_), len(all_)) for name, all_ in found.items() if all_}
