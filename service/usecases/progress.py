"""How far reading is: what is still missed of each code, and whether further voices still bring something new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.themes.queue import Missed, still_missed
from nlp.themes.saturation import Saturation, saturation
from nlp.types import Code
from service.study.codebooks import newest_codebook
from service.study.database import pairs
from service.study.decisions import Round, blind_codings, closed_by_coder, draws
from service.study.publications import COUNTS_AS
from service.study.study import Study
from service.study.suggestions import newest_reading
from service.usecases.kept import kept
from service.usecases.meaning import readings
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
    codes = _still_read(study, round_)
    column = {code.id: j for j, code in enumerate(codes)}
    unit_of = _unit_of_segments(study, round_)
    place = kept(study, f"places in {round_.id}", lambda: _places(unit_of), decided=False)
    by_code = _suggested(study, round_, unit_of, place)
    none = np.zeros(len(place), bool)
    suggested = np.array([by_code.get(code.id, none) for code in codes], bool).reshape(len(codes), len(place)).T
    found = np.zeros(suggested.shape, bool)
    whole = _read(study, round_, unit_of)
    read = np.array([unit in whole for unit in place], bool)
    for coding in blind_codings(study.db, round_.id):
        if coding.segment in unit_of and coding.code in column:
            found[place[unit_of[coding.segment]], column[coding.code]] = True
    probability = {d.unit: d.probability for d in draws(study.db, round_.id)}
    weights = np.array([1 / probability.get(unit, 1.0) for unit in place])
    missed = still_missed(suggested, found, read, weights)
    name = "people" if round_.unit == "participant" else "texts"
    return tuple(Unseen(code, name, m) for code, m in zip(codes, missed, strict=True))


def _still_read(study: Study, round_: Round) -> tuple[Code, ...]:
    """Codes that have not changed since anything was read in the round: of the others it can say nothing."""
    said = readings(study, round_.id)
    versions = set(said.versions.values())
    return tuple(c for c in newest_codebook(study.db).active_codes if all(c.id in said.whole[v] for v in versions))


def _unit_of_segments(study: Study, round_: Round) -> dict[str, str]:
    """The unit of each segment of the round's frame."""

    def look() -> dict[str, str]:
        rows = pairs(
            study.db,
            "SELECT s.id, f.unit FROM frames f JOIN segments s ON s.voice = f.voice WHERE f.round = ?"
            " AND s.voice NOT IN (SELECT voice FROM clean_texts WHERE held <> '')",
            [round_.id],
        )
        return dict(rows)

    return kept(study, f"units of {round_.id}", look, decided=False)


def _places(unit_of: Mapping[str, str]) -> dict[str, int]:
    """The row of each unit."""
    return {unit: i for i, unit in enumerate(dict.fromkeys(unit_of.values()))}


def _suggested(
    study: Study, round_: Round, unit_of: Mapping[str, str], place: Mapping[str, int]
) -> Mapping[str, NDArray[np.bool_]]:
    """For each code, the units of the round's frame for which it is suggested, shape (units,)."""

    def look() -> dict[str, NDArray[np.bool_]]:
        rows = pairs(study.db, "SELECT segment, code FROM suggestions WHERE reading = ?", [newest_reading(study.db)])
        found: dict[str, NDArray[np.bool_]] = {}
        for segment, code in rows:
            if segment in unit_of:
                found.setdefault(code, np.zeros(len(place), bool))[place[unit_of[segment]]] = True
        return found

    return kept(study, f"suggested in {round_.id}", look, decided=False)


def _read(study: Study, round_: Round, unit_of: Mapping[str, str]) -> frozenset[str]:
    """Units that one coder has read to the end."""
    size = kept(study, f"sizes in {round_.id}", lambda: Counter(unit_of.values()), decided=False)
    whole: set[str] = set()
    for closed in closed_by_coder(study.db, round_.id).values():
        done = Counter(unit_of[segment] for segment in closed if segment in unit_of)
        whole |= {unit for unit, count in done.items() if count == size[unit]}
    return frozenset(whole)


def _voices_read(study: Study) -> list[frozenset[str]]:
    """For each voice that was closed, in the order in which it was first, the codes that people gave it."""
    rows = study.db.conn.execute(
        "SELECT s.voice FROM standing d JOIN segments s ON s.id = d.segment"
        " JOIN clean_texts c ON c.voice = s.voice AND c.version = s.version"
        " WHERE d.action = 'close' AND c.held = '' GROUP BY s.voice ORDER BY min(d.seq)"
    )
    given: dict[str, set[str]] = {row["voice"]: set() for row in rows}
    for row in study.db.conn.execute(
        f"SELECT s.voice, {COUNTS_AS} AS code FROM codings k JOIN segments s ON s.id = k.segment"
    ):
        if row["code"] and row["voice"] in given:
            given[row["voice"]].add(row["code"])
    return [frozenset(codes) for codes in given.values()]
