"""Editing a study's codebook: one draft at a time, shared by its leads, saved change by change.

Two leads may work at once: a change is refused only where somebody else changed the same code after it was read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

from nlp import codebook_edit as edits
from nlp.codebook_edit import Draft, drafted
from nlp.codebook_meaning import Turn, numbers
from nlp.codebook_rules import FIELD_WORDS, LONGEST, Problem, too_long
from nlp.deid.cascade import Deidentifier
from nlp.deid.risk import QuasiKind, quasi_identifiers
from nlp.text import normalise
from nlp.types import Code, Codebook, CodeStatus, Label
from service.errors import ConflictError, DraftError, NoDraftError, StudyError
from service.study import drafts as store
from service.study.codebooks import codebook_version, latest_codebook
from service.study.database import write
from service.study.drafts import StoredDraft, Touch
from service.study.runs import add_audit
from service.study.study import Study
from service.usecases.memos import IDENTIFIERS

LONGEST_WHY = 300
Change = Callable[[Codebook, Draft], Draft]


@dataclass(frozen=True, slots=True)
class Desk:
    """The open draft and the version under it. `newest` is the study's newest version: another one where codes were
    adopted or a version came in since the draft was begun."""

    base: Codebook
    held: StoredDraft
    newest: str

    @property
    def book(self) -> Codebook:
        """The codebook as the draft has it."""
        return drafted(self.base, self.held.draft)

    @property
    def behind(self) -> bool:
        """Whether the study has a newer version than the draft is based on."""
        return self.newest != self.base.version

    def changed(self) -> frozenset[str]:
        """Codes that the draft changes, adds or makes something of."""
        turned = self.held.draft.turned
        return frozenset(
            [c.id for c in self.held.draft.edited] + [t.code for t in turned] + [i for t in turned for i in t.into]
        )


def desk(study: Study) -> Desk | None:
    """The study's draft, if one is open."""
    held = store.draft_of(study.db, study.codebook)
    if held is None:
        return None
    base, newest = codebook_version(study.db, study.codebook, held.draft.based_on), _latest(study)
    return Desk(base, held, newest.version)


def require_desk(study: Study) -> Desk:
    """The study's draft; NoDraftError when none is open."""
    found = desk(study)
    if found is None:
        raise NoDraftError("no draft of the codebook is open: it was published or thrown away, or nobody has begun one")
    return found


def _latest(study: Study) -> Codebook:
    newest = latest_codebook(study.db, study.codebook)
    if newest is None:
        raise StudyError("no codebook has been used in this study yet; run “heard suggest” first")
    return newest


def begin(study: Study, *, by: str, now: str) -> Desk:
    """Open a draft on the newest version; the one that is open already, where there is one."""
    with write(study.db) as connection:
        return begin_within(study, connection, by=by, now=now)


def begin_within(study: Study, connection: sqlite3.Connection, *, by: str, now: str) -> Desk:
    """The same in the caller's transaction."""
    newest = _latest(study)
    if store.open_draft(connection, study.codebook, newest.version, by=by, at=now):
        add_audit(connection, at=now, actor=by, action="begin draft", subject=newest.version)
    return require_desk(study)


def discard(study: Study, *, version: int, by: str, now: str) -> None:
    """Throw the draft away; ConflictError when somebody changed it since."""
    with write(study.db) as connection:
        held = require_desk(study).held
        require_same(held, version)
        store.remove_draft(connection, held)
        add_audit(connection, at=now, actor=by, action="discard draft", subject=held.draft.based_on)


def require_same(held: StoredDraft, version: int) -> None:
    """ConflictError when the draft is no longer the version that was read."""
    if held.version != version:
        raise ConflictError(_changed_by("the draft", Touch(held.version, held.by, held.at)))


def _changed_by(what: str, touch: Touch) -> str:
    return f"{touch.by} changed {what} at {touch.at[11:16]} UTC on {touch.at[:10]}, after you opened it"


