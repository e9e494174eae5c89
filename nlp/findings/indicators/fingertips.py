"""Fingertips CSV (Office for Health Improvement and Disparities): counts, bases and intervals as published.

Rows that split an area by a category (deprivation, ethnicity) are no values of the area and are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nlp.errors import IndicatorError
from nlp.findings.indicators.cells import Sheet, cell, sheet, status_of
from nlp.findings.indicators.geography import CODES
from nlp.findings.indicators.known import polarity
from nlp.findings.indicators.periods import last_year
from nlp.findings.indicators.values import Area, Loaded, Note, NoteKind, Period, Source, Status, Value

MUST = frozenset(
    {
        "Indicator ID",
        "Indicator Name",
        "Area Code",
        "Area Name",
        "Area Type",
        "Time period",
        "Value",
        "Count",
        "Denominator",
    }
)
SAME = {name.casefold(): name for name in MUST} | {
    name.casefold(): name
    for name in ("Sex", "Age", "Category Type", "Category", "Value note", "Lower CI 95.0 limit", "Upper CI 95.0 limit")
}
_HELD_BACK = ("suppress", "disclos", "small number", "confidential")
_POOR = ("quality", "reliab", "caution")


def read(file: Path, meta: Path | None = None) -> Loaded:  # noqa: ARG001  every reader is called alike
    """All values of areas as a whole. IndicatorError names file, row and column, never a cell's words."""
    table = sheet(file, [MUST], SAME)
    whole = [(row, cells) for row, cells in table.rows if not cells.get("Category Type")]
    split = len(table.rows) - len(whole)
    remarks = (f"{split} rows that split an area by a category were passed over.",) if split else ()
    source = Source(
        table.file,
        "fingertips",
        table.sha256,
        "Office for Health Improvement and Disparities, Fingertips",
        "Open Government Licence v3.0",
    )
    return Loaded(source, [_value(table, row, cells) for row, cells in whole], (*table.remarks, *remarks))


def _value(table: Sheet, row: int, cells: Mapping[str, str]) -> Value:
    note = cells.get("Value note", "")
    found = {name: cell(table.file, row, name, cells.get(name, "")) for name in _NUMBERS}
    value, count, base = found["Value"], found["Count"], found["Denominator"]
    return Value(
        indicator=cells["Indicator ID"],
        label=cells["Indicator Name"],
        unit=_unit(value.value, count.value, base.value),
        polarity=polarity(cells["Indicator ID"], cells["Indicator Name"]),
        area=_area(table.file, row, cells),
        period=Period(cells["Time period"], "", "", last_year(cells["Time period"])),
        filters=tuple((name, cells[name]) for name in ("Sex", "Age") if cells.get(name)),
        value=value.value,
        status=_status(value.status, note),
        symbol=value.symbol,
        row=row,
        numerator=count.value,
        numerator_status=_status(count.status, note),
        denominator=base.value,
        low=found["Lower CI 95.0 limit"].value,
        high=found["Upper CI 95.0 limit"].value,
        notes=(Note(NoteKind.PUBLISHER, note),) if note else (),
    )


_NUMBERS = ("Value", "Count", "Denominator", "Lower CI 95.0 limit", "Upper CI 95.0 limit")


def _unit(value: float | None, count: float | None, base: float | None) -> str:
    """% where count over base gives the value; the file itself has no units."""
    if value is None or count is None or not base:
        return "not stated"
    return "%" if abs(100 * count / base - value) < 0.1 else "not stated"


def _status(status: Status, note: str) -> Status:
    """Why a value is missing, as far as the publisher's note tells."""
    if status is not Status.MISSING or not note:
        return status
    if (symbol := status_of(note)) is not None:
        return symbol
    words = note.casefold()
    if any(w in words for w in _HELD_BACK):
        return Status.CONFIDENTIAL
    return Status.UNRELIABLE if any(w in words for w in _POOR) else Status.UNAVAILABLE


def _area(file: str, row: int, cells: Mapping[str, str]) -> Area:
    code, name = cells["Area Code"], cells["Area Name"]
    if not code or not name:
        raise IndicatorError(file=file, row=row, field="Area Code", problem="the area is blank")
    return Area(code, next((c.old_code for c in CODES if c.code == code), ""), name, cells["Area Type"])
