"""Intake: a file becomes voices. Raw words go to the vault, everything else to the study, or nothing does."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from nlp.deid.patterns import PatternDetector
from nlp.text import normalise
from nlp.types import Label, Provenance, Via, Voice
from service.errors import InputError
from service.files.mapping import Profile, Source, choose_profile, month_of
from service.files.tables import Row, Table, read_table, refuse_long_cells
from service.study.database import write
from service.study.runs import Run, add_audit, add_run, new_run_id
from service.study.study import Study
from service.study.voices import VoiceRecord, add_voices, known_voices, voices_without_clean_text
from service.vault.keys import Key
from service.vault.store import RawVoice, Vault

METHOD = "intake.v1"
CONSENTS = ("analysis_only", "analysis_and_quotes")
MAX_ATTRIBUTE = 60
MAX_QUESTION = 300
_PATTERNS = PatternDetector()
_IDENTIFYING = frozenset({Label.PHONE, Label.EMAIL, Label.ID, Label.URL, Label.LOCATION})
NO_VIEW = frozenset({"", "n/a", "na", "-", "--", ".", "nil"})


@dataclass(frozen=True, slots=True)
class IntakeReport:
    """What came of a file. `blank` counts empty answers; `known` those that were already in the study."""

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
    _refuse_double_ids(table, chosen)
    run_id = new_run_id("intake", now)
    refuse_long_cells(table, chosen.texts)
    open_rows = [r for r in table.rows if chosen.confidential is None or not chosen.confidential.refuses(table, r)]
    purge_on = (date.fromisoformat(now[:10]) + timedelta(days=keep_raw_days)).isoformat()
    scope = chosen.name if chosen.record_id else _sha256(file)
    taken = [t for row in open_rows for t in _voices(table, chosen, row, key, scope, run_id, purge_on)]
    known = known_voices(study.db, (t.record.id for t in taken))
    _refuse_changed(table, chosen, taken, known)
    new = [t for t in taken if t.record.id not in known]
    waiting = set(voices_without_clean_text(study.db))
    report = IntakeReport(
        profile=chosen.name,
        rows=len(table.rows),
        voices=len(new),
        blank=len(open_rows) * len(chosen.texts) - len(taken),
        confidential=len(table.rows) - len(open_rows),
        known=len(known),
        notes=(*table.notes, *_remarks(chosen)),
    )
    with Vault(study.vault_file, key, study.id) as vault:
        vault.purge(now[:10])
        vault.put([t.raw for t in taken if t.record.id not in known or t.record.id in waiting])
    _store(study, new, report, run_id=run_id, input_hash=_sha256(file), now=now, actor=actor)
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


def _refuse_double_ids(table: Table, profile: Profile) -> None:
    if not profile.record_id:
        return
    seen: dict[str, int] = {}
    for row in table.rows:
        record = row.cells.get(profile.record_id, "").strip()
        if not record:
            raise InputError(file=table.file, row=row.number, field=profile.record_id, problem="the record has no id")
        if record in seen:
            problem = f"the id stands twice (first in row {seen[record]})"
            raise InputError(file=table.file, row=row.number, field=profile.record_id, problem=problem)
        seen[record] = row.number


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


def _voices(
    table: Table, profile: Profile, row: Row, key: Key, scope: str, run_id: str, purge_on: str
) -> Iterator[_Taken]:
    record = row.cells.get(profile.record_id, "").strip() if profile.record_id else str(row.number)
    person = row.cells.get(profile.participant, "").strip() or record
    known = tuple(name for column in profile.known_people for name in _names(row.cells.get(column, "")))
    for position, column in enumerate(profile.texts):
        words = normalise(row.cells.get(column, "")).text.strip()
        if words.casefold() in NO_VIEW:
            continue
        voice_id = key.pseudonym("v", scope, record, column)
        voice = VoiceRecord(
            id=voice_id,
            participant=key.pseudonym("p", scope, person),
            voice=_one_of(table, row, profile.voice, tuple(Voice)),
            via=_one_of(table, row, profile.via, tuple(Via)),
            provenance=_one_of(table, row, profile.provenance, tuple(Provenance)),
            consent=_one_of(table, row, profile.consent, CONSENTS),
            question=_question(table, profile, row, column),
            age_band=_short(table, row, profile.age_band),
            area=_short(table, row, profile.area),
            period=month_of(table, row, profile),
            attributes={a: _short(table, row, Source(column=a)) for a in profile.attributes},
            intake=run_id,
            position=position,
            digest=key.pseudonym("t", words),
        )
        yield _Taken(row.number, voice, RawVoice(voice_id, words, record, person, purge_on, known))


def _names(cell: str) -> list[str]:
    """The names in a cell that holds one, or several on lines or between semicolons."""
    return [name.strip() for name in re.split(r"[;\n|]", cell) if name.strip()]


def _one_of(table: Table, row: Row, source: Source, allowed: Sequence[str]) -> str:
    value = source.of(table, row)
    if value not in allowed:
        problem = f"the value is not one of: {', '.join(allowed)}"
        raise InputError(file=table.file, row=row.number, field=source.column, problem=problem)
    return value


def _short(table: Table, row: Row, source: Source) -> str:
    value = source.of(table, row)
    if len(value) > MAX_ATTRIBUTE:
        problem = f"longer than {MAX_ATTRIBUTE} characters: free text belongs in a text column"
        raise InputError(file=table.file, row=row.number, field=source.column, problem=problem)
    return _without_identifiers(table, row, source, value)


def _without_identifiers(table: Table, row: Row, source: Source, value: str) -> str:
    """Attributes are kept as they are, so none may hold a phone number, an address or the like."""
    found = {detection.label for detection in _PATTERNS.detect([value])[0]} & _IDENTIFYING
    if found:
        problem = (
            "it holds what looks like an identifier; leave the column out of the profile or make it a list of choices"
        )
        raise InputError(file=table.file, row=row.number, field=source.column, problem=problem)
    return value


def _question(table: Table, profile: Profile, row: Row, column: str) -> str:
    if profile.question.column:
        return _without_identifiers(table, row, profile.question, profile.question.of(table, row)[:MAX_QUESTION])
    return table.questions.get(column, column) if len(profile.texts) > 1 else ""
