"""The joint display and the gap map: theme by theme beside indicators, judged by people, and what will change."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from nlp.findings.link import RULES, SILENT, Fit, JointRow, Level, Rule, too_strong
from nlp.text import normalise
from nlp.types import Code, Codebook
from service.errors import FindingError, RecordError
from service.study.codebooks import newest_codebook
from service.study.database import write
from service.study.indicators import listed_indicators
from service.study.joint import Judgement, Promise, add_judgement, add_promise, judgements, promises
from service.study.runs import add_audit
from service.study.study import Study
from service.usecases.findings import joint_display
from service.usecases.kept import kept
from service.usecases.memos import identifiers
from service.usecases.prevalence import ThemeShare, theme_shares
from service.usecases.quote import Released, released

OFTEN = 0.05
"""A theme counts as one that families speak of where surely more than one person in twenty expresses it."""

LONGEST = 2_000
MOST_QUOTED = 3
THEME = "theme."
LINK = "link."


@dataclass(frozen=True, slots=True)
class Judged:
    """The newest judgement; `moved` where the figures are no longer those on which it was made."""

    judgement: Judgement
    moved: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the joint display with its people. `published` and `heard` are the ids of its two numbers, `quotes` what
    was released of its theme."""

    row: JointRow
    code: Code | None
    level: Level
    rule: Rule
    judged: Judged | None
    promise: Promise | None
    published: str
    heard: str
    quotes: tuple[Released, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """A theme that people speak of and no indicator measures; `number` is the id of its share."""

    share: ThemeShare
    number: str
    promise: Promise | None


@dataclass(frozen=True, slots=True)
class GapMap:
    """Silence both ways. `unmeasured`: spoken of, tied to nothing. `unmentioned`: tied, and hardly anybody speaks of it.

    `untied` are the labels of loaded indicators to which no code is tied; `unshown` counts themes whose share may
    not be shown, so that nobody can tell.
    """

    unmeasured: tuple[Gap, ...]
    unmentioned: tuple[Entry, ...]
    untied: tuple[str, ...]
    unshown: int


@dataclass(frozen=True, slots=True)
class Joint:
    """All that the page and its reports show."""

    codebook: Codebook
    entries: tuple[Entry, ...]
    gaps: GapMap
    promise: Promise | None

    def entry(self, link: str) -> Entry:
        """The row of a link; RecordError when there is none."""
        found = next((e for e in self.entries if e.row.link.id == link), None)
        if found is None:
            raise RecordError("no link of that id is loaded")
        return found


def joint(study: Study) -> Joint:
    """The joint display and gap map as they stand; RecordError before any codebook was used."""
    codebook = newest_codebook(study.db)
    rows, shares = kept(study, "joint and shares", lambda: (joint_display(study), theme_shares(study)))
    told, promised = judgements(study.db), promises(study.db)
    out = released(study)
    entries = tuple(_entry(row, codebook, told.get(row.link.id, []), promised, out) for row in rows)
    return Joint(codebook, entries, _gaps(study, entries, shares, promised), promised.get(""))


def _entry(
    row: JointRow, codebook: Codebook, told: Sequence[Judgement], promised: dict[str, Promise], out: Sequence[Released]
) -> Entry:  # fmt: skip
    level, link = Level(row.link.level), row.link
    judged = Judged(told[0], told[0].numbers != numbers_of(row)) if told else None
    code = next((c for c in codebook.codes if c.id == link.code), None)
    return Entry(
        row, code, level, RULES[level], judged, promised.get(link.id),
        f"{LINK}{link.id}.published.{digest(*_published(row))}", f"{LINK}{link.id}.heard.{digest(*_heard(row))}",
        tuple(q for q in out if q.code == link.code and link.stance in ("", q.stance))[:MOST_QUOTED],
    )  # fmt: skip


def _gaps(study: Study, entries: Sequence[Entry], shares: Sequence[ThemeShare], promised: dict[str, Promise]) -> GapMap:
    tied = {e.row.link.code for e in entries}
    free = [s for s in shares if s.code.id not in tied and s.code.parent != "X"]
    often = [s for s in free if s.estimate is not None and s.estimate.low > OFTEN]
    often.sort(key=lambda s: -(s.estimate.share if s.estimate else 0))
    gaps = tuple(Gap(s, theme_number(s), promised.get(THEME + s.code.id)) for s in often)
    silent = tuple(e for e in entries if e.row.estimate is not None and e.row.estimate.high < SILENT)
    labels = {e.row.figure.label for e in entries}
    untied = tuple(i.label for i in listed_indicators(study.db) if i.label not in labels)
    return GapMap(gaps, silent, untied, sum(s.estimate is None for s in free))


def theme_number(share: ThemeShare) -> str:
    """The id of a theme's share, or "" where none is shown."""
    e = share.estimate
    return f"{THEME}{share.code.id}.heard.{digest(e.share, e.low, e.high, e.read, e.loaded)}" if e else ""


def _published(row: JointRow) -> tuple[object, ...]:
    f = row.figure
    return f.source_sha256, f.row, f.label, f.percent, f.count, f.denominator


def _heard(row: JointRow) -> tuple[object, ...]:
    e = row.estimate
    return (e.share, e.low, e.high, e.read, e.loaded) if e else (row.refusal,)


def digest(*parts: object) -> str:
    """Eight hex characters that change with what they stand for."""
    return hashlib.sha256("\x1f".join(map(repr, parts)).encode()).hexdigest()[:8]


def numbers_of(row: JointRow) -> str:
    """Which figures a judgement is made on: both of them, and the version of the link."""
    return digest(row.link.version, *_published(row), *_heard(row))


def judge(study: Study, link: str, *, fit: str, reason: str, took_part: str, numbers: str, by: str, now: str) -> None:
    """A person judges how the two figures stand to each other, with a reason.

    `numbers` are those that the person looked at. FindingError when the reason is missing, says more than the tie
    carries or seems to identify somebody, or when the figures have moved in the meantime.
    """
    entry = joint(study).entry(link)
    if fit not in {str(f) for f in Fit}:
        raise FindingError("Choose how the two stand to each other.")
    if numbers != numbers_of(entry.row):
        raise FindingError("The figures changed while you were judging. Look at them again, then judge.")
    if entry.row.estimate is None and fit not in (Fit.NOT_JUDGED, Fit.SILENCE):
        raise FindingError(
            "Nothing can be said of what was heard yet, so how the two stand to each other cannot be judged."
        )
    words = _checked("The reason", reason, level=entry.level)
    who = _checked("Who took part", took_part, needed=False)
    with write(study.db) as connection:
        add_judgement(connection, Judgement(link, int(entry.row.link.version), fit, words, who, numbers, by, now))
        add_audit(connection, at=now, actor=by, action="judge link", subject=link)


def promise(study: Study, subject: str, *, who_sees: str, what_changes: str, by: str, now: str) -> None:
    """Say who will see a finding and what will change. `subject` is a link's id, `theme.` and a code, or "" for all."""
    found = joint(study)
    known = {""} | {e.row.link.id for e in found.entries} | {THEME + c.id for c in found.codebook.codes}
    if subject not in known:
        raise RecordError("there is nothing of that id to say this about")
    seen, changes = _checked("Who will see this", who_sees), _checked("What will change", what_changes)
    with write(study.db) as connection:
        add_promise(connection, Promise(subject, seen, changes, by, now))
        add_audit(connection, at=now, actor=by, action="judge what changes", subject=subject or "study")


def _checked(what: str, words: str, *, needed: bool = True, level: Level | None = None) -> str:
    """The words as they are kept."""
    held = normalise(words.replace("\r\n", "\n")).text.strip()
    if needed and not held:
        raise FindingError(f"{what} is missing: write it in a sentence or two.")
    if len(held) > LONGEST:
        raise FindingError(f"{what} has {len(held):,} characters and may have {LONGEST:,}.")
    if found := identifiers(held):
        raise FindingError(f"{what} seems to hold {' and '.join(found)}. Take it out: others will read this.")
    if level is not None and (strong := too_strong(level, held)):
        allowed = ", ".join(RULES[level].verbs)
        raise FindingError(
            f"{what} says more than this link carries (“{'”, “'.join(strong)}”). A link of level {level} may say: {allowed}."
        )
    return held
