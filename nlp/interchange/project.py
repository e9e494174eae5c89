"""A qualitative project as tools exchange it. Offsets are Python code points, half-open, over a text with LF line ends."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_OURS = uuid.UUID("6f0c1a4e-2f0b-5d3b-9a8e-7d1c35f0a2b6")


def guid(*parts: str) -> str:
    """The same name for the same thing, in every export: a version 5 UUID of its parts."""
    return str(uuid.uuid5(_OURS, "\x1f".join(parts)))


class Kind(StrEnum):
    """What a variable holds."""

    TEXT = "Text"
    BOOLEAN = "Boolean"
    INTEGER = "Integer"
    FLOAT = "Float"
    DATE = "Date"
    DATE_TIME = "DateTime"


@dataclass(frozen=True, slots=True)
class User:
    """Who coded: a person, or a machine that says so in its name."""

    guid: str
    name: str


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """A code of the project's codebook; `parent` is the guid of the one it stands under. Only a codable one is given."""

    guid: str
    name: str
    description: str = ""
    codable: bool = True
    colour: str = ""
    parent: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CodeSet:
    """Codes, sources or notes that belong together."""

    guid: str
    name: str
    description: str = ""
    codes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Variable:
    """An attribute of cases or sources."""

    guid: str
    name: str
    kind: Kind = Kind.TEXT
    description: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """A variable's value, as it stands in the file."""

    variable: str
    value: str


@dataclass(frozen=True, slots=True)
class Case:
    """A person (or a place, or a family) with attributes and the sources they spoke in."""

    guid: str
    name: str = ""
    description: str = ""
    values: tuple[Value, ...] = ()
    sources: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    selections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """A code that one user gave; one for each user and code keeps double coding apart."""

    guid: str
    code: str
    user: str = ""
    at: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Selection:
    """Words of a source with what was given to them; `name` is what the file calls them, where that is not the words."""

    guid: str
    start: int
    end: int
    name: str = ""
    description: str = ""
    user: str = ""
    at: str = ""
    given: tuple[Given, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Source:
    """One text. `given` are codes of the whole."""

    guid: str
    name: str
    text: str
    description: str = ""
    user: str = ""
    at: str = ""
    selections: tuple[Selection, ...] = ()
    given: tuple[Given, ...] = ()
    values: tuple[Value, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Note:
    """A memo."""

    guid: str
    name: str
    text: str
    user: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Project:
    """All of it. `origin` names the tool that wrote the file."""

    name: str
    origin: str = ""
    created: str = ""
    description: str = ""
    users: tuple[User, ...] = ()
    codes: tuple[CodeEntry, ...] = ()
    variables: tuple[Variable, ...] = ()
    cases: tuple[Case, ...] = ()
    sources: tuple[Source, ...] = ()
    notes: tuple[Note, ...] = ()
    sets: tuple[CodeSet, ...] = ()


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that did not come in as it stands in the file: where, by guid, and why. Never with its words."""

    source: str
    selection: str
    problem: str
    lost: bool


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How faithfully a project was read.

    `reading` says how its offsets count; `words` is the share of selections (of those that came in) whose two ends
    stand at the edges of words or whose words are the ones that the file names; `left_out` counts parts of kinds that
    are not texts.
    """

    reading: str
    selections: int
    words: float
    doubts: tuple[Doubt, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=Counter)

    @property
    def kept(self) -> float:
        """The share of selections that came in and raise no doubt."""
        if not self.selections:
            return 1.0
        return 1 - len({d.selection for d in self.doubts if d.selection}) / self.selections
