"""Intake: a file becomes voices. Raw words go to the vault, everything else to the study, or nothing does."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from nlp.types import Voice
from service.errors import InputError
from service.files.mapping import Profile, Source, choose_profile
from service.files.tables import Row, Table, read_table
from service.files.workbooks import EXCEL_CELL_LIMIT
from service.study.database import write
from service.study.runs import Run, add_audit, add_run, new_run_id
from service.study.study import Study
from service.study.voices import VoiceRecord, add_voices, known_voices, voices_without_clean_text
from service.usecases.answers import Answer, Records, answers, open_rows
from service.vault.keys import Key
from service.vault.store import RawVoice, Vault

METHOD = "intake.v1"


@dataclass(frozen=True, slots=True)
class IntakeReport:
    """What came of a file. `blank` counts empty answers; `known` those that were already in the study."""

    run: str
    profile: str
    rows: int
    voices: int
    blank: int
    confidential: int
    known: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Taken:
    row: int
    record: VoiceRecord
    raw: RawVoice


def take_in(
    study: Study, file: Path, key: Key, *, now: str, keep_raw_days: int, actor: str, profile: Path | None = None,
    text_column: str | None = None,
    speaker: str = "",
) -> IntakeReport:  # fmt: skip
    """Read a file into the study. InputError leaves both stores as they were.

    The raw words are sealed first: a crash in between leaves sealed words that the next intake of
    the same file replaces and that the purge date removes.
    """
    table = read_table(file)
    chosen = choose_profile(table, profile=profile, text_column=text_column)
    if speaker:
        chosen = chosen.model_copy(update={"voice": Source(fixed=speaker)})
    return take_in_table(
        study, table, chosen, key, input_hash=_sha256(file), now=now, keep_raw_days=keep_raw_days, actor=actor
    )


def take_in_table(
    study: Study, table: Table, chosen: Profile, key: Key, *, input_hash: str, now: str, keep_raw_days: int, actor: str
) -> IntakeReport:  # fmt: skip
    """Read a table into the study as a profile says; `input_hash` stands for the file that it came from."""
    run_id = new_run_id("intake", now)
    purge_on = (date.fromisoformat(now[:10]) + timedelta(days=keep_raw_days)).isoformat()
    scope = chosen.name if chosen.record_id else input_hash
    rows, read = 0, 0
    taken: list[_Taken] = []
    cut: list[str] = []
    records = Records(table, chosen)
    for row, may_be_read in open_rows(table, chosen):
        records.check(row)
        rows, read = rows + 1, read + may_be_read
        cut += _cut_cells(row)
        if may_be_read:
            taken += [_taken(a, key, scope, run_id, purge_on) for a in answers(table, chosen, row)]
    known = known_voices(study.db, (t.record.id for t in taken))
    _refuse_changed(table, chosen, taken, known)
    new = [t for t in taken if t.record.id not in known]
    waiting = set(voices_without_clean_text(study.db))
    report = IntakeReport(
        run=run_id,
        profile=chosen.name,
        rows=rows,
        voices=len(new),
        blank=read * len(chosen.texts) - len(taken),
        confidential=rows - read,
        known=len(known),
        notes=(*table.notes, *cut, *_remarks(chosen)),
    )
    with Vault(study.vault_file, key, study.id) as vault:
        vault.purge(now[:10])
        vault.put([t.raw for t in taken if t.record.id not in known or t.record.id in waiting])
    _store(study, new, report, run_id=run_id, input_hash=input_hash, now=now, actor=actor)
    return report


def _store(
    study: Study, new: Sequence[_Taken], report: IntakeReport, *, run_id: str, input_hash: str, now: str, actor: str
) -> None:
    counts = {"rows": report.rows, "voices": report.voices, "blank": report.blank, "confidential": report.confidential}
    run = Run(run_id, "intake", f"{METHOD}/{report.profile}", "", study.codebook, "", input_hash, counts, now, now)
    with write(study.db) as connection:
        add_run(connection, run)
        add_voices(connection, [t.record for t in new])
        add_audit(connection, at=now, actor=actor, action="intake", subject=run_id, counts=counts)


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _refuse_changed(table: Table, profile: Profile, taken: Sequence[_Taken], known: Mapping[str, str]) -> None:
    """A record id that is already here with other words is another record, or a corrected one: never guess."""
    for t in taken:
        if t.record.id in known and known[t.record.id] != t.record.digest:
            problem = "a record of this id was taken in before with other words; give this file's records other ids"
            raise InputError(file=table.file, row=t.row, field=profile.record_id, problem=problem)


def _remarks(profile: Profile) -> Iterator[str]:
    if not profile.record_id:
        yield "The file has no record ids: each row counts as a person, and a corrected file would come in as new rows."
    if not profile.voice.column and profile.voice.fixed == Voice.UNKNOWN:
        yield "Nothing says who speaks: these voices can be read and coded but not counted as people's. Give --voice."


def _cut_cells(row: Row) -> Iterator[str]:
    for column, words in row.cells.items():
        if len(words) == EXCEL_CELL_LIMIT:
            yield f"Row {row.number}, column “{column}”: Excel cuts cells at 32,767 characters; the end may be missing."


def voice_id_of(key: Key, scope: str, record: str, column: str) -> str:
    """The id of the voice that an answer becomes: the same whenever it comes."""
    return key.pseudonym("v", scope, record, column)


def _taken(answer: Answer, key: Key, scope: str, run_id: str, purge_on: str) -> _Taken:
    voice_id = voice_id_of(key, scope, answer.record, answer.column)
    voice = VoiceRecord(
        id=voice_id,
        participant=key.pseudonym("p", scope, answer.person),
        voice=answer.voice,
        via=answer.via,
        provenance=answer.provenance,
        consent=answer.consent,
        question=answer.question,
        age_band=answer.age_band,
        area=answer.area,
        period=answer.period,
        attributes=answer.attributes,
        intake=run_id,
        position=answer.position,
        digest=key.pseudonym("t", answer.words),
    )
    raw = RawVoice(voice_id, answer.words, answer.record, answer.person, purge_on, answer.known)
    return _Taken(answer.row, voice, raw)
