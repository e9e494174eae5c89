"""Exports of survey tools and case systems, recognised by what is in them: a mapping profile made for the file at hand.

A tool is known by its own columns. The questions differ from form to form, so each column is judged by its cells: free
text is read, closed answers become attributes, names feed the list of known people, other identifiers are dropped.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nlp.types import Via, Voice
from service.files.columns import LONGEST_CHOICE, MOST_CHOICES, Cells, Holds, columns_in
from service.files.mapping import Confidential, LeftOut, Profile, Source
from service.files.tables import Table


def _shape(*words: str) -> re.Pattern[str]:
    """Any of these, whatever the case."""
    return re.compile("|".join(words), re.IGNORECASE)


_YES = _shape(r"^y$", r"^yes\b", r"^true$", r"^1$", r"^agree", r"^i (?:do|am|agree)\b(?! not)")
_NO = _shape(r"^n$", r"^no\b", r"^false$", r"^0$", r"^i do not", r"^disagree")
_MAY_QUOTE = _shape("quote", "publish", "use your words")
_CONFIDENTIAL = _shape("confidential", "restricted", "sensitive record")
_WHO = _shape(
    r"^(?:voice|speaker|whose view|your role|role|respondent type)\b", r"^who is (?:speaking|answering)",
    r"^i am (?:an?|answering)\b", r"^are you\b",
)  # fmt: skip
_AGE, _AREA = (
    _shape(r"\bage(?:d| band| group)?\b", "how old"),
    _shape(r"\b(?:area|locality|district|ward|town)\b", "where do you live"),
)
_PERSON = _shape(
    r"^(?:dim_)?person[ _]?(?:id|ref)$", r"^(?:child|client|mosaic|swift|lcs) (?:id|ref)$", r"^participant(?: id)?$",
    r"^family ref$",
)  # fmt: skip
_RECORD = _shape(
    r"^(?:record|response|unique|note)?[ _]?id$", r"^fact_casenote_id$", r"^case ?note ?id$", r"^(?:note )?ref(?:erence)?$",
    r"^case reference number$",
)  # fmt: skip
_PROVENANCE = _shape(
    "^provenance$", "^record type$", "^kind of text$", "^note source$", r"^ai[ -]?(?:generated|drafted|summary)"
)
_AI = _shape(r"\bai\b", "magic notes", "copilot", "drafted", "generated")
_SPEAKERS = (
    (Voice.YOUNG_PERSON, _shape("young (?:person|people|parent)", "care leaver", "teen")),
    (
        Voice.PARENT_CARER,
        _shape("parent", "carer", "mum", "mother", r"\bdad", "father", "guardian", "grand", "kinship"),
    ),
    (Voice.CHILD, _shape("child", "pupil", "student")),
    (
        Voice.PRACTITIONER,
        _shape(
            "worker",
            "practitioner",
            "profession",
            "teacher",
            "staff",
            "nurse",
            "visitor",
            "adviser",
            "manager",
            "who works",
        ),
    ),
)
_BANDS = (
    (4, "0-4"),
    (10, "5-10"),
    (15, "11-15"),
    (17, "16-17"),
    (25, "18-25"),
    (44, "26-44"),
    (64, "45-64"),
    (130, "65+"),
)


@dataclass(frozen=True, slots=True)
class Layout:
    """A tool's export: the columns that it always has, and what it calls a record, a person and the day."""

    name: str
    marks: frozenset[str]
    record: str = ""
    person: str = ""
    day: str = ""
    self_written: bool = True
    left_out: tuple[tuple[str, tuple[str, ...]], ...] = ()


