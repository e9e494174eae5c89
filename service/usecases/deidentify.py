"""De-identification: from sealed raw words to clean text and segments in the study."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import token_bytes
from typing import Any

from nlp.deid.assurance import expected_leaks
from nlp.deid.cascade import Deidentifier
from nlp.deid.language import Language, languages
from nlp.deid.surrogates import Ledger
from nlp.text import segments
from nlp.types import CleanText
from service.errors import InputError
from service.files.lines import read_json_lines
from service.study.database import write
from service.study.runs import Run, add_audit, add_run, new_run_id
from service.study.study import Study
from service.study.voices import (
    NewCleanText,
    StoredDoubt,
    StoredRedaction,
    add_clean_text,
    participants_of,
    voices_of,
    voices_without_clean_text,
)
from service.vault.keys import Key
from service.vault.store import OffsetPair, RawVoice, Vault

BATCH = 200
LARGEST_CASE = 400
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class DeidentifyReport:
    """How many voices became clean text, in how many segments, with how many redactions.

    `held` voices are in another language and wait for a person; `purged` voices had lost their raw
    text to its purge date before they could be read.
    """

    voices: int
    segments: int
    redactions: int
    held: int
    purged: int


def deidentify_study(
    study: Study, key: Key, deidentifier: Deidentifier, *, now: str, actor: str, progress: Progress
) -> DeidentifyReport:
    """De-identify every voice that waits for it, a few people at a time, so that a name found once is masked in all
    a person's voices. Batches are whole or not there: it may be killed and run again."""
    waiting = voices_without_clean_text(study.db)
    run_id = new_run_id("deidentify", now)
    done = Counter[str]()
    with Vault(study.vault_file, key, study.id) as vault:
        vault.purge(now[:10])
        for batch in _batches(participants_of(study.db, waiting)):
            read = _deidentify(study, key, vault, deidentifier, batch)
            done.update(_store(study, f"{run_id}-{next(iter(batch))}", read, deidentifier, now))
            done["purged"] += len(batch) - len(read)
            done["seen"] += len(batch)
            progress(done["seen"], len(waiting))
    report = DeidentifyReport(done["voices"], done["segments"], done["redactions"], done["held"], done["purged"])
    with write(study.db) as connection:
        add_audit(connection, at=now, actor=actor, action="deidentify", subject=run_id, counts=asdict(report))
    return report


def ways_into_clean(study: Study, key: Key, voice_ids: Sequence[str]) -> dict[str, list[OffsetPair]]:
    """For each voice, its redactions as (source start, end, clean start, end), by which raw offsets become clean ones."""
    with Vault(study.vault_file, key, study.id) as vault:
        return {voice: vault.offset_map(voice, 1) for voice in voice_ids}


