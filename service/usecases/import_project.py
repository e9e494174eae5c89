"""A project of another qualitative tool becomes a study: its texts de-identified, its people's codings kept in place."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from nlp.deid.cascade import Deidentifier
from nlp.errors import InterchangeError
from nlp.interchange.codes import Imported, coded, slug
from nlp.interchange.project import Case, Fidelity, Given, Project
from nlp.interchange.project import Source as Text
from nlp.interchange.read import read_codebook, read_project
from nlp.text import normalise
from nlp.types import Codebook, Provenance, Span, Stance, Via, Voice
from service.errors import InputError
from service.files.mapping import Profile, Source
from service.files.tables import Row, Table
from service.study.codebooks import keep_codebook
from service.study.database import write
from service.study.decisions import Decision, Draw, Round, add_decisions, add_round
from service.study.fixes import Edit, moved_span
from service.study.plans import add_end
from service.study.runs import add_audit, new_run_id
from service.study.study import Study
from service.study.suggestions import set_current_reading
from service.study.voices import StoredSegment, clean_texts_of, segments
from service.usecases.answers import CONSENTS
from service.usecases.deidentify import Progress, deidentify_study, ways_into_clean
from service.usecases.intake import IntakeReport, file_hash, take_in_table, voice_id_of
from service.vault.keys import Key
from service.vault.store import OffsetPair

T = TypeVar("T")
IMPORTED = "imported"
LARGEST = 2_000_000_000
_FIXED: Mapping[str, Sequence[str]] = {
    "voice": tuple(Voice),
    "via": tuple(Via),
    "provenance": tuple(Provenance),
    "consent": CONSENTS,
}
_FREE = ("age_band", "area", "period", "question")
_OURS = "Heard "


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What came of a project: texts, people and codings taken in, and what could not be.

    `elsewhere` counts codings that lie in texts that did not come in (empty, or waiting for a person); `without_code` name a code
    that the file's codebook lacks.
    """

    voices: int
    codings: int
    elsewhere: int
    without_code: int
    intake: IntakeReport


@dataclass(frozen=True, slots=True)
class Brought:
    """A project file that was read, with its codes as a codebook."""

    file: Path
    project: Project
    fidelity: Fidelity
    codebook: Imported


def brought_in(file: Path, *, now: str) -> Brought:
    """The project in a `.qdpx`; InputError where it cannot be read, or holds no texts or no codes."""
    project, fidelity = _read(file, read_project)
    if not any(source.text.strip() for source in project.sources):
        raise InputError(file=file.name, problem="it holds no texts")
    return Brought(file, project, fidelity, _codebook_of(project, file, now))


def codebook_in(file: Path, *, now: str) -> Imported:
    """The codebook in a `.qdc` or a `.qdpx`; InputError where there is none."""
    project = _read(file, read_project)[0] if file.suffix.casefold() == ".qdpx" else _read(file, read_codebook)
    return _codebook_of(project, file, now)


def _codebook_of(project: Project, file: Path, now: str) -> Imported:
    if not project.codes:
        raise InputError(file=file.name, problem="it holds no codes")
    name = project.name or file.stem
    return coded(project.codes, book_id=slug(name), title=name, date=now[:10], origin=project.origin)


def _read(file: Path, reader: Callable[[bytes], T]) -> T:
    if not file.is_file():
        raise InputError(file=file.name, problem="there is no such file")
    if file.stat().st_size > LARGEST:
        raise InputError(file=file.name, problem="it is larger than 2 GB, more than a project holds")
    try:
        return reader(file.read_bytes())
    except InterchangeError as bad:
        raise InputError(file=file.name, problem=str(bad)) from None


