"""Fresh suggestions within the request: what was decided a moment ago already counts for the next item.

Only the model of the item's group of people is fitted anew. The study's own suggestions, which are the strata of
the estimates, stay as `heard suggest` made them for everybody alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nlp.deid.surrogates import neutralise
from nlp.encode import Encoder
from nlp.themes.calibrate import Calibration
from nlp.themes.crossfit import group_of
from nlp.themes.learn import Lessons
from nlp.themes.match import Matcher
from nlp.themes.suggest import Decided, Suggester
from nlp.themes.views import Matrix, Reading
from nlp.types import Codebook, Suggestion
from service.study.database import write
from service.study.runs import Run, add_run, new_run_id
from service.study.study import Study
from service.study.suggestions import StoredSuggestion, add_suggestions, new_row, suggestions_in, suggestions_of_segment
from service.study.voices import StoredSegment, participants
from service.usecases.lessons import Taught, Trust, borrowed_lessons, decided, taught
from service.usecases.suggest import cached_encoder, reading_name

NEW_READS = 25


class Sharpener:
    """Keeps the codebook and all decided texts ready, so that a fit costs only the fit."""

    def __init__(self, study: Study, codebook: Codebook, encoder: Encoder, trust: Trust) -> None:
        self._study, self._codebook, self._trust = study, codebook, trust
        self._encoder = cached_encoder(study, encoder, re_encode=False)
        self._matcher = Matcher(codebook, self._encoder, read_as=neutralise)
        self._people = participants(study.db)
        self._read: dict[str, tuple[Reading, Matrix]] = {}
        self._calibration: Calibration | None = None

    def __call__(self, segment: StoredSegment, now: str) -> list[StoredSuggestion]:
        """The segment's suggestions after all that stands decided, stored; those at hand where nothing is."""
        reading = self.ahead([segment], now)
        if not reading:
            return suggestions_of_segment(self._study.db, segment.id)
        return suggestions_in(self._study.db, reading, segment.id) or []

    def ahead(self, segments: Sequence[StoredSegment], now: str) -> str:
        """Store suggestions of these segments after all that stands decided, from one fit; the name of that reading,
        empty where nothing is decided."""
        lessons = taught(self._study, self._codebook, self._trust)
        if not lessons.segments:
            return ""
        others, borrowed = borrowed_lessons(
            self._study, self._codebook, self._encoder.fingerprint, len(lessons.segments)
        )
        names = "-".join(name for name in (lessons.digest, borrowed) if name)
        # A name of its own: the study's reading must come from one fit for everybody.
        reading = "fresh/" + reading_name(Suggester.method, self._encoder, self._codebook, names, self._study.threshold)
        waiting = [s for s in segments if suggestions_in(self._study.db, reading, s.id) is None]
        if waiting:
            self._read_anew(waiting, lessons, others, reading, now)
        return reading

    def _read_anew(
        self, waiting: Sequence[StoredSegment], lessons: Taught, others: list[Lessons], reading: str, now: str
    ) -> None:
        suggester = Suggester(self._matcher, self._decided(lessons, others), calibration=self._still_good(lessons))
        self._calibration = suggester.calibration
        groups = np.array([group_of(self._people[s.voice]) for s in waiting], np.int64)
        found = suggester.suggest([s.text for s in waiting], groups, threshold=self._study.threshold)
        for segment, suggestions in zip(waiting, found, strict=True):
            self._store(segment, suggestions, lessons, reading, now)

    def _still_good(self, lessons: Taught) -> Calibration | None:
        """The curve at hand, unless many random reads have come since it was fitted."""
        kept = self._calibration
        return kept if kept is not None and len(lessons.random) - kept.texts < NEW_READS else None

    def _decided(self, lessons: Taught, others: list[Lessons]) -> Decided:
        for segment in lessons.segments:
            if segment.id not in self._read:
                read = self._matcher.read([segment.text])
                self._read[segment.id] = (read, self._matcher.scores(read))
        rows = [self._read[s.id] for s in lessons.segments]
        read = Reading.join([r for r, _ in rows])
        return decided(lessons, self._matcher, read, np.concatenate([m for _, m in rows])).with_borrowed(others)

    def _store(self, segment: StoredSegment, found: list[Suggestion], lessons: Taught, reading: str, now: str) -> None:
        run_id = f"{new_run_id('suggest', now)}-{segment.id}"
        rows = [
            new_row(run_id, reading, segment, s, self._codebook, Suggester.method, self._encoder.fingerprint,
                    like="" if s.like is None else lessons.segments[s.like].id)
            for s in found
        ]  # fmt: skip
        counts = {"segments": 1, "suggestions": len(rows), "learnt from": len(lessons.segments)}
        run = Run(
            run_id, "suggest", Suggester.method, self._encoder.fingerprint, self._codebook.id, self._codebook.version,
            self._codebook.fingerprint, counts, now, now,
        )  # fmt: skip
        with write(self._study.db) as connection:
            add_run(connection, run)
            add_suggestions(connection, run=run_id, reading=reading, seen=[segment.id], new=rows)
