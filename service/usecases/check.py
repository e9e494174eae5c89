"""Checking de-identification: a random sample read whole, a queue of what was unsure, and the gate to coding.

The sample is a fixed random order over all voices, those in which nothing was found among them, so
that what is read first is a uniform draw whenever one stops.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from nlp.deid.assurance import LeakEstimate, reads_needed
from nlp.deid.evaluate import DIRECT
from nlp.deid.known import find_people, name_parts
from nlp.deid.risk import QuasiIdentifier, quasi_identifiers, smallest_groups
from nlp.deid.surrogates import Ledger, plan_case
from nlp.types import Detection, Label, Span
from service.errors import ConflictError, GateError, StudyError
from service.study.checks import (
    Acceptance,
    Check,
    MadeEdit,
    acceptances,
    add_acceptance,
    add_check,
    sampled,
    stands,
    taken_back,
    unsure_stretches,
)
from service.study.database import write
from service.study.fixes import Edit, moved_span, store_fix
from service.study.runs import add_audit
from service.study.study import Study
from service.study.voices import (
    NewCleanText,
    VoiceRecord,
    all_voices,
    newest_version,
    release_voice,
    voice,
    voices_held,
    voices_in_order,
    voices_of,
    voices_without_clean_text,
)
from service.usecases.kept import kept
from service.vault.keys import Key
from service.vault.store import OffsetPair, Vault

UNSURE_BELOW = 0.6
METHOD = "person"
ORIGINS = ("name origin", "ethnicity", "ethnic group", "heritage", "first language", "language")
CHANGED = "somebody has looked at this one, or changed this person’s texts, since you opened it"


@dataclass(frozen=True, slots=True)
class ToRead:
    """A voice of the sample, or one in another language, with what may single its speaker out.

    `k` is how many participants share all the attributes of this one; 0 where there are none.
    """

    record: VoiceRecord
    clean: NewCleanText
    flags: tuple[QuasiIdentifier, ...]
    k: int


@dataclass(frozen=True, slots=True)
class Unsure:
    """One stretch of a voice's clean text; `words` are the words behind a mask, where the vault still has them."""

    record: VoiceRecord
    clean: NewCleanText
    span: Span
    masked: bool
    label: str
    why: str
    words: str


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether coding may begin, and why.

    `by_voice` has the same estimate for each kind of speaker; `by_origin` for each origin of the speaker's name, where
    the study knows it. `waiting` are voices of the sample that nobody has read, `taken_back` checks that no longer count.
    """

    open: bool
    why: str
    overall: LeakEstimate
    by_voice: Mapping[str, LeakEstimate]
    limit: float
    still_to_read: int
    unsure: int
    held: int
    by_origin: Mapping[str, LeakEstimate]
    waiting: int
    taken_back: int


def gate(study: Study) -> Gate:
    """Where the study's check stands. Studies of fictional people are open: there is nobody to protect."""
    read = sampled(study.db)
    overall = _estimate(missed for _, _, missed in read)
    by_voice = _by((speaker, missed) for _, speaker, missed in read)
    by_origin = _by((origin_of(voice(study.db, id_)), missed) for id_, _, missed in read)
    accepted = acceptances(study.db)
    is_open, why = _verdict(study, overall, accepted[-1] if accepted else None)
    needed = 0 if is_open else max(0, reads_needed(study.leak_limit, overall.leaking) - overall.read)
    return Gate(
        is_open, why, overall, by_voice, study.leak_limit, needed, len(unsure_stretches(study.db, UNSURE_BELOW)),
        len(voices_held(study.db)), by_origin, len(_unread(study)), taken_back(study.db),
    )  # fmt: skip


def _by(read: Iterable[tuple[str, int]]) -> dict[str, LeakEstimate]:
    groups: dict[str, list[int]] = defaultdict(list)
    for group, missed in read:
        groups[group].append(missed)
    return {group: _estimate(groups[group]) for group in sorted(groups) if group}


def origin_of(record: VoiceRecord) -> str:
    """Where the speaker's name is from, as the study's own files have it; empty where they don't say."""
    known = {name.casefold().strip(): value for name, value in record.attributes.items()}
    return next((known[name] for name in ORIGINS if known.get(name)), "")


