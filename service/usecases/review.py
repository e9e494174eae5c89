"""Review: people decide. The one path for terminal, pages and API.

A review round shows suggestions from the start; in a counting round every item is read blind first, and what the
coder says after seeing the suggestions is a revision, kept apart.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace

from nlp.types import Code, Codebook, Stance
from service.errors import ConflictError, StudyError
from service.study.codebooks import newest_codebook
from service.study.database import write
from service.study.decisions import Coding, Decision, Round, add_decisions, codings, last_standing
from service.study.saves import add_save, saved_under
from service.study.study import Study
from service.study.suggestions import StoredSuggestion
from service.usecases.check import require_open
from service.usecases.queue import Item

NO_UNDO = (
    "a blind decision cannot be taken back once the suggestions have been seen, or it would no longer be blind;"
    " change your codes instead: both are kept"
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One code that a coder gives an item, with stance and evidence where said.

    `start` and `end` lie in the voice's clean text; both 0 where no words were chosen. `quote` is what the coder saw there.
    """

    code: str
    stance: str = ""
    start: int = 0
    end: int = 0
    suggestion: int | None = None
    quote: str = ""


def decide(
    study: Study, item: Item, *, coder: str, choices: Sequence[Choice], rejected: Sequence[StoredSuggestion] = (),
    skip: bool = False, seconds: float, now: str, token: str = "", codebook: str = "",
) -> list[int]:  # fmt: skip
    """Save a coder's decision on an item and close it; a skip closes it without a word on any code.

    The same `token` again stores nothing and answers with what was stored. `codebook` is the version that was on
    screen. ConflictError when the item is already decided or what was on screen is no longer so; nothing is stored then.
    """
    require_open(study)
    book = _book(study, choices, codebook)
    made = [] if skip else [_choice(item, c, coder, now, seconds) for c in choices]
    made += [] if skip else [_rejection(item, s, coder, now, seconds) for s in rejected]
    made.append(_decision(item, "skip" if skip else "close", coder, now, seconds))
    with write(study.db) as connection:
        held = _held(connection, token, item, coder)
        if held is not None:
            return held
        _require_undecided(connection, item, coder)
        for choice in choices:
            _check_words(item, choice)
        return _store(connection, token, item, coder, _in_version(made, book.version), now)


def revise(
    study: Study, item: Item, *, coder: str, choices: Sequence[Choice], rejected: Sequence[StoredSuggestion] = (),
    seconds: float, now: str, token: str = "", codebook: str = "",
) -> list[int]:  # fmt: skip
    """What the coder holds of a blind item now that they have seen its suggestions, beside what they decided before.

    Only what differs is stored, as shown; nothing where nothing does. ConflictError when the item is not decided yet.
    """
    require_open(study)
    book = _book(study, choices, codebook)
    with write(study.db) as connection:
        held = _held(connection, token, item, coder)
        if held is not None:
            return held
        if item.round.kind != "counting" or not _closed(connection, item, coder):
            raise ConflictError("there is no blind decision of yours on this text to change")
        for choice in choices:
            _check_words(item, choice)
        made = _differences(study, item, coder, choices, rejected, seconds, now)
        shown = [replace(d, shown=True) for d in _in_version(made, book.version)]
        return _store(connection, token, item, coder, shown, now)


def _book(study: Study, choices: Sequence[Choice], on_screen: str) -> Codebook:
    """The codebook now, after checking that it is what the coder chose from."""
    book = newest_codebook(study.db)
    if on_screen and on_screen != book.version:
        raise ConflictError(
            f"the codebook is now version {book.version}; you chose from {on_screen}. Nothing is saved yet: your choice"
            " is kept on the screen; look at it again and save"
        )
    known = {code.id: code for code in book.active_codes}
    for choice in choices:
        if choice.code not in known:
            raise StudyError(_no_code(choice.code, book))
        if choice.stance and choice.stance not in set(Stance):
            raise StudyError("there is no such stance")
    if len({c.code for c in choices}) < len(choices):
        raise StudyError("a code can be given to a text once")
    return book


def _no_code(code_id: str, book: Codebook) -> str:
    retired: Code | None = next((c for c in book.codes if c.id == code_id), None)
    if retired is not None:
        return f"“{retired.label}” has been retired from the codebook; take it off and save again"
    return f"“{code_id}” is no code of {book.id} {book.version}"


def _held(connection: sqlite3.Connection, token: str, item: Item, coder: str) -> list[int] | None:
    if not token:
        return None
    return saved_under(connection, token, coder=coder, round_=item.round.id, segment=item.segment.id)


def _require_undecided(connection: sqlite3.Connection, item: Item, coder: str) -> None:
    """One standing decision a coder; and a blind one only before anything was shown."""
    if _closed(connection, item, coder, skipped=True):
        way = "change your codes instead" if item.round.kind == "counting" else "undo it first to decide anew"
        raise ConflictError(f"you have already decided on this text, perhaps in another tab; {way}")
    if item.round.kind == "counting" and _has_seen(connection, item, coder):
        raise ConflictError("you have seen this text's suggestions, so it can no longer be read blind")