LAYOUTS = (
    Layout("qualtrics", frozenset({"responseid", "startdate", "enddate"}), "responseid", day="startdate",
           left_out=(("status", ("Survey Preview", "Survey Test", "Spam", "Preview", "1", "2", "8")),)),
    Layout("microsoft-forms", frozenset({"id", "start time", "completion time"}), "id", day="completion time"),
    Layout("smartsurvey", frozenset({"unique id", "started", "ended"}), "unique id", day="started"),
    Layout("smartsurvey", frozenset({"userid", "started", "ended"}), "userid", day="started"),
    Layout("citizen-space", frozenset({"response id", "submitted date"}), "response id", day="submitted date"),
    Layout("google-forms", frozenset({"timestamp"}), day="timestamp"),
    Layout("liquidlogic", frozenset({"fact_casenote_id", "dim_person_id"}), "fact_casenote_id", "dim_person_id",
           "event_dttm", self_written=False),
    Layout("capita-one", frozenset({"case reference number", "case note detail"}), day="date", self_written=False),
    Layout("early-help-notes", frozenset({"person_id", "note_text"}), "note_id", "person_id", "note_date", self_written=False),
)  # fmt: skip


def laid_out(table: Table) -> Profile | None:
    """A profile for a tool's export that is recognised by its own columns."""
    names = {column.casefold() for column in table.columns}
    layout = next((one for one in LAYOUTS if one.marks <= names), None)
    return profile_of(table, layout) if layout else None


def guessed(table: Table) -> Profile | None:
    """A profile for a table of no known tool; None where no column holds free text."""
    return profile_of(table, Layout("guessed", frozenset()))


def protections(table: Table) -> dict[str, Any]:
    """What any profile of a table should heed: confidential marks, names to mask, and what tells people apart."""
    cells = columns_in(table)
    return {
        "confidential": _confidential(cells),
        "known_people": [n for n, c in cells.items() if c.holds is Holds.PEOPLE and c.filled],
        "participant": _named(cells, _PERSON),
    }


def profile_of(table: Table, layout: Layout) -> Profile | None:
    """What each column means, by the layout and by its cells; None where none holds free text."""
    cells = columns_in(table)
    own = {name.casefold(): name for name in table.columns}
    record = own.get(layout.record, "") or _named(cells, _RECORD)
    person = own.get(layout.person, "") or _named(cells, _PERSON)
    day = own.get(layout.day, "") or next((n for n, c in cells.items() if c.holds is Holds.DATE), "")
    taken = {record, person, day}
    texts = [n for n, c in cells.items() if n not in taken and _is_text(c, layout)]
    if not texts:
        return None
    choices = {n: c for n, c in cells.items() if c.holds in (Holds.CHOICE, Holds.NUMBER) and n not in taken}
    if record and (cells[record].filled < max(c.filled for c in cells.values()) or _repeats(cells[record])):
        record = ""
    roles = _roles(cells, choices, layout)
    return Profile(
        name=f"{layout.name} {_fingerprint(texts)}",
        record_id=record,
        participant=person,
        texts=texts,
        period=Source(column=day) if day and is_dated(cells[day]) else Source(),
        period_form="day first" if day and cells[day].day_first else "iso",
        attributes=[n for n, c in choices.items() if n not in roles.columns and may_be_kept(c)],
        known_people=[n for n, c in cells.items() if c.holds is Holds.PEOPLE and c.filled],
        confidential=_confidential(cells),
        left_out=[LeftOut(column=own[c], values=list(v)) for c, v in layout.left_out if c in own],
        **roles.sources,  # type: ignore[arg-type]
    )


@dataclass(frozen=True, slots=True)
class _Roles:
    sources: Mapping[str, Source]
    columns: frozenset[str]


def _roles(cells: Mapping[str, Cells], choices: Mapping[str, Cells], layout: Layout) -> _Roles:
    """Who speaks, how old, where, and whether their words may be quoted, where a column of choices says so."""
    found: dict[str, Source] = {}
    who = _named(choices, _WHO)
    if who:
        found["voice"] = Source(column=who, values={v: speaker_of(v) for v in cells[who].values})
    if layout.self_written and layout.name != "guessed":
        found["via"] = Source(fixed=Via.SELF)
        found["provenance"] = Source(fixed="verbatim")
    made = _named(choices, _PROVENANCE)
    if made:
        found["provenance"] = Source(column=made, values={v: provenance_of(v) for v in cells[made].values})
    quote = _named(choices, _MAY_QUOTE)
    if quote and (consent := consent_in(cells[quote])):
        found["consent"] = consent
    age, area = _named(choices, _AGE), _named(choices, _AREA)
    if age:
        found["age_band"] = ages_in(cells[age])
    if area and area != age and may_be_kept(cells[area]):
        found["area"] = Source(column=area)
    return _Roles(found, frozenset(s.column for s in found.values() if s.column))


