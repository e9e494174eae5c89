"""Intake: a file becomes voices. Raw words go to the vault, everything else to the study, or nothing does."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from nlp.types import Voice
from service.errors import InputError
from service.files.choose import choose_profile
from service.files.mapping import Profile, Source
from service.files.tables import Table, read_table
from service.study.database import write
from service.study.passports import Passport
from service.study.runs import Run, add_audit, add_run, new_run_id
from service.study.study import Study
from service.study.voices import VoiceRecord, add_voices, known_voices, voices_without_clean_text
from service.study.withdrawals import withdrawn
from service.usecases.answers import Answer, Records, answers, open_rows
from service.usecases.passport import require_intake
from service.usecases.signs import signs_in
from service.vault.keys import Key
from service.vault.store import RawVoice, Vault

METHOD = "intake.v1"
ALIKE_AS = "nearly the same words as"


@dataclass(frozen=True, slots=True)
class IntakeReport:
    """What came of a file. `blank` counts empty answers; `known` those that were already in the study.

    `columns` says what becomes of each column. In a corrected file `corrected` of the known ones have other words, and
    `updated` the same words and something else said beside them.
    """

    run: str
    profile: str
    rows: int
    voices: int
    blank: int
    confidential: int
    known: int
    notes: tuple[str, ...]
    columns: tuple[tuple[str, str], ...] = ()
    corrected: int = 0
    updated: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Taken:
    """An answer of a file as it is stored: what is known of it, and its raw words. It has no repr: nothing shows them."""

    row: int
    record: VoiceRecord
    raw: RawVoice


@dataclass(frozen=True, slots=True)
class ReadIn:
    """A table that was read whole, with nothing stored yet; `known` are those of its voices that the study has."""

    taken: list[Taken]
    known: Mapping[str, VoiceRecord]
    report: IntakeReport

    @property
    def new(self) -> list[Taken]:
        """What the study does not have."""
        return [t for t in self.taken if t.record.id not in self.known]

    @property
    def corrected(self) -> list[Taken]:
        """What the study has with other words."""
        return [t for t in self._again() if self.known[t.record.id].digest != t.record.digest]

    @property
    def updated(self) -> list[Taken]:
        """What the study has with the same words and other particulars."""
        same = (t for t in self._again() if self.known[t.record.id].digest == t.record.digest)
        return [t for t in same if _particulars(self.known[t.record.id]) != _particulars(t.record)]

    def _again(self) -> list[Taken]:
        return [t for t in self.taken if t.record.id in self.known]


def _particulars(record: VoiceRecord) -> VoiceRecord:
    """All but what says when it came in and what its words are."""
    return replace(record, intake="", position=0, digest="", attributes=dict(record.attributes))


def look_at(
    study: Study, file: Path, *, profile: Path | None = None, text_column: str | None = None, speaker: str = "",
    mend_letters: bool = False,
) -> tuple[Table, Profile]:  # fmt: skip
    """A file as a table, with what its columns mean: by a profile, or by what the file looks like."""
    table = read_table(file)
    chosen = choose_profile(table, profile=profile, text_column=text_column, saved=profiles_of(study))
    changed: dict[str, object] = {"voice": Source(fixed=speaker)} if speaker else {}
    return table, chosen.model_copy(update={**changed, **({"mend_letters": True} if mend_letters else {})})


def profiles_of(study: Study) -> Path:
    """Where a study keeps the mapping profiles that were saved in it."""
    return study.folder / "profiles"


def take_in(
    study: Study, file: Path, key: Key, *, now: str, keep_raw_days: int, actor: str, profile: Path | None = None,
    text_column: str | None = None, speaker: str = "",
) -> IntakeReport:  # fmt: skip
    """Read a file into the study. InputError leaves both stores as they were, and so does PassportError.

    The raw words are sealed first: a crash in between leaves sealed words that the next intake of
    the same file replaces and that the purge date removes.
    """
    require_intake(study, actor=actor, now=now)
    table, chosen = look_at(study, file, profile=profile, text_column=text_column, speaker=speaker)
    return take_in_table(
        study, table, chosen, key, input_hash=file_hash(file), now=now, keep_raw_days=keep_raw_days, actor=actor
    )


def dry_run(
    study: Study, table: Table, chosen: Profile, key: Key, *, input_hash: str, now: str, correct: bool = False
) -> IntakeReport:
    """What would come of a table, with nothing stored; InputError as taking it in would give."""
    read = read_in(study, table, chosen, key, input_hash=input_hash, run_id="", purge_on=now[:10], correct=correct)
    return read.report


def take_in_table(
    study: Study, table: Table, chosen: Profile, key: Key, *, input_hash: str, now: str, keep_raw_days: int, actor: str
) -> IntakeReport:  # fmt: skip
    """Read a table into the study as a profile says; `input_hash` stands for the file that it came from."""
    passport = require_intake(study, actor=actor, now=now)
    run_id = new_run_id("intake", now)
    purge_on = purge_date(now, keep_raw_days, passport)
    read = read_in(study, table, chosen, key, input_hash=input_hash, run_id=run_id, purge_on=purge_on)
    waiting = set(voices_without_clean_text(study.db))
    with Vault(study.vault_file, key, study.id) as vault:
        vault.purge(now[:10])
        vault.put([t.raw for t in read.taken if t.record.id not in read.known or t.record.id in waiting])
    with write(study.db) as connection:
        store_new(connection, study, read, run_id=run_id, input_hash=input_hash, now=now, actor=actor)
    return read.report


def purge_date(now: str, keep_raw_days: int, passport: Passport) -> str:
    """The day on which raw words that come in now are deleted: none are kept for longer than the study."""
    return min((date.fromisoformat(now[:10]) + timedelta(days=keep_raw_days)).isoformat(), passport.retention)


def read_in(
    study: Study, table: Table, chosen: Profile, key: Key, *, input_hash: str, run_id: str, purge_on: str,
    correct: bool = False,
) -> ReadIn:  # fmt: skip
    """Read a table whole and compare it with the study. Only a file that is said to `correct` may have other words for
    a record that is there."""
    scope = chosen.name if chosen.record_id else input_hash
    rows, read = 0, 0
    said: list[Answer] = []
    records = Records(table, chosen)
    for row, may_be_read in open_rows(table, chosen):
        records.check(row)
        rows, read = rows + 1, read + may_be_read
        if may_be_read:
            said += answers(table, chosen, row)
    signs = signs_in(said)
    groups = signs.group_of()
    read_in = [_taken(a, key, scope, run_id, purge_on, groups.get((a.record, a.column), "")) for a in said]
    taken = _without_withdrawn(study, read_in)
    known = known_voices(study.db, (t.record.id for t in taken))
    (_refuse_strangers if correct else _refuse_changed)(table, chosen, taken, known)
    report = IntakeReport(
        run=run_id,
        profile=chosen.name,
        rows=rows,
        voices=len(taken) - len(known),
        blank=read * len(chosen.texts) - len(read_in),
        confidential=rows - read,
        known=len(known),
        notes=(*table.notes, *signs.notes(), *_remarks(chosen), *_left_out(len(read_in) - len(taken))),
        columns=tuple((column, chosen.role_of(column)) for column in table.columns),
    )
    compared = ReadIn(taken, known, report)
    if not correct:
        return compared
    return replace(
        compared, report=replace(report, corrected=len(compared.corrected), updated=len(compared.updated))
    )  # fmt: skip


def _without_withdrawn(study: Study, read_in: Sequence[Taken]) -> list[Taken]:
    """Nobody who has withdrawn comes back with the next file."""
    people, voices = withdrawn(study.db)
    return [t for t in read_in if t.record.participant not in people and t.record.id not in voices]


def _left_out(count: int) -> tuple[str, ...]:
    return (f"{count} texts of people who have withdrawn are left out",) if count else ()


def store_new(
    connection: sqlite3.Connection, study: Study, read: ReadIn, *, run_id: str, input_hash: str, now: str, actor: str
) -> None:
    """Store the voices that are new, with the run and its trace, in the caller's transaction."""
    report = read.report
    counts = {"rows": report.rows, "voices": report.voices, "blank": report.blank, "confidential": report.confidential}
    run = Run(run_id, "intake", f"{METHOD}/{report.profile}", "", study.codebook, "", input_hash, counts, now, now)
    add_run(connection, run)
    add_voices(connection, [t.record for t in read.new])
    add_audit(connection, at=now, actor=actor, action="intake", subject=run_id, counts=counts)