def import_project(
    study: Study, key: Key, brought: Brought, deidentifier: Deidentifier, *, speaker: str, now: str, keep_raw_days: int,
    actor: str, progress: Progress,
) -> ImportReport:  # fmt: skip
    """Take a project into an empty study. Nothing is shown to anyone before it is de-identified.

    Codings come in as decisions of the file's own people, each on the words that it stood on; they stand in a round of
    their own, so that no count mixes them with reads that were drawn.
    """
    table, profile = _table(brought, speaker)
    input_hash, book = file_hash(brought.file), brought.codebook.book
    with write(study.db) as connection:
        keep_codebook(connection, book, now)
        set_current_reading(connection, "", book.id, book.version)
    taken = take_in_table(
        study, table, profile, key, input_hash=input_hash, now=now, keep_raw_days=keep_raw_days, actor=actor
    )
    deidentify_study(study, key, deidentifier, now=now, actor=actor, progress=progress)
    ids = {s.guid: voice_id_of(key, profile.name, s.guid, "text") for s in brought.project.sources}
    lost = Counter[str]()
    acts = list(_acts(study, key, brought, ids, lost))
    _store(study, book, acts, now=now, actor=actor)
    return ImportReport(taken.voices, len(acts), lost["elsewhere"], lost["without_code"], taken)


def _table(brought: Brought, speaker: str) -> tuple[Table, Profile]:
    """The project's texts as a table with one a row, and how it is read."""
    said = _Said(brought.project, speaker)
    rows = tuple(Row(n, said.cells(source)) for n, source in enumerate(brought.project.sources, 1))
    extra = said.attributes()
    columns = ("guid", "case", "name", "text", *_FIXED, *_FREE, *extra)
    fields: dict[str, Any] = {name: Source(column=name) for name in (*_FIXED, *_FREE)}
    profile = Profile(
        name=f"project {file_hash(brought.file)[:12]}", record_id="guid", participant="case", texts=["text"],
        known_people=["name"], attributes=list(extra), **fields,
    )  # fmt: skip
    return Table(brought.file.name, columns, {}, (), lambda: iter(rows)), profile


class _Said:
    """What a project says of its texts beside their words.

    Attributes of our own exports come back; of other tools' only those that this tool knows, since a free attribute may
    hold anything about a person.
    """

    def __init__(self, project: Project, speaker: str) -> None:
        self._speaker = speaker
        self._ours = project.origin.startswith(_OURS)
        self._names = {v.guid: v.name for v in project.variables}
        self._cases: dict[str, Case] = {s: case for case in project.cases for s in case.sources}

    def attributes(self) -> tuple[str, ...]:
        """The names of variables that come in as attributes."""
        known = {*_FIXED, *_FREE}
        return tuple(name for name in dict.fromkeys(self._names.values()) if self._ours and name not in known)

    def cells(self, source: Text) -> dict[str, str]:
        """A text as a row."""
        case = self._cases.get(source.guid)
        held = {self._names.get(v.variable, ""): v.value for v in (*(case.values if case else ()), *source.values)}
        cells = {name: self._known(name, held.get(name, "")) for name in _FIXED}
        cells |= {name: held.get(name, "") if self._ours else "" for name in (*_FREE, *self.attributes())}
        person = case.guid if case else source.guid
        name = "" if case is None or self._ours else case.name
        return {**cells, "guid": source.guid, "case": person, "name": name, "text": source.text}

    def _known(self, field: str, value: str) -> str:
        if field == "voice" and self._speaker:
            return self._speaker
        unknown = CONSENTS[0] if field == "consent" else "unknown"
        return value if value in _FIXED[field] else unknown


@dataclass(frozen=True, slots=True)
class _Act:
    """A coding as it stands in the study."""

    segment: str
    code: str
    start: int
    end: int
    stance: str
    coder: str
    at: str