def _is_text(cells: Cells, layout: Layout) -> bool:
    """Free text, or an open question that was answered in few words: no column of codes or initials."""
    asks = cells.name.endswith("?") or len(cells.name.split()) > 3
    short = cells.holds is Holds.OTHER and asks and cells.words >= 1.5 * cells.filled
    return cells.holds is Holds.TEXT or (short and layout.self_written)


def _named(cells: Iterable[str], shape: re.Pattern[str]) -> str:
    return next((name for name in cells if shape.search(name)), "")


def _repeats(cells: Cells) -> bool:
    return any(count > 1 for count in cells.values.values())


def is_dated(cells: Cells) -> bool:
    """Whether every cell is a date, of one form."""
    return cells.filled > 0 and cells.filled in (cells.iso, cells.day_first - cells.late)


def may_be_kept(cells: Cells) -> bool:
    """Whether a column of closed answers may stay beside the voice: short, and few enough to single nobody out."""
    return 0 < len(cells.values) <= MOST_CHOICES and cells.longest <= LONGEST_CHOICE


def speaker_of(value: str) -> str:
    """Who a closed answer or a label says is speaking."""
    return next((voice.value for voice, shape in _SPEAKERS if shape.search(value)), Voice.UNKNOWN.value)


def consent_in(cells: Cells) -> Source | None:
    """Whether words may be quoted, where every answer is a yes or a no."""
    if not all(_YES.match(v) or _NO.match(v) for v in cells.values):
        return None
    said = {v: "analysis_and_quotes" if _YES.match(v) else "analysis_only" for v in cells.values}
    return Source(column=cells.name, values={**said, "": "analysis_only"})


def provenance_of(value: str) -> str:
    """How close to the speaker's own words a closed answer says that a text is."""
    plain = value.casefold()
    if _AI.search(plain):
        return "ai_drafted"
    if "verbatim" in plain or "own words" in plain:
        return "verbatim"
    return "reported" if "report" in plain or "told" in plain else "unknown"


def ages_in(cells: Cells) -> Source:
    """Bands as they stand; single years are put into bands, since they single people out."""
    values = {v: _band(v) for v in cells.values} if cells.numbers == cells.filled else {v: v for v in cells.values}
    return Source(column=cells.name, values={**values, "": "unknown"})


def _band(years: str) -> str:
    number = float(years.rstrip("%").replace(",", "."))
    return next((band for most, band in _BANDS if number <= most), "unknown")


def _confidential(cells: Mapping[str, Cells]) -> Confidential | None:
    """Rows that are marked are left out; a mark of no known meaning is refused when its row comes."""
    column = _named(cells, _CONFIDENTIAL)
    if not column or cells[column].holds not in (Holds.CHOICE, Holds.NUMBER, Holds.OTHER, Holds.NOTHING):
        return None
    return confidential_in(cells[column])


def confidential_in(cells: Cells) -> Confidential:
    """A column as marks of confidential rows."""
    refuse = [v for v in cells.values if _YES.match(v) or _CONFIDENTIAL.search(v)]
    return Confidential(
        column=cells.name,
        refuse=[*refuse, "Yes", "Y", "True", "1"],
        open=["", *(v for v in cells.values if _NO.match(v))],
    )


def _fingerprint(questions: Sequence[str]) -> str:
    """Forms number their answers from 1: the questions tell one form from another."""
    return hashlib.sha256("\x1f".join(questions).encode()).hexdigest()[:6]