def edit(study: Study, codes: Collection[str], change: Change, *, version: int, by: str, now: str) -> Desk:
    """Make one change to the draft that concerns these codes.

    ConflictError when somebody changed one of them after the draft's `version` that was read; EditError as the change has it.
    """
    with write(study.db) as connection:
        found = require_desk(study)
        touch = found.held.last_touch(codes)
        if touch is not None and touch.version > version:
            raise ConflictError(_changed_by(" and ".join(sorted(codes)[:3]), touch))
        save_within(connection, found, change(found.base, found.held.draft), by=by, now=now)
    return require_desk(study)


def save_within(connection: sqlite3.Connection, found: Desk, new: Draft, *, by: str, now: str) -> None:
    """Store the draft's next state, in the caller's transaction."""
    touched = _differing(found.held.draft, new)
    if new != found.held.draft:
        store.save_draft(connection, found.held, new, touched, by=by, at=now)
        add_audit(
            connection, at=now, actor=by, action="change draft", subject=new.based_on, counts={"codes": len(touched)}
        )


def _differing(before: Draft, after: Draft) -> frozenset[str]:
    codes = {(c.id, c) for c in before.edited} ^ {(c.id, c) for c in after.edited}
    turned = set(before.turned) ^ set(after.turned)
    return frozenset({i for i, _ in codes} | {t.code for t in turned} | {i for t in turned for i in t.into})


def bring_up(study: Study, *, version: int, by: str, now: str) -> Desk:
    """Put the draft on the study's newest version: what the draft changed stays, all else is the newer version's."""
    with write(study.db) as connection:
        found = require_desk(study)
        require_same(found.held, version)
        newer = _latest(study)
        if numbers(newer.version) > numbers(found.base.version):
            save_within(connection, found, edits.rebased(found.base, found.held.draft, newer), by=by, now=now)
    return require_desk(study)


def save_code(
    study: Study, code: Code, *, declared: Turn | None = None, why: str = "", version: int, by: str, now: str,
    guard: Deidentifier, identifies_nobody: bool = False,
) -> Desk:  # fmt: skip
    """Give a code of the draft other words, as typed: spaces are tidied, and codes may be named by id or by name.

    DraftError when something is too long, names no code, or seems to identify somebody and the writer has not said
    that it does not; else as `edit`.
    """
    found = require_desk(study)
    before = edits.code_in(found.base, found.held.draft, code.id)
    kept = _as_kept(found.book, before, code)
    problems = [told(p) for p in too_long(kept)] + ([_too_long_why()] if len(why) > LONGEST_WHY else [])
    if problems:
        raise DraftError(problems)
    told_of = [] if identifies_nobody else list(identifying(kept, before, guard))
    if told_of:
        raise DraftError(told_of, identifies=True)

    def change(base: Codebook, draft: Draft) -> Draft:
        return edits.change(base, draft, kept, declared=declared, why=tidy(why))

    return edit(study, [code.id], change, version=version, by=by, now=now)


def _too_long_why() -> str:
    return f"The reason may have {LONGEST_WHY} characters."


def reason(words: str) -> str:
    """A reason as it is kept; DraftError when it is too long."""
    kept = tidy(words)
    if len(kept) > LONGEST_WHY:
        raise DraftError([_too_long_why()])
    return kept


def short_name(words: str) -> str:
    """A name as it is kept; DraftError when it is too long."""
    kept = tidy(words)
    if len(kept) > LONGEST["label"]:
        raise DraftError([f"A name may have {LONGEST['label']} characters."])
    return kept


def told(problem: Problem) -> str:
    """A broken rule as a sentence."""
    field = FIELD_WORDS.get(problem.field, problem.field)
    place = f"{problem.code}: " if problem.code else ""
    return f"{place}{field[:1].upper()}{field[1:]} {problem.words}."


def tidy(words: str) -> str:
    """Words as they are kept: composed letters, nothing unreadable, single spaces."""
    readable = "".join(ch if ch.isprintable() or ch in "\u200d\ufe0f" else " " for ch in normalise(words).text)
    return " ".join(readable.split())


