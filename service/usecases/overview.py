"""A study's first page: what came in, what is protected, how far reading is, who is heard, and what to do next."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from nlp.findings.disclosure import Shown, shown_count
from nlp.types import Voice
from service.errors import RecordError
from service.study.candidates import newest_discovery, open_candidates
from service.study.codebooks import newest_codebook
from service.study.flags import DISCUSS, flags
from service.study.sealed import without_others
from service.study.standing import (
    LANGUAGE,
    Counts,
    RoundCounts,
    counts,
    heard_by,
    language_attribute,
    read_by,
    round_counts,
    voices_begun,
)
from service.study.study import Study
from service.usecases.check import Gate, gate
from service.usecases.kept import kept
from service.usecases.progress import Progress, progress

NOT_SHOWN = Shown(None, "not shown")
OWN_VOICES = (Voice.CHILD, Voice.YOUNG_PERSON, Voice.PARENT_CARER)
UNKNOWN = ("", "unknown")
MOST_UNREAD = 6


@dataclass(frozen=True, slots=True)
class Group:
    """How much is heard of one kind of people, small counts left out; `read` are people with a text that was read."""

    name: str
    voices: Shown
    people: Shown
    read: Shown


@dataclass(frozen=True, slots=True)
class Missing:
    """Who is not heard. `gap` is "silent" (nobody came in), "unread" (nobody is read) or "unknown" (nobody can tell)."""

    gap: str
    dimension: str
    name: str


@dataclass(frozen=True, slots=True)
class Step:
    """What would help most now: `key` says what, `count` how many, and `round` in which round."""

    key: str
    count: int = 0
    round: str = ""


@dataclass(frozen=True, slots=True)
class StudyOverview:
    """Where a study stands. `progress` is None before the first suggestions."""

    counts: Counts
    gate: Gate
    rounds: tuple[RoundCounts, ...]
    heard: Mapping[str, tuple[Group, ...]]
    missing: tuple[Missing, ...]
    progress: Progress | None


def study_overview(study: Study) -> StudyOverview:
    """Everything for the first page; zeros before anything came in."""
    return kept(study, "overview", lambda: _overview(study))


def _overview(study: Study) -> StudyOverview:
    heard = _heard(study)
    return StudyOverview(
        kept(study, "counts", lambda: counts(study.db), decided=False),
        kept(study, "gate", lambda: gate(study), decided=False),
        tuple(round_counts(study.db)), heard, tuple(_missing(heard)), _progress(study),
    )  # fmt: skip


def _progress(study: Study) -> Progress | None:
    try:
        newest_codebook(study.db)
    except RecordError:
        return None
    return progress(study)


def _heard(study: Study) -> dict[str, tuple[Group, ...]]:
    language = kept(study, "language attribute", lambda: language_attribute(study.db), decided=False)
    found, begun = {}, voices_begun(study.db)
    for dimension in ("voice", "age_band", "area", *([LANGUAGE] if language else [])):
        by = kept(study, f"heard by {dimension}", lambda d=dimension: heard_by(study.db, d, language), decided=False)  # type: ignore[misc]
        found[dimension] = _groups(by, read_by(study.db, dimension, language, begun), apart=dimension != "voice")
    return found


def _groups(by: Mapping[str, tuple[int, int]], read: Mapping[str, int], *, apart: bool) -> tuple[Group, ...]:
    """Groups by name. Where they lie `apart`, a lone small one could be had from the total: then the next goes too."""
    people = {name: shown_count(n) for name, (_, n) in by.items()}
    small = [name for name, shown in people.items() if shown.value is None]
    rest = sorted((n, name) for name, (_, n) in by.items() if people[name].value)
    if apart and len(small) == 1 and rest:
        people[rest[0][1]] = NOT_SHOWN
    return tuple(_group(name, by[name][0], people[name], read.get(name, 0)) for name in sorted(by))


def _group(name: str, voices: int, people: Shown, read: int) -> Group:
    if people.value is None:
        return Group(name, Shown(None, people.words), people, shown_count(0) if not read else people)
    return Group(name, shown_count(voices), people, shown_count(read))


def _missing(heard: Mapping[str, Sequence[Group]]) -> list[Missing]:
    """Who is not heard: speakers of whom nobody came in, then groups of whom nobody is read, then what is not known."""
    names = {group.name for group in heard["voice"]}
    if not names:
        return []
    silent = [Missing("silent", "voice", voice) for voice in OWN_VOICES if voice not in names]
    people = {d: [g for g in groups if d != "voice" or g.name in OWN_VOICES] for d, groups in heard.items()}
    known = [(d, g) for d, groups in people.items() for g in groups if g.name not in UNKNOWN]
    begun = any(g.read.value != 0 for _, g in known)
    unread = [Missing("unread", d, g.name) for d, g in known if begun and g.read.value == 0]
    unknown = [Missing("unknown", d, "") for d, groups in heard.items() if any(g.name in UNKNOWN for g in groups)]
    return [*silent, *unread[:MOST_UNREAD], *unknown]


def next_steps(study: Study, seen: StudyOverview, person: str) -> list[Step]:
    """What would help, most useful first; the last is always to look at what was found."""
    if not seen.counts.voices:
        return [Step("intake")]
    steps = [
        Step("deidentify", seen.counts.waiting) if seen.counts.waiting else None,
        Step("language", seen.counts.held) if seen.counts.held else None,
        None if seen.gate.open else Step("check", seen.gate.still_to_read),
        Step("suggest", seen.counts.unmatched) if seen.counts.unmatched and seen.gate.open else None,
        *_reading(seen.rounds, ready=seen.gate.open and not seen.counts.unmatched),
        _to_discuss(study, person),
        *_themes(study, seen),
        Step("findings"),
    ]
    return [step for step in steps if step is not None]


def _reading(rounds: Collection[RoundCounts], *, ready: bool) -> list[Step]:
    if not ready:
        return []
    if not any(r.kind == "counting" for r in rounds):
        return [Step("draw counting")]
    going = [r for r in rounds if not r.ended and r.whole < r.units]
    steps = [Step(f"read {r.unit}", r.units - r.whole, r.id) for r in reversed(going) if r.kind == "counting"]
    if not any(r.kind == "review" for r in rounds):
        steps.append(Step("draw review"))
    return steps + [Step("review", r.units - r.whole, r.id) for r in reversed(going) if r.kind == "review"]


def _to_discuss(study: Study, person: str) -> Step | None:
    open_ = [f for f in flags(study.db, DISCUSS) if not f.ended_at]
    sealed = without_others(study.db, person, sorted({f.segment for f in open_ if f.by != person}))
    count = sum(f.by == person or f.segment not in sealed for f in open_)
    return Step("discuss", count) if count else None


def _themes(study: Study, seen: StudyOverview) -> list[Step]:
    if not seen.counts.silent or seen.counts.unmatched:
        return []
    found = newest_discovery(study.db)
    if found is None:
        return [Step("discover", seen.counts.silent)]
    waiting = len(open_candidates(study.db, found.id))
    return [Step("candidates", waiting)] if waiting else []
