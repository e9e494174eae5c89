"""What the columns of an export mean: named profiles, recognised by the columns that a file has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nlp.types import Provenance, Via, Voice
from service.errors import InputError
from service.files.atomic import write_whole
from service.files.tables import Row, Table

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


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


_SAID = {
    "voice": "speaker",
    "via": "hand that wrote it down",
    "provenance": "kind of text",
    "consent": "consent",
    "question": "question",
    "age_band": "age band",
    "area": "area",
    "period": "month",
}


class LeftOut(BaseModel):
    """A column whose values mark rows that are no answers, such as a form's own tests."""

    model_config = ConfigDict(extra="forbid")

    column: str
    values: list[str]

    def leaves_out(self, row: Row) -> bool:
        """Whether a row is so marked."""
        return row.cells.get(self.column, "").strip().casefold() in {value.casefold() for value in self.values}


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
    left_out: list[LeftOut] = []
    mend_letters: bool = False

    def role_of(self, column: str) -> str:
        """What becomes of a column, in plain words."""
        if column in self.texts:
            return "read and de-identified"
        if column in (self.record_id, self.participant):
            return "tells records or people apart; kept as a pseudonym"
        if column in self.known_people:
            return "names: masked wherever they stand, then dropped"
        if column in self.attributes:
            return "kept beside the voice"
        if self.confidential and column == self.confidential.column:
            return "marks confidential rows, which are not read"
        named = {f: getattr(self, f) for f in _SAID if getattr(self, f).column == column}
        return f"says the {' and the '.join(_SAID[f] for f in named)}" if named else "dropped"

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
        named += [one.column for one in self.left_out]
        return [name for name in named if name and name not in columns]


def save_profile(profile: Profile, name: str, columns: Sequence[str], folder: Path) -> Path:
    """Keep a profile under a name, to be recognised by these columns; InputError for a name that is no file's name."""
    if not _NAME.fullmatch(name):
        raise InputError(file=name, problem="a profile's name has small letters, digits and hyphens")
    kept = profile.model_copy(update={"name": name, "recognise": list(columns)})
    folder.mkdir(exist_ok=True, mode=0o700)
    file = folder / f"{name}.yaml"
    words = yaml.safe_dump(kept.model_dump(mode="json", exclude_defaults=True), allow_unicode=True, sort_keys=False)
    write_whole(file, words.encode())
    return file


def read_profile(file: Path) -> Profile:
    """A profile from its YAML; InputError when it is not one."""
    try:
        return Profile.model_validate(yaml.safe_load(file.read_text("utf-8")))
    except (OSError, yaml.YAMLError):
        raise InputError(file=file.name, problem="not readable as a mapping profile") from None
    except ValidationError as bad:
        field = ".".join(str(p) for p in bad.errors()[0]["loc"])
        raise InputError(file=file.name, field=field, problem="the profile has a wrong or unknown entry") from None


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