def _verdict(study: Study, overall: LeakEstimate, accepted: Acceptance | None) -> tuple[bool, str]:
    if study.fictional:
        return True, "The people in this study are fictional."
    if overall.read and overall.upper <= study.leak_limit:
        return True, "The bound is under the study’s limit."
    if accepted is not None:
        return True, f"{accepted.person} accepted the risk in writing on {accepted.at[:10]}."
    return False, "The bound is not yet under the study’s limit, and nobody has accepted the risk in writing."


def _estimate(missed: Iterable[int]) -> LeakEstimate:
    counts = list(missed)
    return LeakEstimate(len(counts), sum(n > 0 for n in counts), sum(counts))


def require_open(study: Study) -> None:
    """GateError while nobody may code yet."""
    accepted = acceptances(study.db)
    overall = _estimate(missed for _, _, missed in sampled(study.db))
    is_open, why = _verdict(study, overall, accepted[-1] if accepted else None)
    if not is_open:
        raise GateError(
            f"nobody may code yet. {why} Read the sample with “heard deid-check {study.name} --checker NAME”"
            " or accept the risk with --accept-risk REASON."
        )


def accept_risk(study: Study, *, person: str, reason: str, now: str) -> None:
    """A named person opens the gate in writing; StudyError without a name or a reason."""
    if not person.strip() or not reason.strip():
        raise StudyError("accepting the risk takes a name and a reason")
    overall = gate(study).overall
    accepted = Acceptance(person.strip(), reason.strip(), overall.read, overall.upper, study.leak_limit, now)
    with write(study.db) as connection:
        add_acceptance(connection, accepted)
        add_audit(
            connection, at=now, actor=person, action="accept risk", subject=study.id, counts={"read": overall.read}
        )


def next_in_sample(study: Study) -> ToRead | None:
    """The next voice of the random order that nobody has read; None when all are read."""
    first = min(_unread(study), key=lambda v: _place(study, v), default=None)
    return None if first is None else to_read(study, first)


def _unread(study: Study) -> list[str]:
    done = {voice_id for voice_id, _, _ in sampled(study.db)}
    passed = {*done, *voices_without_clean_text(study.db), *voices_held(study.db)}
    return [v for v in voices_in_order(study.db) if v not in passed]


def _place(study: Study, voice_id: str) -> str:
    return sha256(f"{study.id}/{voice_id}".encode()).hexdigest()


def next_held(study: Study) -> ToRead | None:
    """The next voice that waits for a person because of its language."""
    return next((to_read(study, v) for v in voices_held(study.db)), None)


def to_read(study: Study, voice_id: str) -> ToRead:
    """A voice as it now stands; RecordError when it is not there or not de-identified."""
    record, clean = voice(study.db, voice_id), newest_version(study.db, voice_id)
    shared = kept(study, "k", lambda: _sharing(study), decided=False)
    return ToRead(record, clean, tuple(quasi_identifiers(clean.text)), shared.get(record.participant, 0))


def _sharing(study: Study) -> dict[str, int]:
    return smallest_groups({v.participant: _attributes(v) for v in all_voices(study.db)})


def _attributes(record: VoiceRecord) -> dict[str, str]:
    named = {"voice": record.voice, "age_band": record.age_band, "area": record.area, **record.attributes}
    return {name: value for name, value in named.items() if value not in ("", "unknown")}


def next_unsure(study: Study, key: Key, after: frozenset[tuple[str, int, int]] = frozenset()) -> Unsure | None:
    """The stretch that most needs a look, apart from those in `after`; None when none is left."""
    places = (p for p in unsure_stretches(study.db, UNSURE_BELOW) if p not in after)
    place = next(places, None)
    return None if place is None else unsure_at(study, key, *place)


def unsure_places(study: Study) -> list[tuple[str, int, int]]:
    """Voice, start and end of every stretch that waits for a look, the most needful first."""
    return unsure_stretches(study.db, UNSURE_BELOW)


