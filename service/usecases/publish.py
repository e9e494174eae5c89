"""Publishing a draft: what it would do, told before anything is written, and the new version with its recode round.

Nothing that was decided is rewritten. What was coded under a code that changed counts under nothing until somebody
reads it again, in a review round of its own; unless the lead declares that a merge keeps the meaning.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nlp.codebook_diff import BookDiff, diff
from nlp.codebook_edit import Level, as_version, level
from nlp.codebook_look import worth_a_look
from nlp.codebook_meaning import Meanings, Turn, Turned
from nlp.codebook_rules import Problem, problems
from nlp.deid.cascade import Deidentifier
from nlp.themes.queue import Stream
from nlp.types import Code, Codebook, CodeStatus, Label
from service.errors import ConflictError, DraftError
from service.study.codebooks import active_codes_by_version, keep_codebook
from service.study.database import write
from service.study.decisions import Draw, Given, Round, add_round, given_codings, rounds
from service.study.drafts import remove_draft
from service.study.publications import (
    Publication,
    Recode,
    add_publication,
    add_recodes,
    code_changes,
    meanings,
    publications,
    set_counts_as,
    use_version,
)
from service.study.runs import add_audit
from service.study.study import Study
from service.study.suggestions import newest_reading
from service.study.voices import segments
from service.usecases.codebook import Desk, reason, require_desk, require_same, tidy, told

LONGEST_NOTE = 1_000
NOT_YET = "To be published"


@dataclass(frozen=True, slots=True)
class Effect:
    """What publishing does to what was coded with one code: voices and segments that have it now, segments to be read
    again, and blind decisions that stop counting in estimates."""

    code: Code
    turned: Turned
    voices: int
    segments: int
    again: int
    blind: int


@dataclass(frozen=True, slots=True)
class Plan:
    """All that publishing a draft would do. `level` is None when nothing differs; `problems` keep it from being published.

    `readings` are texts read blind in counting rounds that are no word on some code any more. `segments` of the study
    would have their `suggestions` made again.
    """

    book: Codebook
    level: Level | None
    turned: tuple[Turned, ...]
    differs: BookDiff
    problems: tuple[Problem, ...]
    remarks: tuple[Problem, ...]
    effects: tuple[Effect, ...]
    recodes: tuple[Recode, ...]
    readings: int
    suggestions: int
    segments: int

    @property
    def again(self) -> int:
        """How many segments would be read again."""
        return len({r.segment for r in self.recodes})


@dataclass(frozen=True, slots=True)
class Consent:
    """What the lead says in publishing: a note, the groups that co-produced it, and merges that keep their meaning
    (the merged code's id, with the reason)."""

    note: str
    groups: tuple[str, ...]
    same: Mapping[str, str]


def dry_run(study: Study, *, same: Mapping[str, str] | None = None, now: str) -> Plan:
    """What publishing the draft as it stands would do; nothing is written."""
    return _plan(study, require_desk(study), Consent(NOT_YET, ("A group to be named",), same or {}), now)


def publish(
    study: Study, consent: Consent, *, version: int, by: str, now: str, guard: Deidentifier, identifies_nobody: bool = False
) -> Publication:  # fmt: skip
    """Make the draft the version in use, with a round for what must be read again.

    DraftError while it breaks a rule or something is left unsaid; ConflictError when somebody changed the draft after
    it was read, or when the study has a newer version than the draft is based on.
    """
    said = _said(consent, guard, identifies_nobody=identifies_nobody)
    with write(study.db) as connection:
        desk = require_desk(study)
        require_same(desk.held, version)
        if desk.behind:
            raise ConflictError(f"the study has version {desk.newest} by now; bring the draft up to it first")
        plan = _plan(study, desk, said, now)
        if plan.level is None:
            raise DraftError(["Nothing in the draft differs from the version that it is based on."])
        if plan.problems:
            raise DraftError([told(p) for p in plan.problems])
        return _store(study, connection, desk, plan, said, by, now)


def published_from(study: Study, based_on: str, by: str) -> Publication | None:
    """The version that somebody has just made of a draft: for a form that is sent twice."""
    return next((p for p in reversed(publications(study.db)) if (p.based_on, p.by) == (based_on, by)), None)


def _said(consent: Consent, guard: Deidentifier, *, identifies_nobody: bool) -> Consent:
    note, groups = tidy(consent.note), tuple(g for group in consent.groups if (g := tidy(group)))
    reasons = []
    if len(note) < 3:
        reasons.append("Say in a sentence what changed and why.")
    if len(note) > LONGEST_NOTE:
        reasons.append(f"The change note may have {LONGEST_NOTE:,} characters.")
    if not groups or any(len(g) > 200 for g in groups):
        reasons.append(
            "Say which group co-produced this version, in up to 200 characters; “no group yet” where none has."
        )
    if reasons:
        raise DraftError(reasons)
    if not identifies_nobody and _names_somebody([note, *groups], guard):
        raise DraftError(["The note or the group seems to hold a name. Name groups, never persons."], identifies=True)
    return Consent(note, groups, {code: reason(why) for code, why in consent.same.items()})


def _names_somebody(texts: Sequence[str], guard: Deidentifier) -> bool:
    return any(r.label is Label.PERSON for clean in guard.deidentify(texts) for r in clean.plan)


def _plan(study: Study, desk: Desk, consent: Consent, now: str) -> Plan:
    base, draft = desk.base, desk.held.draft
    how = level(base, draft)
    book, turned = base, tuple[Turned, ...]()
    if how is not None:
        book, turned = as_version(
            base, draft, date=now[:10], note=consent.note, groups=consent.groups, same=consent.same
        )
    before = Meanings(code_changes(study.db))
    after = Meanings([*code_changes(study.db), *turned])
    given = given_codings(study.db)
    recodes = _recodes(study, given, turned, before, after)
    return Plan(
        book, how, turned, diff(base, book), tuple(problems(book)) if how else (), tuple(worth_a_look(base, draft)),
        tuple(_effects(study, base, given, turned, before, recodes)), tuple(recodes), _readings(study, base, book, before, after),
        _count(study, "suggestions WHERE reading = ?", newest_reading(study.db)), _count(study, "segments"),
    )  # fmt: skip


def _count(study: Study, what: str, *parameters: str) -> int:
    return int(study.db.conn.execute(f"SELECT count(*) FROM {what}", parameters).fetchone()[0])


def _recodes(
    study: Study, given: Sequence[Given], turned: Sequence[Turned], before: Meanings, after: Meanings
) -> list[Recode]:  # fmt: skip
    """What is read again, in the order of intake: codings that stop counting, or whose code goes out of use."""
    retired = {t.code for t in turned if t.turn is Turn.RETIRE}
    said = {t.code: _said_of(t) for t in turned if t.turn is not Turn.REWORD}
    found: dict[str, dict[str, str]] = {}
    for coding in given:
        was, now = (m.now(coding.codebook_version, coding.code) for m in (before, after))
        if was and (not now or now in retired):
            found.setdefault(coding.segment, {})[was] = said.get(was, "")
    held = [s.id for s in segments(study.db)] if found else []
    return [Recode(s, code, why) for s in held if s in found for code, why in sorted(found[s].items())]


def _said_of(turned: Turned) -> str:
    what = {
        Turn.SPLIT: "split into {}", Turn.MERGE: "merged into {}", Turn.RETIRE: "retired", Turn.REDEFINE: "redefined",
        Turn.REREAD: "to be read again after all",
    }[turned.turn]  # fmt: skip
    return f"{what.format(' and '.join(turned.into))}: {turned.why}"


def _effects(
    study: Study, base: Codebook, given: Sequence[Given], turned: Sequence[Turned], before: Meanings, recodes: Sequence[Recode]
) -> list[Effect]:  # fmt: skip
    """For each code that something becomes of: how much is coded with it, and what that means."""
    by_code: dict[str, set[str]] = {}
    blind: Counter[str] = Counter()
    counting = {r.id for r in rounds(study.db) if r.kind == "counting"}
    again = Counter(r.code for r in recodes)
    for coding in given:
        was = before.now(coding.codebook_version, coding.code)
        by_code.setdefault(was, set()).add(coding.segment)
        blind[was] += coding.round in counting and not coding.shown
    return [
        Effect(
            base.code(t.code), t, len({s.rpartition(".")[0] for s in by_code.get(t.code, ())}), len(by_code.get(t.code, ())),
            again[t.code], blind[t.code] if again[t.code] else 0,
        )
        for t in turned
    ]  # fmt: skip


def _readings(study: Study, base: Codebook, book: Codebook, before: Meanings, after: Meanings) -> int:
    """Blind readings that are a full word on fewer of the codes still in use than before."""
    stays = {c.id for c in base.active_codes} & {c.id for c in book.codes}
    retired = {c.id for c in book.codes if c.status is CodeStatus.RETIRED}
    versions = active_codes_by_version(study.db, study.codebook)
    less = [
        v for v, codes in versions.items()
        if (before.whole(v, codes) & stays) - (after.whole(v, codes) - retired)
    ]  # fmt: skip
    rows = study.db.conn.execute(
        "SELECT s.codebook_version AS version, count(DISTINCT s.round || '/' || s.segment) AS n FROM standing s"
        " JOIN rounds r ON r.id = s.round WHERE r.kind = 'counting' AND s.action = 'close' GROUP BY s.codebook_version"
    )
    return sum(row["n"] for row in rows if row["version"] in less)


def _store(
    study: Study, connection: sqlite3.Connection, desk: Desk, plan: Plan, consent: Consent, by: str, now: str
) -> Publication:
    book = plan.book
    round_id = f"review-{len(rounds(study.db)) + 1}" if plan.recodes else ""
    made = Publication(book.id, book.version, desk.base.version, consent.groups, round_id, by, now)
    keep_codebook(connection, book, now)
    add_publication(connection, made, plan.turned)
    set_counts_as(connection, active_codes_by_version(study.db, book.id), meanings(study.db))
    use_version(connection, book.id, book.version)
    if plan.recodes:
        units = list(dict.fromkeys(r.segment for r in plan.recodes))
        drawn = [Draw(i, unit, Stream.RECODE.value, 1.0) for i, unit in enumerate(units, 1)]
        add_round(connection, Round(round_id, "review", "segment", 0, book.id, book.version, now), drawn)
        add_recodes(connection, round_id, plan.recodes)
    remove_draft(connection, desk.held)
    counts = {"codes changed": len(plan.differs.codes), "segments to read again": plan.again}
    add_audit(connection, at=now, actor=by, action="publish codebook", subject=book.version, counts=counts)
    return made
