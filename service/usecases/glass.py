"""Break-glass: the safeguarding lead may see the original words of one voice, when a second person allows it.

Data managers allow it and administrators do not: who makes accounts could make the asker's. Each step is audited in ids.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from service.errors import ConflictError, MemoError, RecordError
from service.study.database import write
from service.study.glass import Ask, add_answer, add_ask, add_end, ask_of, latest_act
from service.study.runs import add_audit
from service.study.study import Study
from service.study.withdrawals import withdrawal_of
from service.usecases.memos import identifiers
from service.vault.keys import Key
from service.vault.store import Vault

MINUTES = 15
LONGEST_REASON = 500
GONE = "the original words of this voice are no longer kept: there is nothing to see"


def ask(study: Study, voice: str, reason: str, *, by: str, now: str) -> int:
    """Ask to see the original words of a voice; the request's number.

    RecordError when there is no such voice; MemoError for a reason that is missing, too long or identifies somebody.
    """
    if withdrawal_of(study.db, voice) is not None:
        raise RecordError("this person has withdrawn: there is nothing left to see")
    if study.db.conn.execute("SELECT 1 FROM voices WHERE id = ?", [voice]).fetchone() is None:
        raise RecordError("there is no voice of that id in this study")
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        raise MemoError(f"A reason is needed, of {LONGEST_REASON} characters at most.")
    if found := identifiers(reason):
        raise MemoError(f"The reason seems to hold {' and '.join(found)}. Take it out.")
    with write(study.db) as connection:
        number = add_ask(connection, voice, reason.strip(), by=by, at=now)
        add_audit(connection, at=now, actor=by, action="ask for original words", subject=voice, counts={"ask": number})
    return number


def answer(study: Study, number: int, *, allowed: bool, by: str, now: str) -> None:
    """Allow or refuse a request, once. ConflictError for one's own request, and for one that is answered."""
    with write(study.db) as connection:
        held = ask_of(connection, number)
        if held.by == by:
            raise ConflictError("nobody answers their own request: a second person has to")
        if held.allowed is not None:
            raise ConflictError("this request has been answered already")
        add_answer(connection, number, allowed=allowed, by=by, at=now)
        action = "allow original words" if allowed else "refuse original words"
        add_audit(connection, at=now, actor=by, action=action, subject=held.voice, counts={"ask": number})


def look(study: Study, key: Key, number: int, *, by: str, now: str) -> tuple[Ask, str]:
    """The request and the original words, for who asked alone; the look is recorded before a word is opened.

    ConflictError when it is somebody else's, is not allowed, or its time is over; RecordError when nothing is kept.
    """
    with Vault(study.vault_file, key, study.id) as vault:
        vault.purge(now[:10])
        held = _looking(study, number, by, now)
        words = vault.texts([held.voice]).get(held.voice)
    if words is None:
        raise RecordError(GONE)
    return held, words


def _looking(study: Study, number: int, by: str, now: str) -> Ask:
    with write(study.db) as connection:
        held = ask_of(connection, number)
        if held.by != by:
            raise ConflictError("only who asked may look")
        if not held.allowed:
            raise ConflictError(
                "nobody has allowed this request" if held.allowed is None else "this request was refused"
            )
        open_ = _is_open(held, now, latest_act(connection))
        if not open_ and not held.ended_at:
            add_end(connection, number, now)
        action = "view original words" if open_ else "original words closed"
        add_audit(connection, at=now, actor=by, action=action, subject=held.voice, counts={"ask": number})
    if not open_:
        raise ConflictError(f"the {MINUTES} minutes are over; ask again if it is still needed")
    return held


def closes_at(held: Ask) -> str:
    """When its time is over; empty when it is not allowed."""
    if not held.allowed:
        return ""
    return (datetime.fromisoformat(held.answered_at) + timedelta(minutes=MINUTES)).isoformat(timespec="milliseconds")


def _is_open(held: Ask, now: str, latest: str) -> bool:
    """Within its time by this clock and by the latest act on record, so that a clock set back does not open it again."""
    times = [datetime.fromisoformat(t) for t in (now, latest, held.answered_at, closes_at(held)) if t]
    begins, ends = times[-2:]
    return not held.ended_at and begins <= times[0] and max(times[:-2]) < ends
