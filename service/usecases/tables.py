"""Code-by-case tables for R, SPSS and Excel: which confirmed codes each voice and each participant has.

A 1 is a code that a person confirmed; a 0 is a text that people read to the end, under a codebook that had the code, and
did not find it in; what nobody read so is missing, never 0. Shares with intervals are `heard findings`' to say: of
texts that were chosen to be read, a mean is no prevalence.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlp.types import Code
from service.files.atomic import whole, write_whole
from service.files.cells import Cell
from service.files.grids import Grid, Variable, meaning, write_csv, write_grid
from service.study.codebooks import active_codes_by_version, newest_codebook
from service.study.confirmed import confirmed
from service.study.database import write
from service.study.passports import Output
from service.study.publications import meanings
from service.study.readings import versions_read
from service.study.runs import add_audit
from service.study.sealed import all_without_others
from service.study.study import Study
from service.study.voices import VoiceRecord, all_voices, segments_by_voice
from service.usecases.check import require_open
from service.usecases.passport import require_output

_FOUND = {0: "read, not found", 1: "found"}
_PERSON = {"voice": "Who speaks", "age_band": "Age band"}
_VOICE = {
    "via": "Whose hand wrote it", "provenance": "How close to what was said", "question": "The question",
    "area": "Area", "period": "Period",
}  # fmt: skip
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Tabled:
    """The files that were written, and how many voices, participants and codes are in them."""

    files: tuple[Path, ...]
    voices: int
    participants: int
    codes: int


def export_tables(study: Study, folder: Path, *, person: str, now: str) -> Tabled:
    """Write the tables as far as `person` may see codings; GateError while nobody may code yet."""
    require_open(study)
    require_output(study, Output.STUDY, actor=person, now=now)
    made = grids(study, person)
    voices, people = made
    codes = sum(v.name.startswith("c_") for v in voices.variables)
    counts = {"voices": len(voices.rows), "participants": len(people.rows), "codes": codes}
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = [file for grid in made for file in write_grid(folder, grid)]
    with whole(folder / "labels.csv") as part:
        write_csv(part, _labels(made))
    write_whole(folder / "README.txt", _README.encode())
    with write(study.db) as connection:
        add_audit(connection, at=now, actor=person, action="export.tables", subject=study.id, counts=counts)
    return Tabled((*files, folder / "labels.csv", folder / "README.txt"), **counts)


def grids(study: Study, person: str) -> tuple[Grid, Grid]:
    """One row for each de-identified voice, and one for each participant; none for what waits for a person."""
    segments = segments_by_voice(study.db)
    voices = [v for v in all_voices(study.db) if v.id in segments]
    known = _Known.of(study, person)
    attributes = list(dict.fromkeys(a for voice in voices for a in voice.attributes))
    return _by_voice(voices, segments, attributes, known), _by_person(voices, segments, attributes, known)


def _by_voice(
    voices: Sequence[VoiceRecord], segments: Mapping[str, Sequence[str]], attributes: Sequence[str], known: _Known
) -> Grid:
    said = {**_PERSON, **_VOICE}
    variables = [Variable("id", "Voice"), Variable("participant", "Participant (a pseudonym)"), *_texts(said)]
    rows = [[v.id, v.participant, *_said([v], said, attributes), *known.cells(segments[v.id])] for v in voices]
    return Grid("voices", [*variables, *_attribute_variables(attributes), *_reading_variables(known.codes)], rows)


def _by_person(
    voices: Sequence[VoiceRecord], segments: Mapping[str, Sequence[str]], attributes: Sequence[str], known: _Known
) -> Grid:
    people: dict[str, list[VoiceRecord]] = defaultdict(list)
    for voice in voices:
        people[voice.participant].append(voice)
    said = {**_PERSON, "area": _VOICE["area"], "period": _VOICE["period"]}
    variables = [
        Variable("participant", "Participant (a pseudonym)"),
        Variable("voices", "How many voices", number=True),
    ]
    rows: list[list[Cell]] = []
    for name, held in people.items():
        cells = known.cells([s for voice in held for s in segments[voice.id]])
        rows.append([name, len(held), *_said(held, said, attributes), *cells])
    variables += [*_texts(said), *_attribute_variables(attributes), *_reading_variables(known.codes)]
    return Grid("participants", variables, rows)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of each segment: the codes confirmed in it, and those on which a reading of it is a full word."""

    codes: tuple[Code, ...]
    found: Mapping[str, frozenset[str]]
    read: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, study: Study, person: str) -> _Known:
        hidden, means = all_without_others(study.db, person), meanings(study.db)
        book = newest_codebook(study.db)
        words = {v: means.whole(v, codes) for v, codes in active_codes_by_version(study.db, book.id).items()}
        versions = versions_read(study.db, person, hidden)
        read = {s: frozenset[str]().union(*(words.get(v, ()) for v in held)) for s, held in versions.items()}
        found: dict[str, set[str]] = defaultdict(set)
        for one in confirmed(study.db, person, hidden):
            found[one.segment].add(one.code)
        return cls(book.active_codes, {s: frozenset(held) for s, held in found.items()}, read)

    def cells(self, segments: Sequence[str]) -> list[Cell]:
        """Segments, how many were read, and for each code whether and how often it was found."""
        row: list[Cell] = [len(segments), sum(s in self.read for s in segments)]
        for code in self.codes:
            times = sum(code.id in self.found.get(s, ()) for s in segments)
            all_read = all(code.id in self.read.get(s, ()) for s in segments)
            row += [1 if times else 0 if all_read else None, times if all_read else None]
        return row


