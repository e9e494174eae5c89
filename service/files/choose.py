"""Which profile reads a file: one that is named, saved or shipped, one made for a known tool's layout, or a guess."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from service.errors import InputError
from service.files.layouts import guessed, laid_out, protections
from service.files.mapping import Profile, Source, read_profile
from service.files.tables import Table

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


def choose_profile(
    table: Table, *, profile: Path | None, text_column: str | None, saved: Path | None = None
) -> Profile:
    """The profile named, else the one that recognises the file, else its tool's layout, else a plain one by column names,
    else what the cells look like. `saved` is a folder of profiles that were kept under a name.

    InputError when no column holds text.
    """
    chosen = _named(profile, saved) if profile is not None else _found(table, text_column, saved)
    if text_column is not None:
        chosen = chosen.model_copy(update={"texts": [text_column]})
    missing = chosen.missing(table.columns)
    if missing:
        raise InputError(
            file=table.file, row=1, field=missing[0], problem=f"the profile “{chosen.name}” needs this column"
        )
    return chosen


def _named(profile: Path, saved: Path | None) -> Profile:
    """A profile by the path of its file, or by the name of a saved or shipped one."""
    kept = [folder / f"{profile.name}.yaml" for folder in (saved, PROFILES) if folder is not None]
    return read_profile(next((file for file in kept if not profile.exists() and file.exists()), profile))


def _recognised(table: Table, saved: Path | None) -> Profile | None:
    for file in [*sorted(saved.glob("*.yaml") if saved else ()), *sorted(PROFILES.glob("*.yaml"))]:
        profile = read_profile(file)
        if profile.recognise and set(profile.recognise) <= set(table.columns):
            return profile
    return None


def _found(table: Table, text_column: str | None, saved: Path | None) -> Profile:
    known = _recognised(table, saved) or laid_out(table)
    text = text_column or _first(table.columns, _TEXT_NAMES)
    chosen = known or (_plain(table, text) if text else guessed(table))
    if chosen is None:
        raise InputError(
            file=table.file,
            row=1,
            problem="no column of text was found; name it with --text COLUMN or give a --profile",
        )
    return chosen


def _plain(table: Table, text: str) -> Profile:
    named: dict[str, Any] = {
        name: Source(column=name) for name in ("voice", "via", "provenance") if name in table.columns
    }
    plain = Profile(name="plain", texts=[text], record_id=_first(table.columns, _ID_NAMES) or "")
    return plain.model_copy(update={**named, **protections(table)})


def _first(columns: Sequence[str], names: Sequence[str]) -> str | None:
    by_name = {c.casefold(): c for c in columns}
    return next((by_name[name] for name in names if name in by_name), None)
