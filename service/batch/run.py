"""A batch from end to end: checked, worked on window by window, written, and recorded."""

from __future__ import annotations

import hashlib
import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nlp.themes.match import METHOD, SHOWN_FROM
from service import wiring
from service.batch.engines import Engine
from service.batch.output import Sheet, write_whole, writer_for
from service.batch.parts import Parts
from service.batch.source import ROWS_A_WINDOW, Size, Source, check, sources, windows
from service.batch.window import Coded, Settings

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks of a batch. `text_column` and `profile` say what the columns mean where it is not plain."""

    source: Path
    out: Path
    codebook: str
    top: int = 3
    profile: Path | None = None
    text_column: str | None = None
    rows_a_window: int = ROWS_A_WINDOW


@dataclass(slots=True)
class BatchReport:
    """What came of a batch: counts, seconds a stage, and the remarks that the files gave rise to."""

    size: Size
    written: int = 0
    held: int = 0
    silent: int = 0
    redactions: int = 0
    resumed: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def run_batch(asked: Asked, engine: Engine, *, now: str, progress: Progress) -> BatchReport:
    """Read, de-identify, suggest and write. InputError or StudyError leaves no file under the output's name.

    Killed and run again with the same words, it goes on with the first window that is not done.
    """
    writer_for(asked.out)
    clock = time.perf_counter()
    read = sources(asked.source, profile=asked.profile, text_column=asked.text_column)
    size = check(read, asked.rows_a_window)
    report = BatchReport(size, notes=tuple(f"{s.table.file}: {note}" for s in read for note in s.table.notes))
    report.seconds["checked"] = time.perf_counter() - clock
    what = _what(asked, read)
    parts = Parts(asked.out.with_name(f".{asked.out.name}.parts"), what)
    clock = time.perf_counter()
    _work(asked, read, parts, engine, size, report, progress)
    report.seconds["de-identified and suggested"] = time.perf_counter() - clock
    clock = time.perf_counter()
    attributes = sorted({a for s in read for a in s.profile.attributes})
    write_whole(asked.out, Sheet(_counted(parts.coded(size.windows), report), asked.top, attributes))
    report.seconds["written"] = time.perf_counter() - clock
    _record(asked, what, report, now)
    parts.remove()
    return report


def _work(
    asked: Asked, read: tuple[Source, ...], parts: Parts, engine: Engine, size: Size, report: BatchReport,
    progress: Progress,
) -> None:  # fmt: skip
    done = parts.done()
    waiting = (w for w in windows(read, asked.rows_a_window) if w.number not in done)
    first = next(waiting, None)
    rows = min(len(done) * asked.rows_a_window, size.rows)
    report.resumed = rows
    if first is None:
        return
    secret = hashlib.sha256("".join(s.digest for s in read).encode()).digest()
    settings = Settings(asked.codebook, asked.top, SHOWN_FROM, secret)
    for result in engine(itertools.chain([first], waiting), settings):
        parts.keep(result)
        rows += result.rows
        progress(rows, size.rows)


def _what(asked: Asked, read: tuple[Source, ...]) -> dict[str, Any]:
    """Everything that the result depends on. Not the output's kind: a run may end as another one."""
    codebook = wiring.codebook_named(asked.codebook)
    return {
        "files": [{"name": s.table.file, "sha256": s.digest, "profile": s.profile.name} for s in read],
        "columns": [s.profile.model_dump(mode="json") for s in read],
        "codebook": {"id": codebook.id, "version": codebook.version, "fingerprint": codebook.fingerprint},
        "deidentification": wiring.deidentifier().fingerprint,
        "suggestions": {"method": METHOD, "model": wiring.encoder().fingerprint, "shown from": SHOWN_FROM},
        "top": asked.top,
        "rows a window": asked.rows_a_window,
    }


def _counted(coded: Iterable[Coded], report: BatchReport) -> Iterator[Coded]:
    for c in coded:
        report.written += 1
        report.held += bool(c.held)
        report.silent += not c.held and not c.themes
        report.redactions += c.redactions
        yield c


def _record(asked: Asked, what: dict[str, Any], report: BatchReport, now: str) -> None:
    record = {
        "begun": now,
        **what,
        "columns": None,
        "counts": asdict(report.size)
        | {"written": report.written, "held": report.held, "without a theme": report.silent, "redactions": report.redactions},
        "seconds": {stage: round(seconds, 1) for stage, seconds in report.seconds.items()},
        "read this": "These are suggestions of a machine. Nothing is coded until a person says so, and de-identification"
        " is never perfect: have a person read a sample before the file goes further.",
    }  # fmt: skip
    del record["columns"]
    file = asked.out.with_name(f"{asked.out.name}.run.json")
    part = file.with_name(f".{file.name}.part")
    part.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", "utf-8")
    part.replace(file)