def unsure_at(study: Study, key: Key, voice_id: str, start: int, end: int, version: int = 0) -> Unsure:
    """The stretch at a place of the queue; ConflictError when nothing is unsure there any more, or the text, if its
    version is given, is another by now."""
    clean = newest_version(study.db, voice_id)
    if version not in (0, clean.version):
        raise ConflictError(CHANGED)
    mask = next((r for r in clean.redactions if (r.start, r.end) == (start, end)), None)
    record = voice(study.db, voice_id)
    if mask is None:
        doubt = next((d for d in clean.doubts if (d.start, d.end) == (start, end)), None)
        if doubt is None:
            raise ConflictError(CHANGED)
        return Unsure(record, clean, Span(start, end), masked=False, label=doubt.label, why=doubt.why, words="")
    with Vault(study.vault_file, key, study.id) as vault:
        words = behind(vault, clean, Span(start, end))
    return Unsure(record, clean, Span(start, end), masked=True, label=mask.label, why=mask.why, words=words)


def behind(vault: Vault, clean: NewCleanText, mask: Span) -> str:
    """The raw words behind a mask; empty once they are purged."""
    raw = vault.texts([clean.voice]).get(clean.voice, "")
    for start, end, clean_start, clean_end in vault.offset_map(clean.voice, clean.version):
        if (clean_start, clean_end) == (mask.start, mask.end):
            return raw[start:end]
    return ""


def record_reading(
    study: Study, key: Key, item: ToRead, *, missed: Sequence[tuple[str, Label]], rejected: Sequence[Span],
    checker: str, now: str,
) -> int:  # fmt: skip
    """A person has read a voice whole: mask what was missed, here and in the person's other voices, and show again
    what was masked for nothing. How many voices changed. StudyError when the missed words are not in the text;
    ConflictError when somebody has read it or changed it in the meantime."""
    for words, _ in missed:
        if not places_of(item.clean.text, words):
            raise StudyError("those words are not in the text as it stands; nothing was changed")
    part = "language" if item.clean.held else "sample"
    direct = sum(label in DIRECT for _, label in missed)
    check = Check(
        item.record.id, item.clean.version, part, direct, len(rejected), checker, now, held=item.clean.held
    )  # fmt: skip
    return _record(study, key, item.record, check, missed, rejected)


def record_unsure(study: Study, key: Key, item: Unsure, *, mask: bool, checker: str, now: str) -> int:
    """A person has looked at one stretch: it is masked from now on, or shown. How many voices changed. ConflictError
    when somebody has looked at it or changed the text in the meantime."""
    missed = [(item.span.of(item.clean.text), Label(item.label))] if mask and not item.masked else []
    rejected = [item.span] if item.masked and not mask else []
    check = Check(
        item.record.id, item.clean.version, "unsure", sum(label in DIRECT for _, label in missed), len(rejected), checker,
        now, item.span.start, item.span.end,
    )  # fmt: skip
    return _record(study, key, item.record, check, missed, rejected)


def _record(
    study: Study, key: Key, record: VoiceRecord, check: Check, missed: Sequence[tuple[str, Label]],
    rejected: Sequence[Span],
) -> int:  # fmt: skip
    """Fix what was found and note the check; how many voices changed."""
    if newest_version(study.db, record.id).version != check.version or stands(study.db.conn, check):
        raise ConflictError(CHANGED)
    made = _fix(study, key, record, missed, {record.id: rejected}, check.checker, check.at)
    with write(study.db) as connection:
        if stands(connection, check):
            raise ConflictError(CHANGED)
        add_check(connection, check, made)
        if check.held:
            release_voice(connection, record.id)
    return len({(e.voice, e.version) for e in made})


