"""Voices that a program hands in one by one, taken in as the rows of a file are, with the same checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nlp.types import Provenance, Via, Voice
from service.errors import InputError
from service.files.mapping import Profile, Source
from service.files.tables import Row, Table
from service.study.study import Study
from service.usecases.intake import IntakeReport, take_in_table
from service.vault.keys import Key

NAME = "voices"
_DESCRIBED = ("voice", "via", "provenance", "consent", "question", "age_band", "area", "period")
_FIELDS = ("record", "participant", "text", "known", *_DESCRIBED)


@dataclass(frozen=True, slots=True, repr=False)
class Posted:
    """One voice as it was handed in; `record` is its id where it came from. It has no repr: nothing shows its words."""

    record: str
    text: str
    participant: str = ""
    voice: str = Voice.UNKNOWN
    via: str = Via.UNKNOWN
    provenance: str = Provenance.UNKNOWN
    consent: str = "analysis_only"
    question: str = ""
    age_band: str = "unknown"
    area: str = ""
    period: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    known: Sequence[str] = ()


def take_in_posted(
    study: Study, posted: Sequence[Posted], key: Key, *, digest: str, now: str, keep_raw_days: int, actor: str
) -> IntakeReport:  # fmt: skip
    """Take voices in, all or none. InputError names the row, from 1, and the field, never an attribute's own name."""
    attributes = sorted({name for p in posted for name in p.attributes})
    if set(attributes) & set(_FIELDS):
        raise InputError(file=NAME, field="attributes", problem="an attribute has the name of a field")
    rows = [_row(number, p) for number, p in enumerate(posted, 1)]
    table = Table(NAME, (*_FIELDS, *attributes), {}, (), lambda: iter(rows))
    try:
        return take_in_table(
            study,
            table,
            _profile(attributes),
            key,
            input_hash=digest,
            now=now,
            keep_raw_days=keep_raw_days,
            actor=actor,
        )
    except InputError as bad:
        place = bad.field if bad.field in _FIELDS else "attributes"
        raise InputError(file=NAME, row=bad.row, field=place, problem=bad.problem) from None


def _row(number: int, posted: Posted) -> Row:
    described = {name: str(getattr(posted, name)) for name in _DESCRIBED}
    cells = {"record": posted.record, "participant": posted.participant, "text": posted.text}
    return Row(number, {**cells, **described, "known": "\n".join(posted.known), **posted.attributes})


def _profile(attributes: list[str]) -> Profile:
    return Profile(
        name="api",
        record_id="record",
        participant="participant",
        texts=["text"],
        known_people=["known"],
        attributes=attributes,
        **{name: Source(column=name) for name in _DESCRIBED},  # type: ignore[arg-type]
    )
