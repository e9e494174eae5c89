"""Indicators of a study: load a file that was published, list what is there, show values with their quality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nlp.findings.disclosure import LA5
from nlp.findings.indicators import Area, Loaded, read_indicators
from nlp.findings.indicators.geography import CODES, place
from nlp.findings.indicators.oc3 import read_oc3
from nlp.findings.indicators.read import kind_of
from service.errors import RecordError, StudyError
from service.study.database import write
from service.study.indicators import Listed, Stored, keep_indicators, listed_indicators, places_named, stored_indicators
from service.study.runs import add_audit
from service.study.study import Study


@dataclass(frozen=True, slots=True)
class Came:
    """What loading a file did. `values` were in it for the places asked for, `new` of them not here before."""

    file: str
    kind: str
    sha256: str
    values: int
    new: int
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """How a file is to be read. Without `areas` all are kept; `year` is the year of a return of one's own."""

    kind: str = ""
    meta: Path | None = None
    areas: tuple[str, ...] = ()
    year: int = 0
    url: str = ""
    retrieved_on: str = ""


def load_indicators(study: Study, file: Path, wish: Wish, *, now: str, actor: str) -> Came:
    """Read an indicator file into the study. IndicatorError for a file that cannot be read; nothing is stored then."""
    loaded = _read(file, wish)
    source = replace(
        loaded.source,
        url=wish.url or loaded.source.url,
        retrieved_on=wish.retrieved_on or loaded.source.retrieved_on,
    )
    wanted = {n.casefold() for w in wish.areas for n in (w, place(Area(w, "", "", "")))}
    values = [v for v in loaded.values if not wanted or wanted & _names(v.area)]
    if not values:
        raise StudyError("the file holds nothing for the areas that were asked for")
    with write(study.db) as connection:
        new = keep_indicators(connection, source, values, by=actor, at=now)
        add_audit(
            connection,
            at=now,
            actor=actor,
            action="indicators",
            subject=source.sha256[:12],
            counts={"values": len(values)},
        )
    return Came(source.file, source.kind, source.sha256, len(values), new, loaded.remarks)


def _read(file: Path, wish: Wish) -> Loaded:
    kind = wish.kind or kind_of(file)
    if kind != "oc3":
        return read_indicators(file, meta=wish.meta, kind=kind)
    if len(wish.areas) != 1 or not wish.year:
        raise StudyError("a return of your own needs its area (a code such as E10000014) and the year it ends in")
    return read_oc3(file, area=_own_area(wish.areas[0], wish.year), year=wish.year, profile=LA5)


def _own_area(words: str, year: int) -> Area:
    day = f"{year}-03-31"
    for c in CODES:
        if words.casefold() in (c.code.casefold(), c.old_code, c.name.casefold()) and c.since <= day <= c.until:
            return Area(c.code, c.old_code, c.name, "Local authority")
    return Area(words, "", words, "Local authority")


def _names(area: Area) -> set[str]:
    return {n.casefold() for n in (area.code, area.old_code, area.name, place(area)) if n}


def indicators_of(study: Study) -> list[Listed]:
    """What the study holds, by indicator."""
    return listed_indicators(study.db)


def values_of(study: Study, indicator: str, areas: Sequence[str] = (), period: str = "") -> list[Stored]:
    """An indicator's values, also under a place's earlier codes; RecordError when there are none."""
    places = [p for words in areas for p in places_named(study.db, words)]
    if areas and not places:
        raise RecordError("no value of that area is loaded; “heard indicators list” says what is")
    found = stored_indicators(study.db, indicator, places, period)
    if not found:
        raise RecordError("no such value is loaded; “heard indicators list” says what is")
    return found
