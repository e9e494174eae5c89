"""The table of voices: found by words, by who speaks and by codes, with codes as columns.

What a coder must not see yet (see `service.study.sealed`) stands in no row and decides over none: a voice of which a
part is still to be read blind is found by a code only where that part has nothing to do with it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from nlp.types import Code
from service.errors import RecordError
from service.study.codebooks import all_codebooks, newest_codebook
from service.study.confirmed import confirmed
from service.study.sealed import all_without_others, all_without_suggestions, without_others, without_suggestions
from service.study.search import CLOSES, OPENS, Hidden, VoiceFilter, attribute_values, find_voices, snippets
from service.study.study import Study
from service.study.suggestions import newest_reading
from service.study.voices import NEWEST
from service.usecases.kept import kept

PAGE = 25
SHOWN = 280
_SPACE = re.compile(r"\s")


@dataclass(frozen=True, slots=True)
class Marked:
    """A stretch of text; `found` where it is what was searched for."""

    text: str
    found: bool


@dataclass(frozen=True, slots=True)
class VoiceLine:
    """A voice in the table. `suggested` and `confirmed` are ids of codes, as far as the person may see them.

    `cells` has, for each code asked for, 1 (confirmed), 0 (read to the end and not given) or None (nobody can say yet,
    or it is kept from the person). `waits` says that a part is kept from the person until it is read blind.
    """

    id: str
    participant: str
    voice: str
    via: str
    provenance: str
    age_band: str
    area: str
    period: str
    question: str
    words: tuple[Marked, ...]
    suggested: tuple[str, ...]
    confirmed: tuple[str, ...]
    cells: tuple[int | None, ...]
    waits: bool


@dataclass(frozen=True, slots=True)
class VoicePage:
    """One page of the table."""

    lines: tuple[VoiceLine, ...]
    page: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class _Parts:
    """The segments of the voices on a page, and what of them is hidden."""

    voice_of: Mapping[str, str]
    hidden: Hidden


def search_voices(
    study: Study, person: str, wanted: VoiceFilter, *, page: int, columns: Sequence[str] = (), size: int = PAGE
) -> VoicePage:
    """A page of the voices that fit; past the last page, the last. `columns` are ids of codes to give `cells` for."""
    found = find_voices(study.db, wanted, _hidden(study, person, wanted))
    pages = max(1, -(-len(found) // size))
    at = min(max(page, 1), pages)
    lines = _lines(study, person, found[size * (at - 1) : size * at], wanted.words, columns)
    return VoicePage(lines, at, pages, len(found))


def _hidden(study: Study, person: str, wanted: VoiceFilter) -> Hidden:
    """What decides over no row, worked out only where a filter asks for it."""
    suggestions = all_without_suggestions(study.db, person) if wanted.suggested or wanted.silent else set()
    others = all_without_others(study.db, person) if wanted.confirmed or wanted.flagged else set()
    return Hidden(person, suggestions, others)


def voice_options(study: Study) -> dict[str, list[str]]:
    """What the filters offer: the values that each attribute takes in this study."""
    return kept(study, "voice options", lambda: attribute_values(study.db))


def _lines(
    study: Study, person: str, ids: Sequence[str], words: str, columns: Sequence[str]
) -> tuple[VoiceLine, ...]:  # fmt: skip
    marks = ",".join("?" * len(ids))
    rows = study.db.conn.execute(
        "SELECT v.id, v.participant, v.voice, v.via, v.provenance, v.age_band, v.area, v.period, v.question, c.text"
        f" FROM voices v JOIN clean_texts c ON c.voice = v.id AND c.version = {NEWEST} WHERE v.id IN ({marks})",
        list(ids),
    )
    held = {row["id"]: dict(row) for row in rows}
    parts, found = _parts(study, person, ids), snippets(study.db, words, ids)
    suggested, given = _suggested(study, parts), _confirmed(study, parts)
    told = _told(study, parts) if columns else set()
    waits = {parts.voice_of[s] for s in parts.hidden.suggestions}
    return tuple(
        VoiceLine(
            **{k: v for k, v in held[i].items() if k != "text"}, words=_marked(found.get(i, ""), held[i]["text"]),
            suggested=suggested[i], confirmed=tuple(sorted(given[i])), waits=i in waits,
            cells=tuple(1 if c in given[i] else 0 if i in told else None for c in columns),
        )
        for i in ids
    )  # fmt: skip


def _parts(study: Study, person: str, ids: Sequence[str]) -> _Parts:
    marks = ",".join("?" * len(ids))
    rows = study.db.conn.execute(f"SELECT id, voice FROM segments WHERE voice IN ({marks})", list(ids))
    voice_of = {row["id"]: row["voice"] for row in rows}
    segments = list(voice_of)
    unseen, others = (without(study.db, person, segments) for without in (without_suggestions, without_others))
    return _Parts(voice_of, Hidden(person, unseen, others))


def _suggested(study: Study, parts: _Parts) -> dict[str, tuple[str, ...]]:
    """The codes suggested for each voice, best first."""
    segments = [s for s in parts.voice_of if s not in parts.hidden.suggestions]
    rows = study.db.conn.execute(
        "SELECT segment, code FROM suggestions WHERE reading = ?"
        f" AND segment IN ({','.join('?' * len(segments))}) ORDER BY probability DESC, id",
        [newest_reading(study.db), *segments],
    )
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for row in rows:
        found[parts.voice_of[row["segment"]]][row["code"]] = None
    return defaultdict(tuple, {voice: tuple(codes) for voice, codes in found.items()})


def _confirmed(study: Study, parts: _Parts) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    where = f"k.segment IN ({','.join('?' * len(parts.voice_of))})"
    for one in confirmed(study.db, parts.hidden.person, parts.hidden.others, where, list(parts.voice_of)):
        found[parts.voice_of[one.segment]].add(one.code)
    return found


def _told(study: Study, parts: _Parts) -> set[str]:
    """Voices that one coder has read to the end and of which nothing is hidden."""
    rows = study.db.conn.execute(
        "SELECT DISTINCT segment FROM standing WHERE action = 'close'"
        f" AND segment IN ({','.join('?' * len(parts.voice_of))})",
        list(parts.voice_of),
    )
    open_: Collection[str] = set(parts.voice_of) - {row[0] for row in rows} | set(parts.hidden.others)
    return set(parts.voice_of.values()) - {parts.voice_of[s] for s in open_}


def _marked(snippet: str, text: str) -> tuple[Marked, ...]:
    if not snippet:
        return (Marked(_shortened(text), found=False),)
    pieces = [piece for part in snippet.split(OPENS) for piece in _split(part)]
    return tuple(Marked(text, found) for text, found in pieces if text)


def _split(part: str) -> list[tuple[str, bool]]:
    found, closed, rest = part.rpartition(CLOSES)
    return [(found, True), (rest, False)] if closed else [(rest, False)]


def _shortened(text: str) -> str:
    """The beginning of a text, cut between words."""
    if len(text) <= SHOWN:
        return text
    cut = max((m.start() for m in _SPACE.finditer(text, 0, SHOWN)), default=SHOWN)
    return text[:cut].rstrip() + "…"


def code_labels(study: Study) -> dict[str, str]:
    """The names of the codes now in use, by id; none before the first suggestions."""
    try:
        return {code.id: code.label for code in newest_codebook(study.db).active_codes}
    except RecordError:
        return {}


def every_code(study: Study) -> dict[str, Code]:
    """Every code that the study has ever known, by id, as the version that came last has it."""
    return {code.id: code for book in all_codebooks(study.db, study.codebook) for code in book.codes}
