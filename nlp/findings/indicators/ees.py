"""Explore Education Statistics CSV, long and wide, with and without the metadata file that comes with it.

Rules of the layout: dfe-analytical-services/analysts-guide, statistics-production/ud.qmd.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nlp.errors import IndicatorError
from nlp.findings.indicators.bases import arithmetic_base, is_not_known, is_total
from nlp.findings.indicators.cells import Cell, Sheet, cell, is_value, sheet
from nlp.findings.indicators.known import polarity
from nlp.findings.indicators.periods import ees_period, family
from nlp.findings.indicators.values import Area, Loaded, Period, Source, Status, Value

MUST = frozenset({"time_period", "time_identifier", "geographic_level", "country_code", "country_name"})
SAME = {name: name for name in MUST} | {"geographical_level": "geographic_level"}
_LEVELS = {
    "national": ("country_code", "country_name"),
    "regional": ("region_code", "region_name"),
    "local authority": ("new_la_code", "la_name"),
    "local authority district": ("lad_code", "lad_name"),
    "ward": ("ward_code", "ward_name"),
    "english devolved area": ("english_devolved_area_code", "english_devolved_area_name"),
    "school": ("school_urn", "school_name"),
}
_PLACES = MUST | {"old_la_code"} | {name for pair in _LEVELS.values() for name in pair}
_META = frozenset({"col_name", "col_type"})
_COUNTS, _PERCENTS = ("count", "number", "num"), ("percent", "percentage", "pct", "perc")
ENOUGH = 10


@dataclass(frozen=True, slots=True)
class _Columns:
    """What the columns are: filters in file order; values with label and unit; the count of each percentage."""

    filters: tuple[str, ...]
    values: Mapping[str, tuple[str, str]]
    counts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Line:
    """One row with its place, time, filters and cells."""

    row: int
    area: Area
    period: Period
    filters: tuple[tuple[str, str], ...]
    cells: Mapping[str, Cell]


def read(file: Path, meta: Path | None = None) -> Loaded:
    """All values of a file. IndicatorError names file, row and column, never a cell's words."""
    table = sheet(file, [MUST], SAME)
    columns = _columns(table, meta)
    _one_family(table)
    lines = [_line(table.file, row, cells, columns) for row, cells in table.rows]
    values = _with_bases(_values(lines, columns), columns)
    source = Source(
        table.file,
        "ees",
        table.sha256,
        "Department for Education, Explore Education Statistics",
        "Open Government Licence v3.0",
    )
    return Loaded(source, _rounded(values), table.remarks)


def _columns(table: Sheet, meta: Path | None) -> _Columns:
    twin = _twin(table, meta) if meta else {}
    rest = [name for name in table.header if name not in _PLACES]
    filters, values = [], {}
    for name in rest:
        kind, label, unit = twin.get(name, ("", "", ""))
        if kind == "filter" or (not kind and _holds_words(table, name)):
            filters.append(name)
        else:
            values[name] = (label or name, unit or _unit(name))
    if not values:
        raise IndicatorError(file=table.file, row=1, problem="no column holds numbers")
    return _Columns(tuple(filters), values, _counts(values))


def _holds_words(table: Sheet, name: str) -> bool:
    """Whether a column names categories: most of its filled cells are neither number nor symbol, nor does its name count."""
    if {*name.casefold().split("_")} & {*_COUNTS, *_PERCENTS}:
        return False
    filled = [row[name] for _, row in table.rows if row[name]]
    return sum(is_value(words) for words in filled) < len(filled) / 2


def _twin(table: Sheet, meta: Path) -> dict[str, tuple[str, str, str]]:
    """Kind, label and unit by column, as the metadata file has them."""
    found = {}
    for row, cells in sheet(meta, [_META], words=True).rows:
        name, kind = cells["col_name"], cells["col_type"].casefold()
        if kind not in ("filter", "indicator"):
            raise IndicatorError(file=meta.name, row=row, field="col_type", problem="neither Filter nor Indicator")
        if name not in table.header:
            raise IndicatorError(file=meta.name, row=row, field="col_name", problem="the data file has no such column")
        found[name] = (kind, cells.get("label", ""), _meta_unit(cells.get("indicator_unit", "")))
    return found


def _meta_unit(words: str) -> str:
    return {"numberstring": "text", "": ""}.get(words.strip(), words.strip())


def _unit(name: str) -> str:
    """The unit that a column's name tells: % for percentages, count for anything else."""
    words = name.casefold().replace("-", "_").split("_")
    return "%" if {*words} & {*_PERCENTS} or "%" in name else "count"


