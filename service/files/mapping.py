"""What the columns of an export mean: named profiles, recognised by the columns that a file has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nlp.types import Provenance, Via, Voice
from service.errors import InputError
from service.files.tables import Row, Table

PROFILES = Path(__file__).resolve().parent / "profiles"
_TEXT_NAMES = (
    "text",
    "comment",
    "comments",
    "response",
    "answer",
    "note",
    "notes",
    "feedback",
    "narrative",
    "what was said",
)
_ID_NAMES = ("id", "record_id", "record id", "response id", "response_id", "responseid")


class Source(BaseModel):
    """Where a value comes from: a fixed word, or a column, whose words may be translated."""

    model_config = ConfigDict(extra="forbid")

    fixed: str = ""
    column: str = ""
    values: dict[str, str] = {}

    def of(self, table: Table, row: Row) -> str:
        """The value for a row; InputError when a column's word has no translation."""
        if not self.column:
            return self.fixed
        words = row.cells.get(self.column, "").strip()
        if not self.values:
            return words
        found = {k.casefold(): v for k, v in self.values.items()}.get(words.casefold())
        if found is None:
            known = ", ".join(self.values)
            raise InputError(
                file=table.file, row=row.number, field=self.column, problem=f"the value is not one of: {known}"
            )
        return found


class Confidential(BaseModel):
    """A column that marks rows which are refused: the words that mark them and those that mean open."""

    model_config = ConfigDict(extra="forbid")

    column: str
    refuse: list[str]
    open: list[str]

    def refuses(self, table: Table, row: Row) -> bool:
        """Whether a row is marked; InputError for a mark that means neither, rather than a guess."""
        mark = row.cells.get(self.column, "").strip().casefold()
        if mark in {word.casefold() for word in self.refuse}:
            return True
        if mark in {word.casefold() for word in self.open}:
            return False
        problem = "it is not known whether this mark means confidential"
        raise InputError(file=table.file, row=row.number, field=self.column, problem=problem)


class Profile(BaseModel):
    """How to read one kind of export. Columns that are not named here are dropped."""

    model_config = ConfigDict(extra="forbid")

    name: str
    recognise: list[str] = []
    record_id: str = ""
    participant: str = ""
    texts: Annotated[list[str], Field(min_length=1)]
    voice: Source = Source(fixed=Voice.UNKNOWN)
    via: Source = Source(fixed=Via.UNKNOWN)
    provenance: Source = Source(fixed=Provenance.UNKNOWN)
    consent: Source = Source(fixed="analysis_only")
    question: Source = Source()
    age_band: Source = Source(fixed="unknown")
    area: Source = Source()
    period: Source = Source()
    period_form: Literal["iso", "day first"] = "iso"
    attributes: list[str] = []
    known_people: list[str] = []
    confidential: Confidential | None = None

    def missing(self, columns: Sequence[str]) -> list[str]:
        """Columns that the profile needs and the file lacks."""
        fields = (
            self.voice,
            self.via,
            self.provenance,
            self.consent,
            self.question,
            self.age_band,
            self.area,
            self.period,
        )
        named = [
            self.record_id,
            self.participant,
            *self.texts,
            *(f.column for f in fields),
            *self.attributes,
            *self.known_people,
        ]
        if self.confidential:
            named.append(self.confidential.column)
        return [name for name in named if name and name not in columns]


def choose_profile(table: Table, *, profile: Path | None, text_column: str | None) -> Profile:
    """The profile named, else the one that recognises the file, else a plain one by column names.

    InputError when no column holds text.
    """
    chosen = read_profile(profile) if profile is not None else _recognised(table) or _plain(table, text_column)
    if text_column is not None:
        chosen = chosen.model_copy(update={"texts": [text_column]})
    missing = chosen.missing(table.columns)
    if missing:
        raise InputError(
            file=table.file, row=1, field=missing[0], problem=f"the profile “{chosen.name}” needs this column"
        )
    return chosen


def read_profile(file: Path) -> Profile:
    """A profile from its YAML; InputError when it is not one."""
    try:
        return Profile.model_validate(yaml.safe_load(file.read_text("utf-8")))
    except (OSError, yaml.YAMLError):
        raise InputError(file=file.name, problem="not readable as a mapping profile") from None
    except ValidationError as bad:
        field = ".".join(str(p) for p in bad.errors()[0]["loc"])
        raise InputError(file=file.name, field=field, problem="the profile has a wrong or unknown entry") from None


def _recognised(table: Table) -> Profile | None:
    for file in sorted(PROFILES.glob("*.yaml")):
        profile = read_profile(file)
        if profile.recognise and set(profile.recognise) <= set(table.columns):
            return profile
    return None


def _plain(table: Table, text_column: str | None) -> Profile:
    text = text_column or _first(table.columns, _TEXT_NAMES)
    if text is None:
        raise InputError(
            file=table.file,
            row=1,
            problem="no column of text was found; name it with --text COLUMN or give a --profile",
        )
    named: dict[str, Any] = {
        name: Source(column=name) for name in ("voice", "via", "provenance") if name in table.columns
    }
    plain = Profile(name="plain", texts=[text], record_id=_first(table.columns, _ID_NAMES) or "")
    return plain.model_copy(update=named)


def _first(columns: Sequence[str], names: Sequence[str]) -> str | None:
    by_name = {c.casefold(): c for c in columns}
    return next((by_name[name] for name in names if name in by_name), None)


_ISO = re.compile(r"(\d{4})-(\d{2})(?:-\d{2})?(?:[T ].*)?")
_DAY_FIRST = re.compile(r"\d{1,2}/(\d{1,2})/(\d{4})(?:\s.*)?")


def month_of(table: Table, row: Row, profile: Profile) -> str:
    """The period as YYYY-MM, or empty; InputError when the date does not have the profile's form."""
    words = profile.period.of(table, row).strip()
    if not words:
        return ""
    match = (_ISO if profile.period_form == "iso" else _DAY_FIRST).fullmatch(words)
    year, month = match.groups() if match else ("", "")
    if match and profile.period_form == "day first":
        year, month = month, year
    if not match or not 1 <= int(month) <= 12:
        raise InputError(
            file=table.file,
            row=row.number,
            field=profile.period.column,
            problem=f"not a date of the form {profile.period_form}",
        )
    return f"{year}-{int(month):02}"
