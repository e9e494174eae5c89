"""SSDA903 outcomes of care leavers (OC3), aggregated as they come in: no row of a child is kept.

Counts that could tell of one person are held back at once, by the disclosure control of the whole, so that what is
stored may be shown. Codes: data-to-insight/ssd-data-model, data/objects/ssd_care_leavers.yml.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from nlp.errors import IndicatorError
from nlp.findings.disclosure import Axis, Cell, Counted, Profile, Table, plan
from nlp.findings.indicators.cells import Sheet, sheet
from nlp.findings.indicators.known import polarity
from nlp.findings.indicators.quality import with_notes
from nlp.findings.indicators.values import Area, Loaded, Period, Source, Status, Value

MUST = frozenset({"CHILD", "DOB", "IN_TOUCH", "ACTIV", "ACCOM"})
SAME = {name.casefold(): name for name in MUST}
YOUNGER, OLDER, OTHER_AGE = "17 to 18 years", "19 to 21 years", "Another age"
NOT_IN_USE = "Code not in use"
UNKNOWN_ACTIVITY, UNKNOWN_HOME = "Total information not known", "No information"
IN_EET, NOT_EET = "Total in education, employment or training", "Total not in education, employment or training"
_NEET = "Not in education, training or employment, owing to "
ACTIVITIES = {
    **dict.fromkeys(("F1", "P1"), "Higher education i.e. studies beyond A level"),
    **dict.fromkeys(("F2", "P2"), "Education other than higher education"),
    **dict.fromkeys(("F4", "P4"), "In an apprenticeship"),
    **dict.fromkeys(("F5", "P5"), "In training or employment (excl. apprenticeship)"),
    "G4": _NEET + "illness or disability",
    "G5": _NEET + "other reasons",
    "G6": _NEET + "pregnancy or parenting",
    **dict.fromkeys(("", "0"), UNKNOWN_ACTIVITY),
}
TOUCH = {
    "YES": "In touch",
    "NO": "Not in touch",
    "DIED": "Died",
    "REFU": "Refused contact",
    "NREQ": "Support no longer needed",
    "RHOM": "Returned home",
    "": "Not recorded",
}
_HOME = re.compile(r"[BCDEGHKTUVWYZ][12]|[SX]2")
SUITABLE, UNSUITABLE = "Accommodation considered suitable", "Accommodation considered unsuitable"


def read_oc3(file: Path, *, area: Area, year: int, profile: Profile) -> Loaded:
    """Counts and percentages by age group of the year that ends on 31 March `year`.

    IndicatorError names the row and column of what is wrong, and never holds a cell's words.
    """
    table = sheet(file, [MUST], SAME)
    _each_once(table)
    rows = [_described(table.file, row, cells, year) for row, cells in table.rows]
    tallied = Counter(tuple(sorted(r.items())) for r in rows)
    people = [Counted(dict(kind), people=n) for kind, n in sorted(tallied.items())]
    tables = [Table(name, (_ages(), axis)) for name, axis in _measures().items()]
    shown = plan(people, tables, profile=profile, release="as it came in").cells
    period = Period(str(year), f"{year - 1}-04-01", f"{year}-03-31", year)
    values = [v for name in _measures() for v in _values([c for c in shown if c.table == name], area, period, name)]
    source = Source(table.file, "oc3", table.sha256, f"{area.name}: own return, aggregated", "not published")
    return Loaded(source, with_notes(values), (*table.remarks, *_remarks(rows)))


def _each_once(table: Sheet) -> None:
    seen: dict[str, int] = {}
    for row, cells in table.rows:
        if not cells["CHILD"]:
            raise IndicatorError(file=table.file, row=row, field="CHILD", problem="the cell is blank")
        if cells["CHILD"] in seen:
            raise IndicatorError(
                file=table.file, row=row, field="CHILD", problem=f"the same person as in row {seen[cells['CHILD']]}"
            )
        seen[cells["CHILD"]] = row


def _described(file: str, row: int, cells: Mapping[str, str], year: int) -> dict[str, str]:
    home = cells["ACCOM"].upper()
    return {
        "age": _age_group(_born(file, row, cells["DOB"]), year),
        "activity": ACTIVITIES.get(cells["ACTIV"].upper(), NOT_IN_USE),
        "accommodation": _suitable(home),
        "in touch": TOUCH.get(cells["IN_TOUCH"].upper(), NOT_IN_USE),
    }


def _born(file: str, row: int, words: str) -> date:
    try:
        if match := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", words):
            return date(int(match[3]), int(match[2]), int(match[1]))
        return date.fromisoformat(words)
    except ValueError:
        raise IndicatorError(file=file, row=row, field="DOB", problem="no date as dd/mm/yyyy") from None


def _age_group(born: date, year: int) -> str:
    age = year - born.year - ((born.month, born.day) > (3, 31))
    if age in (17, 18):
        return YOUNGER
    return OLDER if age in (19, 20, 21) else OTHER_AGE


def _suitable(code: str) -> str:
    if code in ("", "0") or code.startswith("R"):
        return UNKNOWN_HOME
    if not _HOME.fullmatch(code):
        return NOT_IN_USE
    return SUITABLE if code.endswith("1") else UNSUITABLE


def _ages() -> Axis:
    return Axis("age", (YOUNGER, OLDER, OTHER_AGE), total="All ages")


def _measures() -> dict[str, Axis]:
    """The measures as sides of a table; every answer tells something of a person but that nobody knows."""
    activities = tuple(dict.fromkeys((*ACTIVITIES.values(), NOT_IN_USE)))
    touch = (*TOUCH.values(), NOT_IN_USE)
    groups = {
        IN_EET: tuple(a for a in activities if not a.startswith((_NEET, "Total", "Code"))),
        NOT_EET: tuple(a for a in activities if a.startswith(_NEET)),
    }
    homes = (SUITABLE, UNSUITABLE, UNKNOWN_HOME, NOT_IN_USE)
    return {
        "activity": Axis(
            "activity", activities, groups, "Total", frozenset(activities) - {UNKNOWN_ACTIVITY, NOT_IN_USE}
        ),
        "accommodation": Axis("accommodation", homes, {}, "Suitability total", frozenset((SUITABLE, UNSUITABLE))),
        "in touch": Axis("in touch", touch, {}, "Total", frozenset(touch) - {"Not recorded", NOT_IN_USE}),
    }


def _values(cells: Sequence[Cell], area: Area, period: Period, measure: str) -> Iterator[Value]:
    total = _measures()[measure].total
    totals = {c.labels[0]: c.people for c in cells if c.labels[1] == total}
    unknown = {c.labels[0]: c.people for c in cells if c.labels[1] in (UNKNOWN_ACTIVITY, UNKNOWN_HOME, "Not recorded")}
    for at, c in enumerate(cells, 1):
        age, category = c.labels
        base, nobody = totals[age], unknown[age]
        held = c.people is None or not base
        yield Value(
            indicator=f"own_{measure.replace(' ', '_')}_percent",
            label=f"Care leavers by {measure}: own return",
            unit="%",
            polarity=polarity(category),
            area=area,
            period=period,
            filters=(("care_leaver_age", age), ("breakdown", category)),
            value=None if held else round(100 * (c.people or 0) / (base or 1), 1),
            status=Status.OK if not held else Status.CONFIDENTIAL if c.people is None else Status.NOT_APPLICABLE,
            symbol="" if not held else "c" if c.people is None else "z",
            row=at,
            numerator=c.people,
            numerator_status=Status.CONFIDENTIAL if c.people is None else Status.OK,
            denominator=base,
            not_known_share=nobody / base if base and nobody is not None else None,
        )


def _remarks(rows: Sequence[Mapping[str, str]]) -> list[str]:
    found = [
        f"Some codes for {name} are not in use (any more); those people are counted as “{NOT_IN_USE}”."
        for name in ("activity", "accommodation", "in touch")
        if any(r[name] == NOT_IN_USE for r in rows)
    ]
    if any(r["age"] == OTHER_AGE for r in rows):
        found.append("Some people are not 17 to 21 years old on 31 March; they are counted as “Another age”.")
    return found
