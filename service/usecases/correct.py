"""A corrected file: new words for records that are here. Codings stay where their words do, and the others are listed.

The raw words are replaced in the vault in the same breath as the clean ones in the study; until then nothing is changed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from nlp.deid.cascade import Deidentifier
from nlp.deid.language import Language
from nlp.deid.marked import MarkedDetector
from nlp.realign import realign
from nlp.themes.queue import Stream
from nlp.types import CleanText, Label, Span
from service.files.mapping import Profile
from service.files.tables import Table
from service.study.codebooks import newest_codebook
from service.study.corrections import Unkept, add_unkept, again_in, store_correction
from service.study.database import write
from service.study.decisions import Draw, Round, add_round, rounds
from service.study.publications import Recode, add_recodes
from service.study.runs import add_audit, new_run_id
from service.study.study import Study
from service.study.vectors import forget_vectors
from service.study.voices import newest_version, update_voices, voice, voices_of, voices_without_clean_text
from service.usecases.check import METHOD, behind
from service.usecases.deidentify import BATCH, Progress, offsets_of, read_beside, to_store
from service.usecases.intake import IntakeReport, ReadIn, Taken, purge_date, read_in, store_new
from service.usecases.passport import require_intake
from service.vault.keys import Key
from service.vault.store import Vault

WHY = "a corrected file changed its words"


@dataclass(frozen=True, slots=True)
class CorrectReport:
    """What came of a corrected file. `unkept` codings were taken back; `round` reads again those that no counting round
    does (empty where there are none). `look_again` are voices in which people had masked words that are purged by now."""

    intake: IntakeReport
    unkept: tuple[Unkept, ...] = ()
    round: str = ""
    look_again: tuple[str, ...] = ()


@dataclass(slots=True)
class _Redone:
    """New words of voices, de-identified and not stored yet."""

    texts: dict[str, tuple[CleanText, Language]] = field(default_factory=dict)
    look_again: list[str] = field(default_factory=list)


def correct_table(
    study: Study, table: Table, chosen: Profile, key: Key, deidentifier: Deidentifier, *, input_hash: str, now: str,
    keep_raw_days: int, actor: str, progress: Progress,
) -> CorrectReport:  # fmt: skip
    """Take in a table whose records may be here with other words. InputError, with nothing changed, where a record has
    no id or was another person's."""
    until = purge_date(now, keep_raw_days, require_intake(study, actor=actor, now=now))
    run = new_run_id("intake", now)
    read = read_in(
        study, table, chosen, key, input_hash=input_hash, run_id=run, purge_on=until, correct=True
    )  # fmt: skip
    waiting = set(voices_without_clean_text(study.db))
    changed = {t.record.id: t for t in read.corrected if t.record.id not in waiting}
    with Vault(study.vault_file, key, study.id) as vault:
        vault.purge(now[:10])
        redone = _redo(study, key, vault, deidentifier, changed, progress)
        with write(study.db) as connection:
            store_new(connection, study, read, run_id=run, input_hash=input_hash, now=now, actor=actor)
            update_voices(connection, [t.record for t in (*read.corrected, *read.updated)])
            report = _store(study, connection, read, redone, run=run, by=actor, now=now)
            _seal(vault, study, read, waiting, redone)
    return report


def _redo(
    study: Study, key: Key, vault: Vault, deidentifier: Deidentifier, changed: Mapping[str, Taken], progress: Progress
) -> _Redone:
    """De-identify new words beside what their people said before, with all that people had masked by hand."""
    redone, marks = _Redone(), dict[str, dict[str, Label]]()
    people = list(dict.fromkeys(t.record.participant for t in changed.values()))
    for person in people:
        marks[person], unread = _marked(study, key, vault, person)
        redone.look_again += [v for v in unread if v in changed]
    for some in _together(marks):
        batch = {v: t.record.participant for v, t in changed.items() if t.record.participant in some}
        marked = marks[next(iter(some))]
        cascade = deidentifier.with_detector(MarkedDetector(marked)) if marked else deidentifier
        redone.texts |= read_beside(study, key, vault, cascade, batch, {v: changed[v].raw for v in batch})
        progress(len(redone.texts), len(changed))
    return redone


