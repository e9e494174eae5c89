"""The long form of the DfE's Local Authority Interactive Tool, with its dictionary of measures where given.

Missing is `-`, which hides whether a value was held back or never there; counts and intervals are not in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nlp.errors import IndicatorError
from nlp.findings.indicators.cells import Sheet, cell, sheet
from nlp.findings.indicators.geography import ENGLAND, code_on, named
from nlp.findings.indicators.known import polarity
from nlp.findings.indicators.periods import lait_period
from nlp.findings.indicators.values import Area, Loaded, Polarity, Source, Value

MUST = frozenset({"Short Desc", "Data item", "Years", "LA and Regions", "Values", "LA Number"})
SAME = {name.casefold(): name for name in (*MUST, "Region")}
_DICTIONARY = frozenset({"Measure_short", "Polarity"})
_WAYS = {"high": Polarity.HIGHER, "low": Polarity.LOWER, "-": Polarity.NEITHER}
TODAY = "9000-01-01"


@dataclass(frozen=True, slots=True)
class _Measure:
    """What the dictionary says of a measure."""

    polarity: Polarity
    owner: str


def read(file: Path, meta: Path | None = None) -> Loaded:
    """All values of a file. IndicatorError names file, row and column, never a cell's words."""
    table = sheet(file, [MUST], SAME)
    measures = _dictionary(meta) if meta else {}
    labels = {cells["Short Desc"]: cells["Data item"] for _, cells in table.rows if cells["Data item"]}
    values = [_value(table, row, cells, labels, measures) for row, cells in table.rows]
    source = Source(
        table.file,
        "lait",
        table.sha256,
        "Department for Education, Local Authority Interactive Tool",
        "Open Government Licence v3.0",
    )
    return Loaded(source, values, table.remarks)


def _dictionary(meta: Path) -> dict[str, _Measure]:
    return {
        cells["Measure_short"]: _Measure(
            _WAYS.get(cells["Polarity"].casefold(), Polarity.NOT_STATED), cells.get("Data Owner", "")
        )
        for _, cells in sheet(meta, [_DICTIONARY], words=True).rows
    }


def _value(
    table: Sheet, row: int, cells: Mapping[str, str], labels: Mapping[str, str], measures: Mapping[str, _Measure]
) -> Value:
    short = cells["Short Desc"]
    if not short:
        raise IndicatorError(file=table.file, row=row, field="Short Desc", problem="the measure is blank")
    found = cell(table.file, row, "Values", cells["Values"])
    period, revision = lait_period(cells["Years"])
    return Value(
        indicator=short,
        label=labels.get(short) or short,
        unit=_unit(short, labels.get(short, "")),
        polarity=measures[short].polarity if short in measures else polarity(short),
        area=_area(table.file, row, cells),
        period=period,
        filters=(),
        value=found.value,
        status=found.status,
        symbol=found.symbol,
        row=row,
        revision=revision,
    )


def _area(file: str, row: int, cells: Mapping[str, str]) -> Area:
    name, number = cells["LA and Regions"], cells["LA Number"].removesuffix(".0")
    if not name:
        raise IndicatorError(file=file, row=row, field="LA and Regions", problem="the area is blank")
    wide = named(name)
    if wide:
        return Area(wide, "", name, "National" if wide == ENGLAND else "Regional")
    if not number.isdigit():
        raise IndicatorError(file=file, row=row, field="LA Number", problem="neither a number nor a known region")
    if "(pre lg" in name.casefold():
        return Area("", f"{number} before reorganisation", name, "Local authority")
    return Area(code_on(number, TODAY), number, name, "Local authority")


_PERCENT_WORDS = ("%", "proportion", "percentage", "prevalence", "rate of ")
_PERCENT_IDS = ("FSP_NEW_", "CareLeaver")


def _unit(short: str, label: str) -> str:
    """% where the measure's words say so; the file itself has no units."""
    words = f"{short} {label}".casefold()
    return "%" if any(w in words for w in _PERCENT_WORDS) or short.startswith(_PERCENT_IDS) else "not stated"