def _said(voices: Sequence[VoiceRecord], fields: Iterable[str], attributes: Iterable[str]) -> list[Cell]:
    """What the records say; of several, each value once."""
    cells: list[Cell] = [_joined(getattr(v, field) for v in voices) for field in fields]
    return cells + [_joined(v.attributes.get(a, "") for v in voices) for a in attributes]


def _joined(values: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(value for value in values if value))


def _texts(named: Mapping[str, str]) -> Iterator[Variable]:
    return (Variable(name, label) for name, label in named.items())


def _attribute_variables(attributes: Sequence[str]) -> list[Variable]:
    return [Variable(name, attribute) for name, attribute in _names("a_", attributes)]


def _reading_variables(codes: Sequence[Code]) -> list[Variable]:
    found = [Variable("segments", "Segments", number=True), Variable("read", "Segments read by a person", number=True)]
    labels = {code.id: code.label for code in codes}
    for (name, code), (count, _) in zip(_names("c_", list(labels)), _names("n_", list(labels)), strict=True):
        about = f"{code}: {labels[code]}"
        found.append(Variable(name, f"{about} (missing: not read by a person)", number=True, values=_FOUND))
        found.append(Variable(count, f"{about}, in how many segments (missing: not all read)", number=True))
    return found


def _names(prefix: str, named: Sequence[str]) -> Iterator[tuple[str, str]]:
    """A name that SPSS takes for each, unlike all others whatever the case."""
    used: set[str] = set()
    for one in named:
        name = plain = (prefix + re.sub(r"[^A-Za-z0-9_]+", "_", one).rstrip("_"))[:_LONGEST_NAME]
        number = 1
        while name.casefold() in used:
            number += 1
            name = f"{plain[: _LONGEST_NAME - 6]}_{number}"
        used.add(name.casefold())
        yield name, one


def _labels(tables: Iterable[Grid]) -> Grid:
    columns = [Variable(name, name) for name in ("table", "variable", "label", "values")]
    rows = [[grid.name, v.name, v.label, meaning(v)] for grid in tables for v in grid.variables]
    return Grid("labels", columns, rows)


_README = """Codings that people confirmed, by voice (voices.*) and by participant (participants.*).
The same cells four times: .csv and .xlsx for Excel, .parquet for R and Python, .sav for SPSS. labels.csv says what each
column is.

c_CODE   1 = a person confirmed the code; 0 = people read the whole text, under a codebook that had the code, and did not
         find it; missing (empty) = not read by a person. A missing value is never a 0.
n_CODE   in how many segments; missing where not all were read.
segments, read   how many segments there are, and how many of them a person read to the end.

Texts are often chosen to be read because something was likely to be in them, so a mean of these columns is no share of
people: heard findings gives shares with intervals. Nothing that a machine proposed is in here.
The rows are about single people: de-identified, not anonymous, and not for release as they are.
In .csv and .xlsx an apostrophe stands before words that a spreadsheet would take for a formula.
"""