def _as_kept(book: Codebook, before: Code, typed: Code) -> Code:
    """The typed code in tidy words; what only differs from before in its spaces stays as it was."""
    was = {tidy(text): text for text in _texts(before)}

    def keep(words: str) -> str:
        kept = tidy(words)
        return was.get(kept, kept)

    def keep_all(items: Sequence[str]) -> tuple[str, ...]:
        return tuple(kept for item in items if (kept := keep(item)))

    finder = _Finder(book)
    return replace(
        typed,
        label=keep(typed.label),
        young_label=keep(typed.young_label),
        definition=keep(typed.definition),
        include=keep_all(typed.include),
        exclude=tuple(replace(e, text=keep(e.text), see=finder.find(typed.id, "see", e.see)) for e in typed.exclude),
        examples=keep_all(typed.examples),
        near_misses=tuple(
            replace(m, text=keep(m.text), belongs_to=finder.find(typed.id, "belongs_to", m.belongs_to), why=keep(m.why))
            for m in typed.near_misses
        ),
        co_produced_by=keep_all(typed.co_produced_by),
        parent=before.parent,
        date=before.date,
    )


def _texts(code: Code) -> Iterator[str]:
    for value in asdict(code).values():
        if isinstance(value, str):
            yield value
        else:
            yield from (text for item in value for text in (item.values() if isinstance(item, dict) else [item]))


class _Finder:
    """Codes by what somebody may type for them: an id, or a name, in any case."""

    def __init__(self, book: Codebook) -> None:
        named = {tidy(c.label).casefold(): c.id for c in reversed(book.codes) if c.status is not CodeStatus.RETIRED}
        self._ids = named | {c.id.casefold(): c.id for c in book.codes}

    def named(self, typed: str) -> str:
        """The id of what was typed; DraftError where it names no code."""
        found = self._ids.get(tidy(typed).casefold(), "")
        if not found:
            raise DraftError(["One of the codes that you named is no code of this codebook; give its id, such as CL2."])
        return found

    def find(self, code: str, field: str, typed: str) -> str:
        words = tidy(typed)
        found = self._ids.get(words.casefold(), "")
        if words and not found:
            raise DraftError([told(Problem(code, field, "names no code of this codebook; give its id, such as CL2"))])
        if found == code:
            raise DraftError([told(Problem(code, field, "names the code itself"))])
        return found


def codes_named(book: Codebook, typed: Sequence[str]) -> list[str]:
    """Ids of the codes that somebody named by id or by name, empty ones passed over; DraftError where one is none."""
    finder = _Finder(book)
    return [finder.named(words) for words in typed if tidy(words)]


def identifying(code: Code, before: Code, guard: Deidentifier) -> Iterator[str]:
    """What in a code's new words seems to identify somebody, by field and number: the kind, never the words."""
    known = frozenset(_texts(before))
    for field, texts, labels in _looked_at(code):
        new = [(number, text) for number, text in enumerate(texts, 1) if text not in known]
        for (number, text), clean in zip(new, guard.deidentify([t for _, t in new]), strict=True):
            kinds = [IDENTIFIERS[r.label] for r in clean.plan if r.label in labels]
            kinds += [q.why for q in quasi_identifiers(text) if q.kind is not QuasiKind.AGE and field in _QUOTED]
            if kinds:
                place = f"entry {number}" if len(texts) > 1 else "what you wrote"
                yield told(Problem(code.id, field, f"({place}) seems to hold {' and '.join(dict.fromkeys(kinds))}"))


_QUOTED = ("examples", "near_misses")
# Rules and definitions name settings and places in general; what is quoted must hold nothing of the kind.
_BY_SHAPE = frozenset({Label.PHONE, Label.EMAIL, Label.ID, Label.URL})


def _looked_at(code: Code) -> Iterator[tuple[str, Sequence[str], Collection[Label]]]:
    yield "examples", code.examples, IDENTIFIERS.keys()
    yield "near_misses", [m.text for m in code.near_misses], IDENTIFIERS.keys()
    yield "co_produced_by", code.co_produced_by, {Label.PERSON, *_BY_SHAPE}
    yield "include", code.include, _BY_SHAPE
    yield "exclude", [e.text for e in code.exclude], _BY_SHAPE
    for field in ("label", "young_label", "definition"):
        yield field, [getattr(code, field)], _BY_SHAPE
