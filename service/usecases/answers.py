"""A row of an export as answers: one a text column that says something, with what is known of who gave it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ftfy import fix_encoding

from nlp.deid.patterns import PatternDetector
from nlp.text import normalise
from nlp.types import Label, Provenance, Via, Voice
from service.errors import InputError
from service.files.mapping import Profile, Source, month_of
from service.files.tables import Row, Table, refuse_long_cells

CONSENTS = ("analysis_only", "analysis_and_quotes")
MAX_ATTRIBUTE = 60
MAX_QUESTION = 300
NO_VIEW = frozenset({"", "n/a", "na", "-", "--", ".", "nil"})
_BREAK = re.compile(r"<br\s*/?>|</(?:p|div|li|tr)>", re.IGNORECASE)
_TAGS = "p|br|div|span|b|i|u|strong|em|li|ul|ol|font|table|tbody|td|tr|html|body"
_TAG = re.compile(rf"</?(?:{_TAGS})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_PATTERNS = PatternDetector()
_IDENTIFYING = frozenset({Label.PHONE, Label.EMAIL, Label.ID, Label.URL, Label.LOCATION})


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """Raw words, and what the row says of them: it has no repr, so that no log or traceback ever shows the words."""

    row: int
    position: int
    column: str
    words: str
    record: str
    person: str
    known: tuple[str, ...]
    voice: str
    via: str
    provenance: str
    consent: str
    question: str
    age_band: str
    area: str
    period: str
    attributes: dict[str, str]


def open_rows(table: Table, profile: Profile) -> Iterator[tuple[Row, bool]]:
    """Each row, and whether it may be read: those marked confidential may not. InputError for an unknown mark.

    Rows that are no answers, such as a form's own tests, do not come.
    """
    for row in table.rows():
        if any(mark.leaves_out(row) for mark in profile.left_out):
            continue
        refuse_long_cells(table.file, row, profile.texts)
        yield row, profile.confidential is None or not profile.confidential.refuses(table, row)


def answers(table: Table, profile: Profile, row: Row) -> Iterator[Answer]:
    """The answers of one row that say something; InputError names the cell that cannot be taken."""
    record = row.cells.get(profile.record_id, "").strip() if profile.record_id else str(row.number)
    person = row.cells.get(profile.participant, "").strip() or record
    known = tuple(name for column in profile.known_people for name in _names(row.cells.get(column, "")))
    for position, column in enumerate(profile.texts):
        words = _words(row.cells.get(column, ""), profile)
        if words.casefold() in NO_VIEW:
            continue
        yield Answer(
            row=row.number,
            position=position,
            column=column,
            words=words,
            record=record,
            person=person,
            known=known,
            voice=_one_of(table, row, profile.voice, tuple(Voice)),
            via=_one_of(table, row, profile.via, tuple(Via)),
            provenance=_one_of(table, row, profile.provenance, tuple(Provenance)),
            consent=_one_of(table, row, profile.consent, CONSENTS),
            question=_question(table, profile, row, column),
            age_band=_short(table, row, profile.age_band),
            area=_short(table, row, profile.area),
            period=month_of(table, row, profile),
            attributes={a: _short(table, row, Source(column=a)) for a in profile.attributes},
        )


def _words(cell: str, profile: Profile) -> str:
    """The words of a cell: the tags of HTML are taken out, and letters that another program broke are mended if asked."""
    mended = fix_encoding(cell) if profile.mend_letters else cell
    return normalise(_without_tags(mended)).text.strip()


def _without_tags(cell: str) -> str:
    if not _TAG.search(cell):
        return cell
    return html.unescape(_TAG.sub("", _BREAK.sub("\n", cell)))


class Records:
    """Refuses a record without an id, or an id that stands twice, while the rows of a file go by."""

    def __init__(self, table: Table, profile: Profile) -> None:
        self._table, self._column = table, profile.record_id
        self._seen: dict[str, int] = {}

    def check(self, row: Row) -> None:
        """InputError names the row and, for a double, the row where the id stood first."""
        if not self._column:
            return
        record = row.cells.get(self._column, "").strip()
        if not record:
            raise InputError(file=self._table.file, row=row.number, field=self._column, problem="the record has no id")
        first = self._seen.setdefault(record, row.number)
        if first != row.number:
            problem = f"the id stands twice (first in row {first})"
            raise InputError(file=self._table.file, row=row.number, field=self._column, problem=problem)


def _names(cell: str) -> list[str]:
    """The names in a cell that holds one, or several on lines or between semicolons."""
    return [name.strip() for name in re.split(r"[;\n|]", cell) if name.strip()]


def _one_of(table: Table, row: Row, source: Source, allowed: Sequence[str]) -> str:
    value = source.of(table, row)
    if value not in allowed:
        problem = f"the value is not one of: {', '.join(allowed)}"
        raise InputError(file=table.file, row=row.number, field=source.column, problem=problem)
    return value


def _short(table: Table, row: Row, source: Source) -> str:
    value = source.of(table, row)
    if len(value) > MAX_ATTRIBUTE:
        problem = f"longer than {MAX_ATTRIBUTE} characters: free text belongs in a text column"
        raise InputError(file=table.file, row=row.number, field=source.column, problem=problem)
    return _without_identifiers(table, row, source, value)


def _without_identifiers(table: Table, row: Row, source: Source, value: str) -> str:
    """Attributes are kept as they are, so none may hold a phone number, an address or the like."""
    if _identifies(value):
        problem = (
            "it holds what looks like an identifier; leave the column out of the profile or make it a list of choices"
        )
        raise InputError(file=table.file, row=row.number, field=source.column, problem=problem)
    return value


@lru_cache(maxsize=4096)
def _identifies(value: str) -> bool:
    return bool({detection.label for detection in _PATTERNS.detect([value])[0]} & _IDENTIFYING)


def _question(table: Table, profile: Profile, row: Row, column: str) -> str:
    if profile.question.column:
        return _without_identifiers(table, row, profile.question, profile.question.of(table, row)[:MAX_QUESTION])
    return table.questions.get(column, column) if len(profile.texts) > 1 else ""
