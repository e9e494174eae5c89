"""What a counting round counted: who was drawn, who was read whole and blind, what was found, what was suggested."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nlp.findings.prevalence import Sample, TextsOfPeople, Unit
from service.study.decisions import Coding, Round, blind_codings, closed_by_coder, draws, frame, is_uniform
from service.study.study import Study
from service.study.suggestions import newest_reading
from service.study.voices import all_voices
from service.usecases.meaning import Readings, readings

UNITS = {"participant": Unit.PERSON, "voice": Unit.TEXT}


@dataclass(frozen=True, slots=True)
class Counted:
    """A counting round as it stands. Units are people or texts; a text is a unit of one voice.

    `units` are all that could have been drawn, with their voices; `probability` those of the uniform draw; `read` those
    read whole and blind, with the coder who counts. `found` and `suggested` are by voice, `speaker` is whose it is.
    """

    round: Round
    units: Mapping[str, Sequence[str]]
    probability: Mapping[str, float]
    read: Mapping[str, str]
    segments: Mapping[str, Sequence[str]]
    readings: Readings
    found: Mapping[str, Sequence[Coding]]
    suggested: Mapping[str, frozenset[str]]
    speaker: Mapping[str, str]

    @property
    def unit(self) -> Unit:
        """People or texts."""
        return UNITS[self.round.unit]

    @property
    def coders(self) -> int:
        """How many coders' reading counts."""
        return len(set(self.read.values()))

    def read_for(self, code: str) -> frozenset[str]:
        """Units whose reading is a word on the code as it is now."""
        return frozenset(u for u, coder in self.read.items() if self.readings.count_for(code, coder, self.segments[u]))

    def says(self, voice: str, code: str, stance: str = "") -> bool:
        """Whether the reading that counts found the code in a voice."""
        return any(c.code == code and stance in ("", c.stance) for c in self.found.get(voice, ()))

    def speakers(self, code: str, stance: str = "", *, lacking: bool = False) -> set[str]:
        """People of whom a text that was read for the code holds it, or lacks it."""
        voices = (v for unit in self.read_for(code) for v in self.units[unit])
        return {self.speaker[v] for v in voices if self.says(v, code, stance) is not lacking}

    def sample(self, code: str, stance: str = "") -> Sample:
        """One entry for each unit, in order; texts of one person hang together."""
        read, units = self.read_for(code), self.units.items()
        whose = [self.speaker[voices[0]] for _, voices in units]
        return Sample(
            self.unit,
            suggested=np.array([any(code in self.suggested.get(v, ()) for v in voices) for _, voices in units], bool),
            read=np.array([unit in read for unit in self.units], bool),
            positive=np.array([any(self.says(v, code, stance) for v in voices) for _, voices in units], bool),
            weight=np.array([1 / self.probability.get(unit, 1.0) for unit in self.units]),
            cluster=np.unique(whose, return_inverse=True)[1],
        )

    def texts(self, code: str) -> TextsOfPeople:
        """One entry for each text of a round of people."""
        read = self.read_for(code)
        rows = [(i, unit, v) for i, (unit, voices) in enumerate(self.units.items()) for v in voices]
        return TextsOfPeople(
            person=np.array([i for i, _, _ in rows]),
            suggested=np.array([code in self.suggested.get(v, ()) for _, _, v in rows], bool),
            read=np.array([unit in read for _, unit, _ in rows], bool),
            positive=np.array([self.says(v, code) for _, _, v in rows], bool),
            weight=np.array([1 / self.probability.get(unit, 1.0) for _, unit, _ in rows]),
        )


def counted_in(study: Study, round_: Round) -> Counted:
    """A counting round's frame, whom of its uniform draw one coder has read whole, and what that coder found in them.

    What came by choice alone teaches; it is no random sample. Where several coders have read a unit, the one who began
    the round first counts; the others serve agreement.
    """
    units = frame(study.db, round_.id)
    unit_of = {voice: unit for unit, voices in units.items() for voice in voices}
    voice_of = {
        row["id"]: row["voice"]
        for row in study.db.conn.execute("SELECT id, voice FROM segments")
        if row["voice"] in unit_of
    }
    segments: dict[str, list[str]] = defaultdict(list)
    for segment, voice in voice_of.items():
        segments[unit_of[voice]].append(segment)
    uniform = [d for d in draws(study.db, round_.id) if is_uniform(d)]
    probability = {d.unit: len(uniform) / len(units) for d in uniform}
    closed = closed_by_coder(study.db, round_.id)
    read = {u: coder for u in probability for coder in reversed(closed) if set(segments[u]) <= closed[coder]}
    found: dict[str, list[Coding]] = defaultdict(list)
    for coding in blind_codings(study.db, round_.id):
        voice = voice_of.get(coding.segment)
        if voice is not None and read.get(unit_of[voice]) == coding.coder:
            found[voice].append(coding)
    return Counted(
        round_, units, probability, read, segments, readings(study, round_.id), found, _suggested(study, voice_of),
        {record.id: record.participant for record in all_voices(study.db)},
    )  # fmt: skip


def _suggested(study: Study, voice_of: Mapping[str, str]) -> dict[str, frozenset[str]]:
    codes: dict[str, set[str]] = defaultdict(set)
    rows = study.db.conn.execute("SELECT segment, code FROM suggestions WHERE reading = ?", [newest_reading(study.db)])
    for row in rows:
        if row["segment"] in voice_of:
            codes[voice_of[row["segment"]]].add(row["code"])
    return {voice: frozenset(found) for voice, found in codes.items()}
