"""Candidate themes on their page: looked at, put into the draft of the next codebook version or turned down, and undone.

Quotes come only from people who allowed quotation, since those who may not read the voices see the codebook.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from nlp import codebook_edit as edits
from nlp.codebook_meaning import Turn
from nlp.deid.cascade import Deidentifier
from nlp.types import Code, CodeStatus
from service.errors import DraftError, StudyError
from service.study import candidates as store
from service.study.candidates import Act, StoredCandidate
from service.study.codebooks import latest_codebook
from service.study.database import write
from service.study.runs import add_audit
from service.study.sealed import without_suggestions
from service.study.study import Study
from service.study.voices import segments
from service.usecases.codebook import Desk, begin_within, desk, identifying, reason, save_within, short_name, tidy

UNDONE = ("adopt", "join", "dismiss")


@dataclass(frozen=True, slots=True)
class Example:
    """A central excerpt of a candidate; `may_quote` where its people allowed that."""

    segment: str
    text: str
    may_quote: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """An open candidate with its excerpts, as far as the person may see them; `waits` are kept until read blind."""

    stored: StoredCandidate
    examples: tuple[Example, ...]
    waits: int


@dataclass(frozen=True, slots=True)
class Settled:
    """A candidate that somebody has dealt with; `may_undo` where nothing that is published rests on it."""

    stored: StoredCandidate
    act: Act
    may_undo: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """What a lead wants of a candidate: a new code (`label`, `definition`, `parent`) or one that is there (`code`), with
    some of its excerpts (ids of segments) as quotes."""

    number: int
    label: str = ""
    definition: str = ""
    parent: str = ""
    code: str = ""
    quotes: tuple[str, ...] = ()


def candidates_for(study: Study, person: str) -> tuple[store.Discovery | None, list[Shown], list[Settled]]:
    """The last search, what is open of it, and what was done, newest first.

    That nothing was suggested for a segment is kept from who is still to read it blind, and so are its words here.
    """
    found = store.newest_discovery(study.db)
    if found is None:
        return None, [], []
    held = store.open_candidates(study.db, found.id)
    ids = sorted({s for one in held for s in one.candidate.central})
    sealed, examples = without_suggestions(study.db, person, ids), _examples(study, ids)
    return found, [_shown(one, examples, sealed) for one in held], _settled(study)


def _examples(study: Study, ids: Sequence[str]) -> dict[str, Example]:
    if not ids:
        return {}
    marks = ",".join("?" * len(ids))
    held = {s.id: s.text.strip() for s in segments(study.db, f"s.id IN ({marks})", list(ids))}
    rows = study.db.conn.execute(
        f"SELECT s.id, v.consent FROM segments s JOIN voices v ON v.id = s.voice WHERE s.id IN ({marks})", list(ids)
    )
    return {i: Example(i, held[i], consent == "analysis_and_quotes") for i, consent in rows if i in held}


def _shown(one: StoredCandidate, examples: Mapping[str, Example], sealed: Collection[str]) -> Shown:
    central = [s for s in one.candidate.central if s in examples]
    return Shown(one, tuple(examples[s] for s in central if s not in sealed), sum(s in sealed for s in central))


def _settled(study: Study) -> list[Settled]:
    latest = latest_codebook(study.db, study.codebook)
    codes = {c.id: c for c in latest.codes} if latest else {}
    last = [act for act in store.last_acts(study.db).values() if act.act != "undo"]
    pairs = [(store.candidate(study.db, act.candidate), act) for act in sorted(last, key=lambda a: a.at, reverse=True)]
    return [Settled(one, act, act.act in UNDONE and not _is_out(study, one, act, codes)) for one, act in pairs]


def _is_out(study: Study, one: StoredCandidate, act: Act, codes: Mapping[str, Code]) -> bool:
    """Whether what came of a candidate stands in a version that is published."""
    if act.act == "join":
        quotes = {e.text for e in _examples(study, one.candidate.central).values()}
        return act.code in codes and bool(quotes & set(codes[act.code].examples))
    return act.act == "adopt" and act.code in codes


def put_into_draft(
    study: Study, wish: Wish, *, by: str, now: str, guard: Deidentifier, identifies_nobody: bool = False
) -> str:
    """Make a candidate a code of the draft, which is begun where none is open, or add its quotes to a code that is there.

    The code's id. DraftError where a name is missing or too long, or where a quote seems to identify somebody.
    """
    one = store.candidate(study.db, wish.number)
    quotes = _quotes(study, one, wish.quotes)
    _heed(wish, quotes, guard, identifies_nobody=identifies_nobody)
    with write(study.db) as connection:
        found = begin_within(study, connection, by=by, now=now)
        new, code = _joined(found, wish.code, quotes) if wish.code else _added(found, wish, quotes)
        save_within(connection, found, new, by=by, now=now)
        act = "join" if wish.code else "adopt"
        store.add_act(connection, Act(wish.number, act, by, now, code))
        add_audit(
            connection, at=now, actor=by, action=f"{act} candidate", subject=code, counts={"candidate": wish.number}
        )
    return code


def _quotes(study: Study, one: StoredCandidate, wanted: Collection[str]) -> tuple[str, ...]:
    held = _examples(study, [s for s in one.candidate.central if s in wanted])
    return tuple(tidy(held[s].text) for s in one.candidate.central if s in held and held[s].may_quote)


def _heed(wish: Wish, quotes: tuple[str, ...], guard: Deidentifier, *, identifies_nobody: bool) -> None:
    name = short_name(wish.label)
    if not wish.code and len(name) < 2:
        raise DraftError(["Give the code a name."])
    if len(tidy(wish.definition)) > 2_000:
        raise DraftError(["A definition may have 2,000 characters."])
    if not identifies_nobody:
        typed = Code("", name, tidy(wish.definition), examples=quotes)
        told_of = list(identifying(typed, Code("", ""), guard))
        if told_of:
            raise DraftError(told_of, identifies=True)


def _added(found: Desk, wish: Wish, quotes: tuple[str, ...]) -> tuple[edits.Draft, str]:
    base = found.base
    parents = {f.id for f in found.book.families} | {c.id for c in found.book.codes}
    parent = wish.parent if wish.parent in parents else ""
    new, code_id = edits.add(base, found.held.draft, label=short_name(wish.label), parent=parent)
    code = replace(edits.code_in(base, new, code_id), definition=tidy(wish.definition), examples=quotes)
    return edits.change(base, new, code), code_id


def _joined(found: Desk, code_id: str, quotes: tuple[str, ...]) -> tuple[edits.Draft, str]:
    code = _usable(found, code_id)
    more = tuple(q for q in quotes if q not in code.examples)
    return _with_examples(found, code, (*code.examples, *more)), code_id


def _usable(found: Desk, code_id: str) -> Code:
    code = next((c for c in found.book.active_codes if c.id == code_id), None)
    if code is None:
        raise DraftError(["The draft has no code of that id in use."])
    return code


def _with_examples(found: Desk, code: Code, examples: tuple[str, ...]) -> edits.Draft:
    """The draft with other examples for a code; what was said of its meaning stays."""
    said = [t for t in edits.turns_of(found.held.draft, code.id) if t.turn in (Turn.REWORD, Turn.REDEFINE)]
    declared, why = (said[0].turn, said[0].why) if said else (None, "")
    before = edits.code_in(found.base, found.held.draft, code.id)
    return edits.change(found.base, found.held.draft, replace(before, examples=examples), declared=declared, why=why)


def turn_down(study: Study, number: int, *, why: str, by: str, now: str) -> None:
    """Dismiss a candidate; DraftError without a reason."""
    note = reason(why)
    if len(note) < 3:
        raise DraftError(["Say in a few words why it is dismissed."])
    store.candidate(study.db, number)
    with write(study.db) as connection:
        store.add_act(connection, Act(number, "dismiss", by, now, note=note))
        add_audit(
            connection, at=now, actor=by, action="dismiss candidate", subject="candidate", counts={"candidate": number}
        )


def undo(study: Study, number: int, *, by: str, now: str) -> None:
    """Take back what was done with a candidate, by a later act: it is open again, and its traces in the draft are gone.

    StudyError where a published version has the code or its quotes: only a further version can change that.
    """
    with write(study.db) as connection:
        held = next((s for s in _settled(study) if s.stored.id == number), None)
        if held is None or held.act.act not in UNDONE:
            raise StudyError("there is nothing here to undo")
        if not held.may_undo:
            raise StudyError("a published version of the codebook has it by now; change or retire the code in a draft")
        found = desk(study)
        if found is not None:
            save_within(connection, found, _without(study, found, held), by=by, now=now)
        store.add_act(connection, Act(number, "undo", by, now, held.act.code, note=held.act.act))
        add_audit(
            connection, at=now, actor=by, action="undo candidate", subject="candidate", counts={"candidate": number}
        )


def _without(study: Study, found: Desk, held: Settled) -> edits.Draft:
    """The draft without what came of the candidate."""
    code = next((c for c in found.book.codes if c.id == held.act.code and c.status is not CodeStatus.RETIRED), None)
    if code is None:
        return found.held.draft
    if held.act.act == "adopt":
        return edits.take_back(found.base, found.held.draft, code.id)
    quotes = {tidy(e.text) for e in _examples(study, held.stored.candidate.central).values()}
    return _with_examples(found, code, tuple(e for e in code.examples if e not in quotes))