def _closed(connection: sqlite3.Connection, item: Item, coder: str, *, skipped: bool = False) -> bool:
    row = connection.execute(
        "SELECT 1 FROM standing WHERE round = ? AND segment = ? AND coder = ? AND (action = 'close' OR (? AND action = 'skip'))",
        (item.round.id, item.segment.id, coder, skipped),
    ).fetchone()
    return row is not None


def _has_seen(connection: sqlite3.Connection, item: Item, coder: str) -> bool:
    """Whether the coder has closed it before, which reveals, or has decided with suggestions on screen; undone or not.

    What they saw of it before a corrected file brought other words does not count.
    """
    row = connection.execute(
        "SELECT 1 FROM decisions d WHERE round = ? AND segment = ? AND coder = ? AND (shown = 1 OR action = 'close')"
        " AND seq > coalesce((SELECT max(decision) FROM rereads r WHERE r.segment = d.segment), 0)",
        (item.round.id, item.segment.id, coder),
    ).fetchone()
    return row is not None


def _check_words(item: Item, choice: Choice) -> None:
    """The evidence lies in the segment and still reads as the coder saw it."""
    segment = item.segment
    if (choice.start, choice.end) == (0, 0):
        return
    if not segment.start <= choice.start < choice.end <= segment.end:
        raise StudyError("the chosen words reach beyond this text; choose words inside it")
    words = segment.text[choice.start - segment.start : choice.end - segment.start]
    if choice.quote and choice.quote != words:
        raise ConflictError("this text has been changed since you opened it; load it again and choose the words anew")


def _store(
    connection: sqlite3.Connection, token: str, item: Item, coder: str, made: Sequence[Decision], now: str
) -> list[int]:
    stored = add_decisions(connection, made)
    if token:
        add_save(
            connection, token, coder=coder, round_=item.round.id, segment=item.segment.id, decisions=stored, at=now
        )
    return stored


def _differences(
    study: Study, item: Item, coder: str, choices: Sequence[Choice], rejected: Sequence[StoredSuggestion],
    seconds: float, now: str,
) -> list[Decision]:  # fmt: skip
    """What is new, changed or taken off against what stands of this coder's codes on the item."""
    before = {c.code: c for c in given(study, item, coder)}
    kept = {c.code for c in choices}
    made = [_choice(item, c, coder, now, seconds) for c in choices if not _same(before.get(c.code), c)]
    made += [_decision(item, "reject", coder, now, seconds, code=code) for code in before if code not in kept]
    made += [_rejection(item, s, coder, now, seconds) for s in rejected if s.code not in kept | before.keys()]
    return made


def _same(coding: Coding | None, choice: Choice) -> bool:
    return coding is not None and (coding.stance, coding.start, coding.end) == (choice.stance, choice.start, choice.end)


def given(study: Study, item: Item, coder: str) -> list[Coding]:
    """The codes that a coder gives an item in its round, as they stand."""
    where = "round = ? AND segment = ? AND coder = ?"
    return codings(study.db, where, [item.round.id, item.segment.id, coder])


def _choice(item: Item, choice: Choice, coder: str, now: str, seconds: float) -> Decision:
    return _decision(
        item, _act(item, choice), coder, now, seconds, code=choice.code, stance=choice.stance, start=choice.start,
        end=choice.end, suggestion=choice.suggestion,
    )  # fmt: skip


def _act(item: Item, choice: Choice) -> str:
    """`accept` takes a suggestion with its words, `change` takes it with other words, `add` is the coder's own."""
    if choice.suggestion is None:
        return "add"
    taken = next((s for s in item.suggestions if s.id == choice.suggestion and s.code == choice.code), None)
    if taken is None:
        raise ConflictError("a suggestion is no longer as it was; load the text again")
    return "accept" if (taken.start, taken.end) == (choice.start, choice.end) else "change"


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
    """Take back the coder's last item of a round whole; the segment's id, or None when nothing is left.

    ConflictError for a blind decision, since the suggestions have been seen by then.
    """
    last = last_standing(study.db, coder, round_.id)
    if last is None:
        return None
    rows = study.db.conn.execute(
        "SELECT * FROM standing WHERE coder = ? AND round = ? AND segment = (SELECT segment FROM decisions WHERE seq = ?)",
        [coder, round_.id, last],
    ).fetchall()
    if round_.kind == "counting" and any(row["action"] == "close" for row in rows):
        raise ConflictError(NO_UNDO)
    with write(study.db) as connection:
        add_decisions(connection, [_undoing(row, round_, coder, now) for row in rows])
    return str(rows[0]["segment"])


def _undoing(row: sqlite3.Row, round_: Round, coder: str, now: str) -> Decision:
    return Decision(
        segment=row["segment"], action="undo", coder=coder, at=now, round=round_.id, stream=row["stream"],
        probability=row["probability"], codebook=row["codebook"], codebook_version=row["codebook_version"],
        shown=bool(row["shown"]), undoes=row["seq"],
    )  # fmt: skip