def _batches(participants: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Voices with their participant: all the voices of one before those of the next, up to `BATCH` or so at a time."""
    by_participant: dict[str, list[str]] = {}
    for voice, participant in participants.items():
        by_participant.setdefault(participant, []).append(voice)
    batch: dict[str, str] = {}
    for participant, voices in by_participant.items():
        for start in range(0, len(voices), LARGEST_CASE):
            batch |= dict.fromkeys(voices[start : start + LARGEST_CASE], participant)
            if len(batch) >= BATCH:
                yield batch
                batch = {}
    if batch:
        yield batch


def _deidentify(
    study: Study, key: Key, vault: Vault, deidentifier: Deidentifier, batch: Mapping[str, str]
) -> dict[str, tuple[CleanText, Language]]:
    """Read a batch beside what its people said before, so that names carry over; seal the ways back."""
    read = read_beside(study, key, vault, deidentifier, batch)
    vault.put_offset_maps((voice, offsets_of(text)) for voice, (text, _) in read.items())
    return read


def read_beside(
    study: Study, key: Key, vault: Vault, deidentifier: Deidentifier, batch: Mapping[str, str],
    fresh: Mapping[str, RawVoice] | None = None,
) -> dict[str, tuple[CleanText, Language]]:  # fmt: skip
    """Read voices, given with their participants, beside what these said before; seal the surrogates of their names.

    `fresh` are raw words that are not in the vault yet, in the place of those that are.
    """
    people, new = list(dict.fromkeys(batch.values())), fresh or {}
    earlier = {voice: p for p in people for voice in voices_of(study.db, p)[-LARGEST_CASE:]}
    cases = {**earlier, **batch}
    raw = {**vault.texts(list(cases)), **{voice: held.text for voice, held in new.items()}}
    names = {**vault.known_people(list(raw)), **{voice: list(held.known) for voice, held in new.items()}}
    known: dict[str, list[str]] = {}
    for voice, some in names.items():
        known.setdefault(cases[voice], []).extend(some)
    secret = key.derive(f"surrogates/{study.id}")
    kept = vault.ledgers(people)
    ledgers = {p: Ledger(secret, p, kept.get(p, {})) for p in people}
    clean = deidentifier.deidentify(list(raw.values()), [cases[v] for v in raw], known, ledgers)
    vault.put_ledgers({p: ledger.known for p, ledger in ledgers.items()})
    texts = {voice: text for voice, text in zip(raw, clean, strict=True) if voice in batch}
    spoken = languages([raw[voice] for voice in texts])
    return {voice: (text, language) for (voice, text), language in zip(texts.items(), spoken, strict=True)}


def offsets_of(clean: CleanText) -> list[OffsetPair]:
    """The way from a clean text back to its source, as the vault keeps it."""
    return [(r.start, r.end, s.start, s.end) for r, s in zip(clean.plan, clean.surrogates, strict=True)]


def _store(
    study: Study, batch_run: str, read: Mapping[str, tuple[CleanText, Language]], deidentifier: Deidentifier, now: str
) -> dict[str, int]:
    """One transaction a batch, which adds its own run row; what was stored."""
    parts = {voice: segments(text.text) for voice, (text, _) in read.items()}
    counts = {
        "voices": len(read),
        "redactions": sum(len(text.plan) for text, _ in read.values()),
        "segments": sum(len(p) for p in parts.values()),
        "held": sum(language.needs_person for _, language in read.values()),
    }
    if not read:
        return counts
    with write(study.db) as connection:
        run = Run(batch_run, "deidentify", deidentifier.method, deidentifier.fingerprint, "", "", "", counts, now, now)
        add_run(connection, run)
        for voice, (text, language) in read.items():
            add_clean_text(connection, to_store(voice, text, language), run=batch_run, segments=parts[voice])
    return counts


def to_store(voice: str, clean: CleanText, language: Language) -> NewCleanText:
    """What the study keeps of a clean text."""
    redactions = (
        StoredRedaction(s.start, s.end, r.label, r.score, r.detector, r.why)
        for r, s in zip(clean.plan, clean.surrogates, strict=True)
    )
    doubts = tuple(StoredDoubt(d.start, d.end, d.label, d.score, d.why) for d in clean.doubts)
    held = language.code if language.needs_person else ""
    return NewCleanText(voice, clean.text, tuple(redactions), doubts, expected_leaks(clean.doubts), held)


def deidentify_lines(file: Path, out: Path, deidentifier: Deidentifier, *, spans: bool, progress: Progress) -> int:
    """From JSON lines `{"id", "text"}` to `{"id", "clean_text", "needs_person", "spans"}`, in order; how many.

    A line may name its `participant`, whose lines are then read together wherever they stand, and
    list as `known` the names that are on the form. Offsets are code points of the input text. The
    output appears under its name only when whole.
    """
    lines = [_checked(file.name, row) for row in read_json_lines(file, needed=("id", "text"))]
    cases = [f"p {row['participant']}" if row.get("participant") else f"line {i}" for i, row in enumerate(lines)]
    done: dict[int, str] = {}
    secret = token_bytes(32)  # of this run alone, so that nothing in one file points into another
    ledgers = {case: Ledger(secret, case) for case in cases}
    part = out.with_name(out.name + ".part")
    with part.open("w", encoding="utf-8") as output:
        written = 0
        for batch in _batches({str(i): case for i, case in enumerate(cases)}):
            rows = {int(i): lines[int(i)] for i in batch}
            done |= _read_lines(rows, list(batch.values()), deidentifier, ledgers, spans=spans)
            while written in done:
                output.write(done.pop(written) + "\n")
                written += 1
            progress(written, len(lines))
    part.replace(out)
    return len(lines)


def _checked(file: str, row: dict[str, Any]) -> dict[str, Any]:
    known = row.get("known") or []
    if not isinstance(row.get("participant", ""), str | int):
        raise InputError(file=file, field="participant", problem=f"the participant of id {row['id']} is not a word")
    if not isinstance(known, list) or not all(isinstance(name, str) for name in known):
        raise InputError(file=file, field="known", problem=f"the known names of id {row['id']} are not a list of words")
    return row


def _read_lines(
    rows: Mapping[int, dict[str, Any]],
    cases: Sequence[str],
    deidentifier: Deidentifier,
    ledgers: Mapping[str, Ledger],
    *,
    spans: bool,
) -> dict[int, str]:
    texts = [row["text"] for row in rows.values()]
    known: dict[str, list[str]] = {}
    for row, case in zip(rows.values(), cases, strict=True):
        known.setdefault(case, []).extend(row.get("known") or [])
    clean = deidentifier.deidentify(texts, cases, known, ledgers)
    results = zip(rows.items(), clean, languages(texts), strict=True)
    return {i: json.dumps(_line(row, text, language, spans)) for (i, row), text, language in results}


def _line(row: dict[str, Any], clean: CleanText, language: Language, spans: bool) -> dict[str, Any]:
    line: dict[str, Any] = {"id": row["id"], "clean_text": clean.text, "needs_person": language.needs_person}
    if language.needs_person:
        line["language"] = language.code
    if spans:
        line["spans"] = [{"start": r.start, "end": r.end, "label": r.label} for r in clean.plan]
    return line