def file_hash(file: Path) -> str:
    """The SHA-256 of a file's bytes."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _refuse_changed(
    table: Table, profile: Profile, taken: Sequence[Taken], known: Mapping[str, VoiceRecord]
) -> None:  # fmt: skip
    """A record id that is already here with other words is another record, or a corrected one: never guess."""
    for t in taken:
        if t.record.id in known and known[t.record.id].digest != t.record.digest:
            problem = (
                "a record of this id was taken in before with other words; say that the file is a corrected one (--correct),"
                " or give its records other ids"
            )
            raise InputError(file=table.file, row=t.row, field=profile.record_id, problem=problem)


def _refuse_strangers(
    table: Table, profile: Profile, taken: Sequence[Taken], known: Mapping[str, VoiceRecord]
) -> None:  # fmt: skip
    """Only records with ids can be corrected, and a correction gives none of them to another person."""
    if not profile.record_id:
        raise InputError(file=table.file, problem="a corrected file needs a column of record ids")
    for t in taken:
        if t.record.id in known and known[t.record.id].participant != t.record.participant:
            problem = "the record was another person's before; a correction cannot change whose it is"
            raise InputError(file=table.file, row=t.row, field=profile.participant, problem=problem)


def _remarks(profile: Profile) -> Iterator[str]:
    if not profile.record_id:
        yield "The file has no record ids: each row counts as a person, and a corrected file would come in as new rows."
    if not profile.voice.column and profile.voice.fixed == Voice.UNKNOWN:
        yield "Nothing says who speaks: these voices can be read and coded but not counted as people's. Give --voice."


def voice_id_of(key: Key, scope: str, record: str, column: str) -> str:
    """The id of the voice that an answer becomes: the same whenever it comes."""
    return key.pseudonym("v", scope, record, column)


def _taken(answer: Answer, key: Key, scope: str, run_id: str, purge_on: str, group: str) -> Taken:
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
        attributes={**answer.attributes, **({ALIKE_AS: group} if group else {})},
        intake=run_id,
        position=answer.position,
        digest=key.pseudonym("t", answer.words),
    )
    raw = RawVoice(voice_id, answer.words, answer.record, answer.person, purge_on, answer.known)
    return Taken(answer.row, voice, raw)
