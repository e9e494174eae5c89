"""De-identification: from sealed raw words to clean text and segments in the study."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from nlp.deid.cascade import Deidentifier
from nlp.text import segments
from nlp.types import CleanText
from service.files.lines import read_json_lines
from service.study.database import write
from service.study.runs import Run, add_audit, add_run, new_run_id
from service.study.study import Study
from service.study.voices import StoredRedaction, add_clean_text, voices_without_clean_text
from service.vault.keys import Key
from service.vault.store import Vault

BATCH = 200
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class DeidentifyReport:
    """How many voices became clean text, in how many segments, with how many redactions.

    `purged` voices had lost their raw text to its purge date before they could be read.
    """

    voices: int
    segments: int
    redactions: int
    purged: int


def deidentify_study(
    study: Study, key: Key, deidentifier: Deidentifier, *, now: str, actor: str, progress: Progress
) -> DeidentifyReport:
    """De-identify every voice that waits for it. Batches are whole or not there: it may be killed and run again."""
    waiting = voices_without_clean_text(study.db)
    run_id = new_run_id("deidentify", now)
    done = parts = replaced = purged = 0
    with Vault(study.vault_file, key, study.id) as vault:
        vault.purge(now[:10])
        for batch in _batches(waiting, BATCH):
            raw = vault.texts(batch)
            clean = dict(zip(raw, deidentifier.deidentify(list(raw.values())), strict=True))
            vault.put_offset_maps((voice, _offsets(text)) for voice, text in clean.items())
            parts += _store(study, f"{run_id}-{batch[0]}", clean, deidentifier, now)
            replaced += sum(len(text.plan) for text in clean.values())
            done, purged = done + len(batch), purged + len(batch) - len(raw)
            progress(done, len(waiting))
    report = DeidentifyReport(done - purged, parts, replaced, purged)
    with write(study.db) as connection:
        add_audit(connection, at=now, actor=actor, action="deidentify", subject=run_id, counts=asdict(report))
    return report


def _batches(items: Sequence[str], size: int) -> Iterator[list[str]]:
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch


def _offsets(clean: CleanText) -> list[tuple[int, int, int, int]]:
    return [(r.start, r.end, s.start, s.end) for r, s in zip(clean.plan, clean.surrogates, strict=True)]


def _store(study: Study, batch_run: str, clean: dict[str, CleanText], deidentifier: Deidentifier, now: str) -> int:
    """One transaction a batch, which adds its own run row; the number of segments."""
    parts = {voice: segments(text.text) for voice, text in clean.items()}
    counts = {"voices": len(clean), "redactions": sum(len(t.plan) for t in clean.values())}
    with write(study.db) as connection:
        run = Run(batch_run, "deidentify", deidentifier.method, deidentifier.fingerprint, "", "", "", counts, now, now)
        add_run(connection, run)
        for voice, text in clean.items():
            add_clean_text(
                connection,
                voice_id=voice,
                text=text.text,
                run=batch_run,
                redactions=_redactions(text),
                segments=parts[voice],
            )
    return sum(len(p) for p in parts.values())


def _redactions(clean: CleanText) -> list[StoredRedaction]:
    return [
        StoredRedaction(s.start, s.end, r.label, r.score, r.detector, r.why)
        for r, s in zip(clean.plan, clean.surrogates, strict=True)
    ]


def deidentify_lines(file: Path, out: Path, deidentifier: Deidentifier, *, spans: bool, progress: Progress) -> int:
    """From JSON lines `{"id", "text", "voice"}` to `{"id", "clean_text", "spans"}`, in order; how many.

    Offsets are code points of the input text. The output appears under its name only when whole.
    """
    lines = list(read_json_lines(file, needed=("id", "text")))
    part = out.with_name(out.name + ".part")
    with part.open("w", encoding="utf-8") as output:
        for done, batch in _numbered_batches(lines, BATCH):
            for row, clean in zip(batch, deidentifier.deidentify([row["text"] for row in batch]), strict=True):
                output.write(json.dumps(_line(row, clean, spans)) + "\n")
            progress(done, len(lines))
    part.replace(out)
    return len(lines)


def _numbered_batches(lines: Sequence[dict[str, Any]], size: int) -> Iterator[tuple[int, Sequence[dict[str, Any]]]]:
    for start in range(0, len(lines), size):
        batch = lines[start : start + size]
        yield start + len(batch), batch


def _line(row: dict[str, Any], clean: CleanText, spans: bool) -> dict[str, Any]:
    line: dict[str, Any] = {"id": row["id"], "clean_text": clean.text}
    if spans:
        line["spans"] = [{"start": r.start, "end": r.end, "label": r.label} for r in clean.plan]
    return line
