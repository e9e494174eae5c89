"""Suggestions: a codebook read against segments; stored for people to decide on, or written to a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nlp.deid.surrogates import neutralise
from nlp.encode import CachedEncoder, Encoder
from nlp.themes.crossfit import group_of
from nlp.themes.learn import Lessons
from nlp.themes.match import SHOWN_FROM, Matcher
from nlp.themes.suggest import Decided, Suggester
from nlp.types import Codebook, Suggestion
from service.errors import InputError, StudyError
from service.files.lines import read_json_lines
from service.study.codebooks import keep_codebook
from service.study.database import write
from service.study.runs import Run, add_audit, add_run, new_run_id
from service.study.study import Study
from service.study.suggestions import NewSuggestion, add_suggestions, new_row, set_current_reading, unmatched_segments
from service.study.vectors import StudyVectors, forget_vectors
from service.study.voices import StoredSegment, participants
from service.usecases.lessons import Taught, Trust, borrowed_lessons, decided, taught

BATCH = 256
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class SuggestReport:
    """Segments read, suggestions made, segments for which nothing fitted, and decided segments learnt from."""

    segments: int
    suggestions: int
    silent: int
    learnt_from: int


def suggest_study(
    study: Study,
    codebook: Codebook,
    encoder: Encoder,
    *,
    now: str,
    actor: str,
    progress: Progress,
    re_encode: bool = False,
    trust: Trust = Trust(),  # noqa: B008 - frozen
) -> SuggestReport:
    """Suggest codes for every segment that this method, model, codebook version and set of decisions has not read.

    `re_encode` first removes the study's vectors, which another model may have made.
    """
    if codebook.id != study.codebook:
        raise StudyError(f"this study codes with “{study.codebook}”, not with “{codebook.id}”")
    encoder = cached_encoder(study, encoder, re_encode=re_encode)
    with write(study.db) as connection:
        keep_codebook(connection, codebook, now)
    reader = _Reader(study, codebook, encoder, taught(study, codebook, trust))
    waiting = unmatched_segments(study.db, reader.reading)
    run_id, made, silent = new_run_id("suggest", now), 0, 0
    for start in range(0, len(waiting), BATCH):
        batch = waiting[start : start + BATCH]
        found = reader.suggest(batch)
        rows = [
            reader.row(f"{run_id}-{batch[0].id}", segment, suggestion)
            for segment, suggestions in zip(batch, found, strict=True)
            for suggestion in suggestions
        ]
        run = reader.run(run_id, batch, len(rows), now)
        with write(study.db) as connection:
            add_run(connection, run)
            add_suggestions(connection, run=run.id, reading=reader.reading, seen=[s.id for s in batch], new=rows)
        made, silent = made + len(rows), silent + sum(not s for s in found)
        progress(start + len(batch), len(waiting))
    report = SuggestReport(len(waiting), made, silent, reader.learnt_from)
    with write(study.db) as connection:
        set_current_reading(connection, reader.reading, codebook.id, codebook.version)
        add_audit(connection, at=now, actor=actor, action="suggest", subject=run_id, counts=asdict(report))
    return report


class _Reader:
    """A study's codebook and decisions, made ready to read segments; `reading` names exactly this."""

    def __init__(self, study: Study, codebook: Codebook, encoder: Encoder, lessons: Taught) -> None:
        self._codebook, self._encoder, self._lessons = codebook, encoder, lessons
        self._threshold = study.threshold
        self._matcher = Matcher(codebook, encoder, read_as=neutralise)
        model = encoder.fingerprint
        others, borrowed_name = borrowed_lessons(study, codebook, model, len(lessons.segments))
        learns = bool(lessons.segments or others)
        self._suggester = Suggester(self._matcher, _decided(lessons, self._matcher, others)) if learns else None
        self._people = participants(study.db)
        self.learnt_from = len(lessons.segments)
        self.method = Suggester.method if self._suggester else Matcher.method
        names = "-".join(name for name in (lessons.digest, borrowed_name) if name)
        self.reading = reading_name(self.method, encoder, codebook, names, self._threshold)

    def suggest(self, batch: Sequence[StoredSegment]) -> list[list[Suggestion]]:
        """The suggestions of each segment, best first."""
        texts = [s.text for s in batch]
        if self._suggester is None:
            return self._matcher.suggest(texts, threshold=self._threshold)
        groups = np.array([group_of(self._people[s.voice]) for s in batch], np.int64)
        return self._suggester.suggest(texts, groups, threshold=self._threshold)

    def row(self, run: str, segment: StoredSegment, s: Suggestion) -> NewSuggestion:
        """A suggestion as it is stored."""
        like = "" if s.like is None else self._lessons.segments[s.like].id
        return new_row(run, self.reading, segment, s, self._codebook, self.method, self._encoder.fingerprint, like)

    def run(self, run_id: str, batch: Sequence[StoredSegment], made: int, now: str) -> Run:
        """The record of one batch, stored with it, so that a killed run leaves no suggestion without its origin."""
        counts = {"segments": len(batch), "suggestions": made, "learnt from": self.learnt_from}
        return Run(
            f"{run_id}-{batch[0].id}", "suggest", self.method, self._encoder.fingerprint, self._codebook.id,
            self._codebook.version, self._codebook.fingerprint, counts, now, now,
        )  # fmt: skip


