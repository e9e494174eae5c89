"""How far reading is: what is still missed of each code, and whether further voices still bring something new."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nlp.themes.queue import Missed, still_missed
from nlp.themes.saturation import Saturation, saturation
from nlp.types import Code
from service.study.codebooks import newest_codebook
from service.study.decisions import Round, blind_codings, closed_by_coder, codings, draws, frame
from service.study.study import Study
from service.study.suggestions import newest_reading
from service.study.voices import segments
from service.usecases.rounds import counted_round

SEED = 1


@dataclass(frozen=True, slots=True)
class Unseen:
    """A code with what is expected still to be missed; `unit` is what a counting round drew: people or texts."""

    code: Code
    unit: str
    missed: Missed


@dataclass(frozen=True, slots=True)
class Progress:
    """`unseen` is empty before a counting round; `saturation` is over all voices that somebody has read to the end."""

    unseen: tuple[Unseen, ...]
    saturation: Saturation


def progress(study: Study) -> Progress:
    """Where reading stands, over the newest counting round that was begun and over all that was read."""
    round_ = counted_round(study)
    return Progress(_unseen(study, round_) if round_ else (), saturation(_voices_read(study), seed=SEED))


def _unseen(study: Study, round_: Round) -> tuple[Unseen, ...]:
    codes = newest_codebook(study.db).active_codes
    column = {code.id: j for j, code in enumerate(codes)}
    unit_of = _unit_of_segments(study, round_)
    units = list(dict.fromkeys(unit_of.values()))
    place = {unit: i for i, unit in enumerate(units)}
    suggested, found = (np.zeros((len(units), len(codes)), bool) for _ in range(2))
    for row in study.db.conn.execute(
        "SELECT segment, code FROM suggestions WHERE reading = ?", [newest_reading(study.db)]
    ):
        if row["segment"] in unit_of and row["code"] in column:
            suggested[place[unit_of[row["segment"]]], column[row["code"]]] = True
    whole = _read(study, round_, unit_of)
    read = np.array([unit in whole for unit in units], bool)
    for coding in blind_codings(study.db, round_.id):
        if coding.segment in unit_of and coding.code in column:
            found[place[unit_of[coding.segment]], column[coding.code]] = True
    probability = {d.unit: d.probability for d in draws(study.db, round_.id)}
    weights = np.array([1 / probability.get(unit, 1.0) for unit in units])
    missed = still_missed(suggested, found, read, weights)
    name = "people" if round_.unit == "participant" else "texts"
    return tuple(Unseen(code, name, m) for code, m in zip(codes, missed, strict=True))


def _unit_of_segments(study: Study, round_: Round) -> dict[str, str]:
    unit_of = {voice: unit for unit, voices in frame(study.db, round_.id).items() for voice in voices}
    return {s.id: unit_of[s.voice] for s in segments(study.db) if s.voice in unit_of}


def _read(study: Study, round_: Round, unit_of: Mapping[str, str]) -> frozenset[str]:
    """Units that one coder has read to the end."""
    whole: dict[str, set[str]] = defaultdict(set)
    for segment, unit in unit_of.items():
        whole[unit].add(segment)
    closed = closed_by_coder(study.db, round_.id).values()
    return frozenset(unit for unit, parts in whole.items() if any(parts <= done for done in closed))


def _voices_read(study: Study) -> list[frozenset[str]]:
    """For each voice that was closed, in the order in which it was first, the codes that people gave it."""
    voice_of = {s.id: s.voice for s in segments(study.db)}
    rows = study.db.conn.execute(
        "SELECT segment FROM standing WHERE action = 'close' GROUP BY segment ORDER BY min(seq)"
    )
    order = dict.fromkeys(voice_of[row["segment"]] for row in rows if row["segment"] in voice_of)
    given: dict[str, set[str]] = defaultdict(set)
    for coding in codings(study.db):
        given[voice_of.get(coding.segment, "")].add(coding.code)
    return [frozenset(given[voice]) for voice in order]