def _counts(values: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """For each percentage, the count column of the same name but for its last word."""
    found = {}
    by_stem = {_stem(n, _COUNTS): n for n, (_, unit) in values.items() if unit != "%"}
    for name, (_, unit) in values.items():
        if unit == "%" and (stem := _stem(name, _PERCENTS)) in by_stem:
            found[name] = by_stem[stem]
    return found


def _stem(name: str, endings: Sequence[str]) -> str:
    words = name.casefold().split("_")
    return "_".join(w for w in words if w not in endings)


def _one_family(table: Sheet) -> None:
    seen: dict[str, int] = {}
    for row, cells in table.rows:
        seen.setdefault(family(cells["time_identifier"]), row)
    if len(seen) > 1:
        name, row = list(seen.items())[1]
        raise IndicatorError(
            file=table.file,
            row=row,
            field="time_identifier",
            problem=f"the file mixes two kinds of period ({name or 'unknown'} after {next(iter(seen)) or 'unknown'}); "
            "load them as two files",
        )


def _line(file: str, row: int, cells: Mapping[str, str], columns: _Columns) -> _Line:
    try:
        period = ees_period(cells["time_period"], cells["time_identifier"])
    except ValueError as wrong:
        raise IndicatorError(file=file, row=row, field="time_period", problem=str(wrong)) from None
    return _Line(
        row,
        _area(file, row, cells),
        period,
        tuple((name, cells[name]) for name in columns.filters),
        {name: cell(file, row, name, cells[name]) for name in columns.values},
    )


def _area(file: str, row: int, cells: Mapping[str, str]) -> Area:
    level = cells["geographic_level"]
    pair = _LEVELS.get(level.casefold())
    if pair is None:
        raise IndicatorError(file=file, row=row, field="geographic_level", problem="a level that is not read")
    code, name = cells.get(pair[0], ""), cells.get(pair[1], "")
    if not code or not name:
        raise IndicatorError(file=file, row=row, field=pair[0] if not code else pair[1], problem="the area is blank")
    return Area(code, cells.get("old_la_code", "") if level.casefold() == "local authority" else "", name, level)


def _values(lines: Sequence[_Line], columns: _Columns) -> Iterator[Value]:
    for line in lines:
        for name, found in line.cells.items():
            label, unit = columns.values[name]
            count = line.cells.get(columns.counts.get(name, ""))
            yield Value(
                indicator=name,
                label=label,
                unit=unit,
                polarity=polarity(name, *(v for _, v in line.filters)),
                area=line.area,
                period=line.period,
                filters=line.filters,
                value=found.value,
                status=found.status,
                symbol=found.symbol,
                row=line.row,
                numerator=count.value if count else None,
                numerator_status=count.status if count else Status.MISSING,
            )


def _with_bases(values: Iterator[Value], columns: _Columns) -> list[Value]:
    """Denominators and not-known shares: from the total of a filter, else from the arithmetic of a wide file."""
    found = list(values)
    totals, unknown = _totals(found), _unknown(found)
    by_arithmetic = _wide_bases(found, columns)
    return [_with_base(v, totals, unknown, by_arithmetic) for v in found]


def _totals(values: Sequence[Value]) -> dict[tuple[object, ...], float]:
    return {
        _group(v, i): v.numerator if v.unit == "%" else v.value  # type: ignore[misc]
        for v in values
        for i, (_, chosen) in enumerate(v.filters)
        if is_total(chosen) and (v.numerator if v.unit == "%" else v.value) is not None
    }


def _unknown(values: Sequence[Value]) -> dict[tuple[object, ...], float]:
    return {
        _group(v, i): v.numerator if v.unit == "%" else v.value  # type: ignore[misc]
        for v in values
        for i, (_, chosen) in enumerate(v.filters)
        if is_not_known(chosen) and (v.numerator if v.unit == "%" else v.value) is not None
    }


def _group(value: Value, among: int) -> tuple[object, ...]:
    """Values of one area, period and column that differ in one filter only."""
    rest = tuple(pair for i, pair in enumerate(value.filters) if i != among)
    return value.indicator, value.area.code, value.period, among, rest


def _with_base(
    value: Value,
    totals: Mapping[tuple[object, ...], float],
    unknown: Mapping[tuple[object, ...], float],
    wide: Mapping[tuple[str, int], float],
) -> Value:
    groups = [g for g in (_group(value, i) for i in range(len(value.filters))) if g in totals]
    if not groups:
        return replace(value, denominator=wide.get((value.indicator, value.row)))
    total = totals[groups[-1]]
    nobody = unknown.get(groups[-1])
    return replace(value, denominator=total, not_known_share=nobody / total if total and nobody is not None else None)


def _wide_bases(values: Sequence[Value], columns: _Columns) -> dict[tuple[str, int], float]:
    """Base by percentage column and row, where one count column alone gives the percentages of every row."""
    rows: dict[int, dict[str, Value]] = defaultdict(dict)
    for v in values:
        rows[v.row][v.indicator] = v
    found: dict[tuple[str, int], float] = {}
    counts = [name for name, (_, unit) in columns.values.items() if unit != "%"]
    for percent, count in columns.counts.items():
        base = arithmetic_base(rows.values(), percent, count, counts)
        if base:
            bases = ((r, cells[base].value) for r, cells in rows.items())
            found |= {(percent, r): b for r, b in bases if b is not None}
    return found


def _rounded(values: Sequence[Value]) -> list[Value]:
    """With the base that all counts of a level are multiples of, where there are enough to see it."""
    counts: dict[str, list[float]] = defaultdict(list)
    for v in values:
        if v.unit == "count" and v.value:
            counts[v.area.level].append(v.value)
    bases = {
        level: next((b for b in (10, 5, 1) if all(n % b == 0 for n in found)), None)
        for level, found in counts.items()
        if len(found) >= ENOUGH
    }
    return [replace(v, rounding_base=bases.get(v.area.level)) for v in values]
