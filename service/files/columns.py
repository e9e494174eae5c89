"""What each column of an unknown table holds, judged by its name and by every one of its cells."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from service.files.tables import Row, Table

MOST_CHOICES = 40
LONGEST_CHOICE = 60
_WORDY = 4.0
_DISTINCT_KEPT = 400

_PEOPLE = re.compile(
    r"\b(?:(?:fore|sur|last|first|full|family|preferred|middle|your|child(?:ren)?(?:'s)?|parent(?:'s)?|carer(?:'s)?|worker(?:'s)?"
    r"|author|recipient\w*)\s*-?names?|names?|people present|nickname|known as|aliases)\b"
    r"|recipient(?:first|last)name|^(?:username|author|worker|lead worker|social worker|allocated to|created by)$",
    re.I,
)
_NOT_PEOPLE = re.compile(r"\b(?:school|centre|center|hub|team|service|setting|nursery|file|column|question)s?\b", re.I)
_DIRECT = re.compile(
    r"e-?mail|\bphone|telephone|\bmobile\b|\bip\b|ipaddress|ip address|latitude|longitude|\bgeo|device|user ?agent|browser"
    r"|tracking|\burl\b|\blink\b|\baddress\b|post ?code|\bnhs\b|national insurance|\bni number|\bupn\b|\bdob\b|date of birth"
    r"|birth ?date|externalreference|external reference|signature|user ?no\b|user ?id\b",
    re.I,
)
_ABOUT_THE_FORM = re.compile(
    r"^(?:status|progress|duration.*|finished|recordeddate|distributionchannel|userlanguage|language|enddate|end ?date|ended"
    r"|end time|completion time|start time|started|startdate|last modified time|points.*|feedback - .*|total points|quiz feedback"
    r"|analyst notes?|tags?|tracking link|unique id|grade time.*|completed|collector.*)$",
    re.I,
)
_ISO = re.compile(r"\d{4}-\d{2}(?:-\d{2})?(?:[T ].*)?")
_DAY_FIRST = re.compile(r"\d{1,2}/(\d{1,2})/\d{4}(?:[ ,].*)?")
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?%?")


class Holds(StrEnum):
    """What a column holds."""

    NOTHING = "nothing"
    TEXT = "text"
    CHOICE = "choice"
    DATE = "date"
    NUMBER = "number"
    PEOPLE = "people"
    IDENTIFIER = "identifier"
    FORM = "form"
    OTHER = "other"


@dataclass(slots=True)
class Cells:
    """What was counted of a column's cells."""

    name: str
    filled: int = 0
    words: int = 0
    longest: int = 0
    iso: int = 0
    day_first: int = 0
    late: int = 0
    numbers: int = 0
    joined: int = 0
    values: Counter[str] = field(default_factory=Counter)

    def add(self, cell: str) -> None:
        """Count one cell."""
        words = cell.strip()
        if not words:
            return
        self.filled += 1
        self.words += len(words.split())
        self.longest = max(self.longest, len(words))
        self.iso += bool(_ISO.fullmatch(words))
        day = _DAY_FIRST.fullmatch(words)
        self.day_first += bool(day)
        self.late += bool(day) and int(day[1] if day else 0) > 12
        self.numbers += bool(_NUMBER.fullmatch(words))
        self.joined += words.endswith(";")
        if words in self.values or len(self.values) < _DISTINCT_KEPT:
            self.values[words] += 1

    @property
    def holds(self) -> Holds:
        """What the column holds; a name that says so wins over the cells."""
        named = self._named()
        if named is not None:
            return named
        if self.filled == 0:
            return Holds.NOTHING
        if self.filled in (self.iso, self.day_first):
            return Holds.DATE
        if self.numbers == self.filled:
            return Holds.NUMBER
        if self._is_choice():
            return Holds.CHOICE
        return Holds.TEXT if self.words / self.filled >= _WORDY or self.longest > LONGEST_CHOICE else Holds.OTHER

    def _named(self) -> Holds | None:
        if _ABOUT_THE_FORM.match(self.name):
            return Holds.FORM
        short = len(self.name.split()) <= 6  # a question may speak of a name or an address
        if short and _PEOPLE.search(self.name) and not _NOT_PEOPLE.search(self.name):
            return Holds.PEOPLE
        return Holds.IDENTIFIER if short and _DIRECT.search(self.name) else None

    def _is_choice(self) -> bool:
        """Few short answers that come again and again, or several options in a cell between semicolons."""
        if self.joined * 2 > self.filled:
            return True
        few = len(self.values) <= min(MOST_CHOICES, max(2, self.filled // 3))
        return few and self.longest <= LONGEST_CHOICE and self.filled > 2


def columns_in(table: Table) -> dict[str, Cells]:
    """Every column's count, from one reading of the whole table."""
    found = {name: Cells(name) for name in table.columns}
    for row in table.rows():
        _count(found, row)
    return found


def _count(found: dict[str, Cells], row: Row) -> None:
    for name, cell in row.cells.items():
        found[name].add(cell)