def _acts(study: Study, key: Key, brought: Brought, ids: Mapping[str, str], lost: Counter[str]) -> Iterator[_Act]:
    project, codebook = brought.project, brought.codebook
    texts = clean_texts_of(study.db, list(ids.values()))
    ways = ways_into_clean(study, key, list(texts))
    tiles: dict[str, list[StoredSegment]] = {}
    for tile in segments(study.db):
        tiles.setdefault(tile.voice, []).append(tile)
    codes = {code.id for code in codebook.book.codes}
    users = {user.guid: user.name for user in project.users}
    stances = {note.guid: note.text for note in project.notes if note.name == "stance"}
    for source in project.sources:
        voice = ids[source.guid]
        for span, given in _codings(source):
            if codebook.ids.get(given.code) not in codes:
                lost["without_code"] += 1
                continue
            if voice not in texts:
                lost["elsewhere"] += 1
                continue
            place = _clean(source.text, texts[voice], ways[voice], span)
            stance = next((stances[note] for note in given.notes if note in stances), "")
            for segment, part in _parts(tiles.get(voice, ()), place):
                coder = users.get(given.user, "") or "not said"
                yield _Act(segment, codebook.ids[given.code], part.start, part.end, _stance(stance), coder, given.at)


def _codings(source: Text) -> Iterator[tuple[Span, Given]]:
    """Each coding with its words; one of the whole text stands on all of it."""
    for selection in source.selections:
        for given in selection.given:
            yield Span(selection.start, selection.end), given
    for given in source.given:
        yield Span(0, len(source.text)), given


def _clean(source: str, clean: str, way: Sequence[OffsetPair], span: Span) -> Span:
    """Where a stretch of a source stands in its clean text; one that cuts into a redaction takes it in whole."""
    normal = normalise(source)
    blank = len(normal.text) - len(normal.text.lstrip())
    length = len(normal.text.strip())
    places = (bisect_left(normal.starts, at) - blank for at in (span.start, span.end))
    start, end = (min(max(place, 0), length) for place in places)
    return Span(*moved_span([Edit(a, b, clean[c:d]) for a, b, c, d in way], start, end))


def _parts(tiles: Sequence[StoredSegment], span: Span) -> Iterator[tuple[str, Span]]:
    """The segments that a stretch touches with a word, each with its part of it."""
    for tile in tiles:
        start, end = max(span.start, tile.start), min(span.end, tile.end)
        words = tile.text[start - tile.start : end - tile.start] if start < end else ""
        if any(ch.isalnum() for ch in words):
            inner = start + len(words) - len(words.lstrip())
            yield tile.id, Span(inner, inner + len(words.strip()))


def _stance(words: str) -> str:
    return words if words in set(Stance) else ""


def _store(study: Study, book: Codebook, acts: Sequence[_Act], *, now: str, actor: str) -> None:
    with write(study.db) as connection:
        for held in _layers(acts):
            id_ = new_run_id(IMPORTED, now)
            round_ = Round(id_, "review", "segment", 0, book.id, book.version, now)
            places = dict.fromkeys(act.segment for act in held)
            add_round(connection, round_, [Draw(n, s, IMPORTED, 1.0) for n, s in enumerate(places, 1)])
            add_decisions(connection, [_decision(act, round_, now) for act in held])
            add_end(connection, id_, by=actor, at=now)
        add_audit(connection, at=now, actor=actor, action="import", subject=study.id, counts={"codings": len(acts)})


def _layers(acts: Sequence[_Act]) -> list[list[_Act]]:
    """Rounds to keep codings in: a coder's code stands once in a segment of a round, so a second place goes to the next."""
    layers: list[list[_Act]] = []
    seen = Counter[tuple[str, str, str]]()
    for act in acts:
        key = (act.segment, act.code, act.coder)
        if seen[key] == len(layers):
            layers.append([])
        layers[seen[key]].append(act)
        seen[key] += 1
    return layers


def _decision(act: _Act, round_: Round, now: str) -> Decision:
    return Decision(
        segment=act.segment, action="add", coder=act.coder, at=act.at or now, round=round_.id, stream=IMPORTED,
        probability=1.0, codebook=round_.codebook, codebook_version=round_.codebook_version, shown=False, code=act.code,
        stance=act.stance, start=act.start, end=act.end,
    )  # fmt: skip
