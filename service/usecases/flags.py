"""Flags: a segment to talk about with the team, or a possible disclosure for the people who safeguard.

A flag tells nobody by itself: it is a line on a page. A possible disclosure is listed for the safeguarding lead alone, and
without a word of the text; who raised it sees that it is open or closed.
"""

from __future__ import annotations

from dataclasses import dataclass

from service.errors import MemoError, RecordError
from service.study.database import write
from service.study.flags import DISCLOSURE, DISCUSS, Flag, add_flag, end_flag, flag, flags, open_flag
from service.study.runs import add_audit
from service.study.sealed import without_others
from service.study.study import Study
from service.usecases.memos import identifiers

KINDS = (DISCUSS, DISCLOSURE)
LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class Raised:
    """The flags that a person may see: to talk about, and the possible disclosures that they raised themselves."""

    discuss: tuple[Flag, ...]
    mine: tuple[Flag, ...]


def raise_flag(study: Study, segment: str, kind: str, *, by: str, now: str) -> int:
    """Flag a segment; the flag's number. Raising one that the person already holds up changes nothing.

    RecordError for a segment or kind that there is not.
    """
    if kind not in KINDS:
        raise RecordError("there is no such kind of flag")
    with write(study.db) as connection:
        held = open_flag(connection, segment, kind, by)
        if held is not None:
            return held
        number = add_flag(connection, segment, kind, by=by, at=now)
        add_audit(connection, at=now, actor=by, action=f"flag {kind}", subject=segment)
    return number


def close_flag(study: Study, number: int, *, by: str, now: str, note: str = "") -> bool:
    """End a flag, for everybody; False when somebody already has. RecordError when there is no such flag.

    MemoError for a `note` that is too long, or that seems to name or identify somebody.
    """
    held = flag(study.db, number)
    if len(note) > LONGEST_NOTE:
        raise MemoError(f"The note has {len(note)} characters and may have {LONGEST_NOTE}.")
    if found := identifiers(note):
        raise MemoError(f"The note seems to hold {' and '.join(found)}. Take it out.")
    with write(study.db) as connection:
        ended = end_flag(connection, number, by=by, at=now, note=note.strip())
        if ended:
            add_audit(connection, at=now, actor=by, action=f"end flag {held.kind}", subject=held.segment)
    return ended


def flags_for(study: Study, person: str) -> Raised:
    """What a person may see: not what others flagged on items that this person is still to read alone."""
    discuss = flags(study.db, DISCUSS)
    sealed = without_others(study.db, person, sorted({f.segment for f in discuss if f.by != person}))
    seen = tuple(f for f in discuss if f.by == person or f.segment not in sealed)
    return Raised(seen, tuple(f for f in flags(study.db, DISCLOSURE) if f.by == person))