def _fix(
    study: Study, key: Key, record: VoiceRecord, missed: Sequence[tuple[str, Label]],
    rejected: Mapping[str, Sequence[Span]], checker: str, now: str,
) -> list[MadeEdit]:  # fmt: skip
    """New versions of a person's clean texts: missed words masked wherever they stand, rejected masks opened."""
    voices = [newest_version(study.db, v) for v in voices_of(study.db, record.participant)]
    made: list[MadeEdit] = []
    with Vault(study.vault_file, key, study.id) as vault:
        kept = vault.ledgers([record.participant]).get(record.participant, {})
        ledger = Ledger(key.derive(f"surrogates/{study.id}"), record.participant, kept)
        masks = [_masks(clean, missed) for clean in voices]
        plans = plan_case([clean.text for clean in voices], masks, ledger)
        vault.put_ledgers({record.participant: ledger.known})
        for clean, plan in zip(voices, plans, strict=True):
            edits = [Edit(r.start, r.end, r.surrogate, r.label, METHOD, r.why) for r in plan]
            edits += [_opened(vault, clean, span) for span in rejected.get(clean.voice, ())]
            if edits:
                moved = store_fix(study.db, clean, edits, checker=checker, now=now)
                vault.put_offset_maps([(clean.voice, _pairs(vault, clean, edits, moved))], clean.version + 1)
                made += [_made(clean, edit, place) for edit, place in zip(edits, moved, strict=True)]
    return made


def _made(clean: NewCleanText, edit: Edit, place: Span) -> MadeEdit:
    stood = clean.text[edit.start : edit.end] if edit.label is None else ""
    return MadeEdit(clean.voice, clean.version + 1, place.start, place.end, stood)


def _opened(vault: Vault, clean: NewCleanText, span: Span) -> Edit:
    words = behind(vault, clean, span)
    if not words:
        raise StudyError("the raw words are purged, so this mask cannot be opened any more")
    return Edit(span.start, span.end, words)


def _masks(clean: NewCleanText, missed: Sequence[tuple[str, Label]]) -> list[Detection]:
    """Where the missed words stand outside surrogates; a name also where a part of it stands."""
    found: dict[int, Detection] = {}
    for words, label in missed:
        spans = places_of(clean.text, words)
        if label is Label.PERSON:
            spans += [Span(d.start, d.end) for d in find_people(clean.text, name_parts([words]), why="")]
        for span in spans:
            if not any(span.start < r.end and r.start < span.end for r in clean.redactions):
                longest = max(span.end, found[span.start].end if span.start in found else 0)
                found[span.start] = Detection(span.start, longest, label, 1.0, METHOD, "marked by a person")
    return _apart(sorted(found.values(), key=lambda d: d.start))


def _apart(found: Iterable[Detection]) -> list[Detection]:
    kept: list[Detection] = []
    for detection in found:
        if not kept or detection.start >= kept[-1].end:
            kept.append(detection)
    return kept


def places_of(text: str, words: str) -> list[Span]:
    """Every place where the words stand as words, in any case."""
    shape = re.compile(rf"(?<!\w){re.escape(words)}(?!\w)", re.IGNORECASE)
    return [Span(m.start(), m.end()) for m in shape.finditer(text)] if words.strip() else []


def words_at(clean: NewCleanText, start: int, end: int) -> Span | None:
    """The whole words that a selection touches; None when there are none, or some of them are masked."""
    text = clean.text
    inside = [i for i in range(max(0, start), min(end, len(text))) if _in_word(text[i])]
    if not inside:
        return None
    first, last = inside[0], inside[-1] + 1
    while first and _in_word(text[first - 1]):
        first -= 1
    while last < len(text) and _in_word(text[last]):
        last += 1
    span = Span(first, last)
    masked = any(span.start < r.end and r.start < span.end for r in clean.redactions)
    return None if masked or span not in places_of(text, span.of(text)) else span


def _in_word(ch: str) -> bool:
    return ch.isalnum() or ch == "_"


def _pairs(vault: Vault, clean: NewCleanText, edits: Sequence[Edit], moved: Sequence[Span]) -> list[OffsetPair]:
    """The way back from the new version: what was masked before, less what was opened, with what is masked now."""
    old = vault.offset_map(clean.voice, clean.version)
    pairs = [
        (a, b, *moved_span(edits, c, d)) for a, b, c, d in old if not any(e.start == c and e.end == d for e in edits)
    ]
    for edit, place in zip(edits, moved, strict=True):
        if edit.label is not None:
            pairs.append((_source(old, edit.start), _source(old, edit.end), place.start, place.end))
    return sorted(pairs)


def _source(old: Sequence[OffsetPair], place: int) -> int:
    """A place in the clean text that no surrogate covers, in the raw text."""
    before = [b - d for _, b, _, d in old if d <= place]
    return place + (before[-1] if before else 0)