def _together(marks: Mapping[str, Mapping[str, Label]]) -> Iterator[set[str]]:
    """People, a few at a time; each alone for whom words were masked by hand, since those are masked for them only."""
    plain = [person for person, marked in marks.items() if not marked]
    for start in range(0, len(plain), BATCH):
        yield set(plain[start : start + BATCH])
    for person, marked in marks.items():
        if marked:
            yield {person}


def _marked(study: Study, key: Key, vault: Vault, person: str) -> tuple[dict[str, Label], list[str]]:
    """What people masked by hand in a person's voices, and the voices whose words behind such masks are gone."""
    marked: dict[str, Label] = {}
    unread: list[str] = []
    for voice_id in voices_of(study.db, person):
        clean = newest_version(study.db, voice_id)
        masks = [r for r in clean.redactions if r.detector == METHOD]
        raw = vault.texts([voice_id]).get(voice_id, "") if masks else ""
        if masks and key.pseudonym("t", raw) != voice(study.db, voice_id).digest:
            unread.append(voice_id)
            continue
        words = ((behind(vault, clean, Span(r.start, r.end)), Label(r.label)) for r in masks)
        marked |= {w: label for w, label in words if w.strip()}
    return marked, unread


def _store(
    study: Study, connection: sqlite3.Connection, read: ReadIn, redone: _Redone, *, run: str, by: str, now: str
) -> CorrectReport:  # fmt: skip
    unkept: list[Unkept] = []
    for voice_id, (text, language) in redone.texts.items():
        before = newest_version(study.db, voice_id)
        clean = replace(to_store(voice_id, text, language), version=before.version + 1)
        unkept += store_correction(connection, clean, realign(before.text, clean.text), run=run, by=by, now=now)
    if redone.texts:
        forget_vectors(connection)
    round_id = _recode(study, connection, [u for u in unkept if not u.again], now)
    listed = again_in(unkept, round_id)
    add_unkept(connection, run, listed)
    counts = {"corrected": read.report.corrected, "updated": read.report.updated, "codings not kept": len(listed)}
    add_audit(connection, at=now, actor=by, action="correct", subject=run, counts=counts)
    return CorrectReport(read.report, tuple(listed), round_id, tuple(redone.look_again))


def _recode(study: Study, connection: sqlite3.Connection, unkept: Sequence[Unkept], now: str) -> str:
    """A review round that reads again what has words left; its name, empty where there is nothing to read."""
    rows = connection.execute('SELECT id FROM segments WHERE "end" > start ORDER BY rowid') if unkept else ()
    lost = {u.segment for u in unkept}
    units = [row["id"] for row in rows if row["id"] in lost]
    if not units:
        return ""
    book, name = newest_codebook(study.db), f"review-{len(rounds(study.db)) + 1}"
    drawn = [Draw(i, unit, Stream.RECODE.value, 1.0) for i, unit in enumerate(units, 1)]
    add_round(connection, Round(name, "review", "segment", 0, book.id, book.version, now), drawn)
    pairs = dict.fromkeys((u.segment, u.code) for u in unkept if u.segment in units)
    add_recodes(connection, name, [Recode(segment, code, WHY) for segment, code in pairs])
    return name


def _seal(vault: Vault, study: Study, read: ReadIn, waiting: set[str], redone: _Redone) -> None:
    """The raw words of what is new, what waits and what has other words, and the ways back from its new version."""
    sealed = {t.record.id for t in (*read.new, *read.corrected)} | waiting
    for voice_id, (text, _) in redone.texts.items():
        version = newest_version(study.db, voice_id).version
        vault.put_offset_maps([(voice_id, offsets_of(text))], version)
    vault.put([t.raw for t in read.taken if t.record.id in sealed])
