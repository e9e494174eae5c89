"""What a person says that each column is: a profile taken apart into one role a column, changed, and put together again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from service.errors import InputError
from service.files.columns import Cells
from service.files.layouts import (
    ages_in,
    confidential_in,
    consent_in,
    is_dated,
    may_be_kept,
    provenance_of,
    speaker_of,
)
from service.files.mapping import Profile, Source


class Role(StrEnum):
    """What a column is for."""

    DROP = "drop"
    TEXT = "texts"
    RECORD = "record_id"
    PERSON = "participant"
    NAMES = "known_people"
    KEEP = "attributes"
    CONFIDENTIAL = "confidential"
    VOICE = "voice"
    VIA = "via"
    PROVENANCE = "provenance"
    CONSENT = "consent"
    QUESTION = "question"
    AGE = "age_band"
    AREA = "area"
    PERIOD = "period"


ROLE_WORDS = {
    Role.DROP: "Leave it out",
    Role.TEXT: "Text: de-identify and read",
    Role.RECORD: "Tells records apart (an id)",
    Role.PERSON: "Tells people apart (an id)",
    Role.NAMES: "Names: mask everywhere, then drop",
    Role.KEEP: "Keep beside the voice",
    Role.CONFIDENTIAL: "Marks confidential rows",
    Role.VOICE: "Says who speaks",
    Role.VIA: "Says whose hand wrote it",
    Role.PROVENANCE: "Says how close to own words",
    Role.CONSENT: "Says whether words may be quoted",
    Role.QUESTION: "The question that was asked",
    Role.AGE: "Age",
    Role.AREA: "Area",
    Role.PERIOD: "Date (the month is kept)",
}
_MANY = (Role.TEXT, Role.NAMES, Role.KEEP)
_ONE = (Role.RECORD, Role.PERSON)
_CLOSED = (Role.VOICE, Role.PROVENANCE, Role.CONSENT, Role.AGE, Role.CONFIDENTIAL)
_TOO_MANY = "it holds too many different answers, or too long ones, for that; leave it out or read it as text"


def roles_of(profile: Profile, columns: Sequence[str]) -> dict[str, Role]:
    """The role of each column; the first in the order of `Role` where a profile uses a column for two things."""
    return {column: _role(profile, column) for column in columns}


def _role(profile: Profile, column: str) -> Role:
    for role in Role:
        held = None if role is Role.DROP else getattr(profile, role.value)
        if held is not None and column in (held if isinstance(held, list) else (getattr(held, "column", held),)):
            return role
    return Role.DROP


def with_roles(base: Profile, roles: Mapping[str, Role], cells: Mapping[str, Cells], file: str) -> Profile:
    """The profile with other roles for some columns; what else it says of the others stays.

    InputError names a column that cannot be what it is said to be.
    """
    before = roles_of(base, list(roles))
    changed = {column: role for column, role in roles.items() if role is not before[column]}
    held = _without(base, set(changed))
    for column, role in changed.items():
        _add(held, role, cells[column], file)
    if not held["texts"]:
        raise InputError(file=file, problem="no column is marked as text; mark at least one")
    held["texts"] = [column for column in roles if column in held["texts"]]
    return Profile.model_validate(held)


def _without(base: Profile, columns: set[str]) -> dict[str, Any]:
    held: dict[str, Any] = {name: getattr(base, name) for name in Profile.model_fields}
    for role in Role:
        if role is Role.DROP:
            continue
        value, empty = held[role.value], Profile.model_fields[role.value].get_default()
        if isinstance(value, list):
            held[role.value] = [column for column in value if column not in columns]
        elif getattr(value, "column", value) in columns:
            held[role.value] = empty
    return held


def _add(held: dict[str, Any], role: Role, cells: Cells, file: str) -> None:
    if role is Role.DROP:
        return
    if role in _MANY:
        if role is Role.KEEP and not may_be_kept(cells):
            raise InputError(file=file, field=cells.name, problem=_TOO_MANY)
        held[role.value] = [*held[role.value], cells.name]
        return
    _refuse_second(held[role.value], role, cells.name, file)
    held[role.value] = cells.name if role in _ONE else _meaning(role, cells, file)
    if role is Role.PERIOD:
        held["period_form"] = "day first" if cells.day_first else "iso"


def _refuse_second(now: Any, role: Role, column: str, file: str) -> None:
    if now and getattr(now, "column", now):
        problem = f"two columns are marked “{ROLE_WORDS[role]}”; choose one"
        raise InputError(file=file, field=column, problem=problem)


def _meaning(role: Role, cells: Cells, file: str) -> object:
    if role in _CLOSED and cells.filled and not may_be_kept(cells):
        raise InputError(file=file, field=cells.name, problem=_TOO_MANY)
    meaning = _MEANINGS.get(role, _as_it_is)(cells)
    if meaning is None:
        raise InputError(file=file, field=cells.name, problem=_UNFIT[role])
    return meaning


def _as_it_is(cells: Cells) -> Source:
    return Source(column=cells.name)


def _translated(translate: Callable[[str], str]) -> Callable[[Cells], Source]:
    return lambda cells: Source(column=cells.name, values={**{v: translate(v) for v in cells.values}, "": "unknown"})


_MEANINGS: Mapping[Role, Callable[[Cells], object | None]] = {
    Role.VOICE: _translated(speaker_of),
    Role.PROVENANCE: _translated(provenance_of),
    Role.CONSENT: consent_in,
    Role.AGE: ages_in,
    Role.CONFIDENTIAL: confidential_in,
    Role.PERIOD: lambda cells: _as_it_is(cells) if is_dated(cells) else None,
}
_UNFIT = {
    Role.CONSENT: "its answers are not all a yes or a no",
    Role.PERIOD: "its cells are not all dates of one form",
}
