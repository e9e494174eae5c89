"""Memos: written, found, changed and deleted by their writers, and kept free of identifiers.

A memo about a segment says how its writer reads it, so others' memos are kept from a coder who is still to read
that segment alone (see `service.study.sealed`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nlp.deid.patterns import PatternDetector
from nlp.text import normalise
from nlp.types import Label
from service.errors import AccessError, ConflictError, IdentifierError, MemoError, RecordError
from service.study import memos as store
from service.study.database import write
from service.study.memos import Memo
from service.study.runs import add_audit
from service.study.sealed import without_others
from service.study.study import Study

LONGEST = 20_000
PAGE = 20
KINDS = ("note", "question", "idea", "decision", "reflection")
OBJECTS = tuple(store.SUBJECTS)
WITHOUT_TEXTS = ("study", "code")  # for those who may not read the voices, and so no memo about their words
IDENTIFIERS = {
    Label.PERSON: "a name",
    Label.LOCATION: "an address or postcode",
    Label.ORG: "the name of a school or setting",
    Label.DATE: "a date",
    Label.PHONE: "a telephone number",
    Label.EMAIL: "an email address",
    Label.ID: "a number or user name that identifies somebody",
    Label.URL: "a web address",
}  # an age alone is no identifier: the team needs it to say who speaks


@dataclass(frozen=True, slots=True)
class MemoFilter:
    """Which memos: about what, of which kind, by whom, and with which words (all of them); empty means any."""

    object: str = ""
    kind: str = ""
    by: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class MemoPage:
    """One page of the memos that a person may see, and who wrote any that they may see."""

    memos: tuple[Memo, ...]
    page: int
    pages: int
    total: int
    writers: tuple[str, ...]


def add_memo(
    study: Study, *, object: str, subject: str, kind: str, words: str, by: str, now: str, identifies_nobody: bool = False
) -> Memo:  # fmt: skip
    """Write a memo. The same words about the same thing, sent twice, are one memo.

    RecordError when there is nothing of that id; MemoError when it is empty or too long; IdentifierError when it
    seems to hold an identifier and the writer has not said that it holds none.
    """
    if not store.is_there(study.db, object, subject):
        raise RecordError("what this memo is about is not in this study any more")
    kept = _checked(kind, words, identifies_nobody=identifies_nobody)
    with write(study.db) as connection:
        number = store.add(connection, object_=object, subject=subject, kind=kind, words=kept, by=by, at=now)
        add_audit(connection, at=now, actor=by, action="write memo", subject=f"memo {number}")
    return store.memo(study.db, number)


def change_memo(
    study: Study, number: int, *, version: int, kind: str, words: str, by: str, now: str, identifies_nobody: bool = False
) -> Memo:  # fmt: skip
    """Give a memo other words. AccessError for anybody but its writer; ConflictError when it was changed in the
    meantime; else as `add_memo`."""
    held = own_memo(study, number, by)
    kept = _checked(kind, words, identifies_nobody=identifies_nobody)
    with write(study.db) as connection:
        if not store.change(connection, replace(held, version=version), kind=kind, words=kept, at=now):
            raise _conflict(held)
        add_audit(connection, at=now, actor=by, action="change memo", subject=f"memo {number}")
    return store.memo(study.db, number)


def delete_memo(study: Study, number: int, *, version: int, by: str, now: str) -> None:
    """Delete a memo. AccessError for anybody but its writer; ConflictError when it was changed in the meantime."""
    held = own_memo(study, number, by)
    with write(study.db) as connection:
        if not store.remove(connection, replace(held, version=version)):
            raise _conflict(held)
        add_audit(connection, at=now, actor=by, action="delete memo", subject=f"memo {number}")


def own_memo(study: Study, number: int, by: str) -> Memo:
    """A memo of this writer; AccessError when somebody else wrote it."""
    held = store.memo(study.db, number)
    if held.by != by:
        raise AccessError("only its writer may change or delete a memo")
    return held


def _conflict(held: Memo) -> ConflictError:
    return ConflictError(f"{held.by} changed this memo at {held.changed_at[11:16]} UTC on {held.changed_at[:10]}")


def _checked(kind: str, words: str, *, identifies_nobody: bool) -> str:
    """The words as they are kept."""
    kept = normalise(words.replace("\r\n", "\n")).text.strip()
    if kind not in KINDS:
        raise MemoError("Choose what kind of memo this is.")
    if not kept:
        raise MemoError("Write something first: the memo is empty.")
    if len(kept) > LONGEST:
        raise MemoError(
            f"The memo has {len(kept):,} characters and may have {LONGEST:,}. Shorten it, or make two of it."
        )
    found = [] if identifies_nobody else identifiers(kept)
    if found:
        raise IdentifierError(
            f"The memo seems to hold {' and '.join(found)}. Take it out, or say that it identifies nobody."
        )
    return kept


def identifiers(words: str) -> list[str]:
    """The kinds of identifier whose shape stands in the words, in plain words and never with the words themselves."""
    [found] = PatternDetector().detect([words])
    labels = {d.label for d in found if d.masked}
    return [kind for label, kind in IDENTIFIERS.items() if label in labels]


def find_memos(study: Study, person: str, wanted: MemoFilter, *, reads_voices: bool, page: int) -> MemoPage:
    """A page of the memos that this person may see and that fit, newest first."""
    seen = _seen(study, person, store.memos(study.db))
    if not reads_voices:
        seen = [m for m in seen if m.object in WITHOUT_TEXTS]
    words = normalise(wanted.words).text.casefold().split()
    fitting = [m for m in seen if _fits(m, wanted) and all(word in m.words.casefold() for word in words)]
    pages = max(1, -(-len(fitting) // PAGE))
    at = min(max(page, 1), pages)
    return MemoPage(
        tuple(fitting[PAGE * (at - 1) : PAGE * at]), at, pages, len(fitting), tuple(sorted({m.by for m in seen}))
    )


def _fits(memo: Memo, wanted: MemoFilter) -> bool:
    asked = ((wanted.object, memo.object), (wanted.kind, memo.kind), (wanted.by, memo.by))
    return all(want in ("", have) for want, have in asked)


def memos_about(study: Study, person: str, object: str, subjects: Sequence[str]) -> dict[str, list[Memo]]:
    """The memos about each of these that this person may see, newest first; those without any are left out."""
    found: dict[str, list[Memo]] = {}
    for memo in _seen(study, person, store.memos(study.db, object, subjects)):
        found.setdefault(memo.subject, []).append(memo)
    return found


def _seen(study: Study, person: str, memos: Sequence[Memo]) -> list[Memo]:
    """Without what others wrote about segments, and voices of segments, that this person is still to read alone."""
    others = [m for m in memos if m.by != person]
    voices = list(dict.fromkeys(m.subject for m in others if m.object == "voice"))
    marks = ",".join("?" * len(voices))
    rows = study.db.conn.execute(f"SELECT id, voice FROM segments WHERE voice IN ({marks})", voices)
    voice_of = {row["id"]: row["voice"] for row in rows}
    sealed = without_others(
        study.db, person, [*voice_of, *{m.subject for m in others if m.object == "segment"} - set(voice_of)]
    )
    hidden = {("segment", s) for s in sealed} | {("voice", voice_of[s]) for s in sealed if s in voice_of}
    return [m for m in memos if m.by == person or (m.object, m.subject) not in hidden]