def _decided(lessons: Taught, matcher: Matcher, others: Sequence[Lessons]) -> Decided:
    read = matcher.read([s.text for s in lessons.segments])
    match = matcher.scores(read) if lessons.segments else np.zeros((0, len(matcher.codes)))
    return decided(lessons, matcher, read, match).with_borrowed(others)


def reading_name(method: str, encoder: Encoder, codebook: Codebook, decisions: str, threshold: float) -> str:
    """The name of exactly this reading: method, model, codebook version, decisions learnt from and threshold."""
    parts = [method, encoder.fingerprint, f"{codebook.id}-{codebook.version}-{codebook.fingerprint}"]
    parts += [f"decisions-{decisions}"] if decisions else []
    parts += [f"from-{threshold:g}"] if threshold != SHOWN_FROM else []
    return "/".join(parts)


def cached_encoder(study: Study, encoder: Encoder, *, re_encode: bool) -> CachedEncoder:
    """The encoder with the study's own vectors in front of it; StudyError when those are another model's."""
    if re_encode:
        with write(study.db) as connection:
            forget_vectors(connection)
    store = StudyVectors(study.db, model=encoder.fingerprint, dimension=encoder.dimension)
    return CachedEncoder(encoder, store)


def suggest_lines(
    codebook: Codebook, encoder: Encoder, file: Path, out: Path, *, every_code: bool, progress: Progress
) -> int:
    """From JSON lines `{"id", "clean_text"}` (or `text`) to `{"id", "suggestions"}`, best first; how many.

    With `every_code` each code is listed with its score, otherwise only what would be shown.
    """
    lines = [_with_text(file, i, row) for i, row in enumerate(read_json_lines(file, needed=("id",)), 1)]
    matcher = Matcher(codebook, encoder, read_as=neutralise)
    threshold = 0.0 if every_code else SHOWN_FROM
    part = out.with_name(out.name + ".part")
    with part.open("w", encoding="utf-8") as output:
        for start in range(0, len(lines), BATCH):
            batch = lines[start : start + BATCH]
            found = matcher.suggest([row["text"] for row in batch], threshold=threshold)
            output.writelines(json.dumps(_line(row, s)) + "\n" for row, s in zip(batch, found, strict=True))
            progress(start + len(batch), len(lines))
    part.replace(out)
    return len(lines)


def _with_text(file: Path, number: int, row: dict[str, Any]) -> dict[str, Any]:
    """The row with its de-identified text: `clean_text`, as `heard deidentify` writes it, else `text`."""
    text = row.get("clean_text", row.get("text"))
    if not isinstance(text, str):
        raise InputError(file=file.name, row=number, field="clean_text", problem="neither clean_text nor text is there")
    return {"id": row["id"], "text": text}


def _line(row: dict[str, Any], suggestions: Sequence[Suggestion]) -> dict[str, Any]:
    shown = [{"code": s.code, "probability": s.probability, "start": s.start, "end": s.end} for s in suggestions]
    return {"id": row["id"], "suggestions": shown}
