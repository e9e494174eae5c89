"""A study as a project that other qualitative tools open (REFI-QDA): de-identified texts, people, confirmed codings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import groupby

from nlp.interchange.codes import code_guid, entries
from nlp.interchange.offsets import with_lf
from nlp.interchange.project import (
    Case,
    CodeEntry,
    Given,
    Kind,
    Note,
    Project,
    Selection,
    Source,
    User,
    Value,
    Variable,
    guid,
)
from nlp.interchange.write import write_codebook, write_project
from nlp.types import Codebook
from service.study.codebooks import newest_codebook
from service.study.confirmed import Confirmed, confirmed
from service.study.database import write
from service.study.memos import Memo, memos
from service.study.passports import Output
from service.study.runs import add_audit
from service.study.sealed import all_without_others
from service.study.study import Study
from service.study.suggestions import StoredSuggestion, suggestions_of_voice
from service.study.voices import VoiceRecord, all_voices, clean_texts_of, segments
from service.usecases.check import require_open
from service.usecases.passport import require_output

_ABOUT = (
    "De-identified voices with the codings that people confirmed; nothing that a machine proposed is a coding here{also}. "
    "Offsets count UTF-16 units over texts with LF line ends. A note “stance” says how the speaker stands to the theme."
)
_ALSO = ", but its open suggestions are here under a user of their own, marked (machine)"
_PERSON = ("voice", "age_band")
_VOICE = ("question", "via", "provenance", "consent", "area", "period")
_SETTLED = "settled together"
_CHUNK = 400


@dataclass(frozen=True, slots=True)
class Exported:
    """A project file, with how many texts, people and codings are in it."""

    content: bytes
    sources: int
    people: int
    codings: int
    suggestions: int


def export_codebook(book: Codebook) -> bytes:
    """A codebook as a `.qdc`."""
    return write_codebook(entries(book), _origin())


def export_project(study: Study, *, person: str, now: str, with_suggestions: bool = False) -> Exported:
    """The study as a `.qdpx`, as far as `person` may see it; GateError while nobody may code yet.

    The same study gives the same bytes. Suggestions, if asked for, are those that nobody decided on.
    """
    require_open(study)
    require_output(study, Output.STUDY, actor=person, now=now)
    project = _project(study, person, with_suggestions)
    given = [g for s in project.sources for selection in s.selections for g in selection.given]
    machine = sum(g.user == _machine(study).guid for g in given)
    counts = {"sources": len(project.sources), "people": len(project.cases), "codings": len(given) - machine}
    with write(study.db) as connection:
        add_audit(connection, at=now, actor=person, action="export.project", subject=study.id, counts=counts)
    return Exported(write_project(project), suggestions=machine, **counts)


def _origin() -> str:
    return f"Heard {version('heard')}"


def _project(study: Study, person: str, with_suggestions: bool) -> Project:
    book = newest_codebook(study.db)
    found = confirmed(study.db, person, all_without_others(study.db, person))
    texts = _texts(study)
    voices = [v for v in all_voices(study.db) if v.id in texts]
    noted = _memos(study, voices)
    machine = _machine_codings(study, voices, found) if with_suggestions else {}
    stated = sorted({one.stance for one in found if one.stance})
    names = sorted({_coder(one) for one in found} | {m.by for held in noted.values() for m in held})
    sources = _Sources(study.id, book.id, texts, _by_voice(study, found), machine, noted)
    return Project(
        name=study.title,
        origin=_origin(),
        description=_ABOUT.format(also=_ALSO if with_suggestions else ""),
        users=(*(_user(study, name) for name in names), *((_machine(study),) if machine else ())),
        codes=tuple(_with_memos(study, book, noted)),
        variables=tuple(_variables(study, voices)),
        cases=tuple(_cases(study, voices)),
        sources=tuple(sources.of(voice) for voice in voices),
        notes=(*(Note(_stance(study.id, s), "stance", s) for s in stated), *_notes(study, noted)),
    )


def _texts(study: Study) -> dict[str, str]:
    """Every clean text with LF line ends, those apart that wait for a person."""
    ids = [voice.id for voice in all_voices(study.db)]
    found: dict[str, str] = {}
    for start in range(0, len(ids), _CHUNK):
        found |= clean_texts_of(study.db, ids[start : start + _CHUNK])
    return found


def _coder(one: Confirmed) -> str:
    return _SETTLED if one.settled else one.coder


def _user(study: Study, name: str) -> User:
    return User(guid("user", study.id, name), name)


def _machine(study: Study) -> User:
    return User(guid("machine", study.id), "suggestions (machine)")


def _stance(study: str, stance: str) -> str:
    return guid("stance", study, stance)


def _by_voice(study: Study, found: Iterable[Confirmed]) -> dict[str, list[Confirmed]]:
    voice_of = {s.id: s.voice for s in segments(study.db)}
    held: dict[str, list[Confirmed]] = defaultdict(list)
    for one in found:
        if one.segment in voice_of:
            held[voice_of[one.segment]].append(one)
    return held


def _machine_codings(
    study: Study, voices: Sequence[VoiceRecord], found: Iterable[Confirmed]
) -> dict[str, list[StoredSuggestion]]:
    """What is suggested and stands undecided, by voice."""
    decided = {row[0] for row in study.db.conn.execute("SELECT DISTINCT segment FROM standing WHERE action = 'close'")}
    decided |= {one.segment for one in found}
    open_ = {v.id: [s for s in suggestions_of_voice(study.db, v.id) if s.segment not in decided] for v in voices}
    return {voice: held for voice, held in open_.items() if held}


def _variables(study: Study, voices: Sequence[VoiceRecord]) -> Iterator[Variable]:
    named = dict.fromkeys((*_PERSON, *_VOICE, *(a for voice in voices for a in voice.attributes)))
    return (Variable(_variable(study, name), name, Kind.TEXT) for name in named)


def _variable(study: Study, name: str) -> str:
    return guid("variable", study.id, name)


def _values(study: Study, values: Mapping[str, str]) -> tuple[Value, ...]:
    return tuple(Value(_variable(study, name), value) for name, value in values.items() if value)


def _cases(study: Study, voices: Sequence[VoiceRecord]) -> Iterator[Case]:
    people: dict[str, list[VoiceRecord]] = {}
    for voice in voices:
        people.setdefault(voice.participant, []).append(voice)
    for person, held in people.items():
        values = _values(study, {**{name: getattr(held[0], name) for name in _PERSON}, **held[0].attributes})
        sources = tuple(guid("source", study.id, voice.id) for voice in held)
        yield Case(guid("case", study.id, person), person, values=values, sources=sources)


def _with_memos(study: Study, book: Codebook, noted: Mapping[tuple[str, str], Sequence[Memo]]) -> Iterator[CodeEntry]:
    on_codes = {
        code_guid(book.id, subject): tuple(_memo(study.id, memo) for memo in held)
        for (kind, subject), held in noted.items()
        if kind == "code"
    }
    return (replace(code, notes=on_codes.get(code.guid, ())) for code in entries(book))


def _memos(study: Study, voices: Sequence[VoiceRecord]) -> dict[tuple[str, str], list[Memo]]:
    """Memos on codes and on voices that go out, by what they are on."""
    held: dict[tuple[str, str], list[Memo]] = defaultdict(list)
    going = {voice.id for voice in voices}
    for memo in [*memos(study.db, "code"), *memos(study.db, "voice")]:
        if memo.object == "code" or memo.subject in going:
            held[memo.object, memo.subject].append(memo)
    return held


def _memo(study: str, memo: Memo) -> str:
    return guid("memo", study, str(memo.id))


def _notes(study: Study, noted: Mapping[tuple[str, str], Sequence[Memo]]) -> Iterator[Note]:
    for held in noted.values():
        for memo in held:
            user = guid("user", study.id, memo.by)
            yield Note(_memo(study.id, memo), memo.kind or "memo", with_lf(memo.words), user, memo.at)


@dataclass(frozen=True, slots=True)
class _Sources:
    """Voices as sources, with what is given in them."""

    study: str
    book: str
    texts: Mapping[str, str]
    confirmed: Mapping[str, Sequence[Confirmed]]
    suggested: Mapping[str, Sequence[StoredSuggestion]]
    memos: Mapping[tuple[str, str], Sequence[Memo]]

    def of(self, voice: VoiceRecord) -> Source:
        """One voice."""
        text = self.texts[voice.id]
        codings = [(one.start, one.end, self._given(voice, one)) for one in self.confirmed.get(voice.id, ())]
        codings += [(s.start, s.end, self._suggested(voice, s)) for s in self.suggested.get(voice.id, ())]
        codings.sort(key=lambda c: (c[0], c[1], c[2].user, c[2].code, c[2].at))
        return Source(
            guid=guid("source", self.study, voice.id),
            name=voice.id,
            text=with_lf(text),
            selections=tuple(self._selections(voice, text, codings)),
            values=tuple(self._values(voice)),
            notes=tuple(_memo(self.study, memo) for memo in self.memos.get(("voice", voice.id), ())),
        )

    def _values(self, voice: VoiceRecord) -> Iterator[Value]:
        for name in _VOICE:
            if value := str(getattr(voice, name)):
                yield Value(guid("variable", self.study, name), value)

    def _selections(
        self, voice: VoiceRecord, text: str, codings: Iterable[tuple[int, int, Given]]
    ) -> Iterator[Selection]:
        for (start, end), held in groupby(codings, key=lambda c: (c[0], c[1])):
            given = tuple(one for _, _, one in held)
            a, b = len(with_lf(text[:start])), len(with_lf(text[:end]))
            yield Selection(guid("selection", self.study, voice.id, f"{start}-{end}"), a, b, given=given)

    def _given(self, voice: VoiceRecord, one: Confirmed) -> Given:
        user = guid("user", self.study, _coder(one))
        place = (self.study, voice.id, f"{one.start}-{one.end}", one.code, _coder(one))
        notes = (_stance(self.study, one.stance),) if one.stance else ()
        return Given(guid("coding", *place), code_guid(self.book, one.code), user, one.at, notes)

    def _suggested(self, voice: VoiceRecord, one: StoredSuggestion) -> Given:
        place = (self.study, voice.id, f"{one.start}-{one.end}", one.code, "machine")
        return Given(guid("coding", *place), code_guid(self.book, one.code), guid("machine", self.study))
