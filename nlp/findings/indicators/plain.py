"""A plain form for any other figure: one value a row, every column named here and in docs/indicators.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nlp.errors import IndicatorError
from nlp.findings.indicators.cells import Cell, Sheet, cell, sheet
from nlp.findings.indicators.geography import CODES, named
from nlp.findings.indicators.periods import plain_period
from nlp.findings.indicators.values import Area, Loaded, Note, NoteKind, Polarity, Source, Value

MUST = frozenset({"indicator", "label", "unit", "area_code", "area_name", "period", "value"})
NUMBERS = ("value", "numerator", "denominator", "lower", "upper", "not_known")
MAY = ("polarity", *NUMBERS[1:], "revision", "note", "publisher", "licence", "url", "retrieved_on", "area_level")
GROUP = "group:"
SAME = {name: name for name in (*MUST, *MAY)}
_WAYS = {"": Polarity.NOT_STATED, "higher": Polarity.HIGHER, "lower": Polarity.LOWER, "neither": Polarity.NEITHER}


def read(file: Path, meta: Path | None = None) -> Loaded:  # noqa: ARG001  every reader is called alike
    """All values of a file in the plain form. IndicatorError names file, row and column, never a cell's words."""
    table = sheet(file, [MUST], SAME)
    for name in table.header:
        if name not in {*MUST, *MAY} and not name.startswith(GROUP):
            raise IndicatorError(
                file=table.file, row=1, field=name, problem=f"no column of the plain form; a group is “{GROUP}NAME”"
            )
    first = table.rows[0][1]
    source = Source(
        table.file,
        "plain",
        table.sha256,
        first.get("publisher", "") or "not stated",
        first.get("licence", "") or "not stated",
        first.get("url", ""),
        first.get("retrieved_on", ""),
    )
    return Loaded(source, [_value(table, row, cells) for row, cells in table.rows], table.remarks)


def _value(table: Sheet, row: int, cells: Mapping[str, str]) -> Value:
    for name in ("indicator", "area_name", "period"):
        if not cells[name]:
            raise IndicatorError(file=table.file, row=row, field=name, problem="the cell is blank")
    found = {name: cell(table.file, row, name, cells.get(name, "")) for name in NUMBERS}
    return Value(
        indicator=cells["indicator"],
        label=cells["label"] or cells["indicator"],
        unit=cells["unit"] or "not stated",
        polarity=_polarity(table.file, row, cells.get("polarity", "")),
        area=_area(table.file, row, cells),
        period=plain_period(cells["period"]),
        filters=tuple((n.removeprefix(GROUP), cells[n]) for n in table.header if n.startswith(GROUP)),
        value=found["value"].value,
        status=found["value"].status,
        symbol=found["value"].symbol,
        row=row,
        numerator=found["numerator"].value,
        numerator_status=found["numerator"].status,
        denominator=found["denominator"].value,
        low=found["lower"].value,
        high=found["upper"].value,
        not_known_share=_not_known(table.file, row, found["not_known"], found["denominator"]),
        revision=cells.get("revision", ""),
        notes=(Note(NoteKind.PUBLISHER, cells["note"]),) if cells.get("note") else (),
    )


def _polarity(file: str, row: int, words: str) -> Polarity:
    if words.casefold() not in _WAYS:
        raise IndicatorError(file=file, row=row, field="polarity", problem="higher, lower, neither or blank")
    return _WAYS[words.casefold()]


def _area(file: str, row: int, cells: Mapping[str, str]) -> Area:
    code, name = cells["area_code"] or named(cells["area_name"]), cells["area_name"]
    if not code:
        raise IndicatorError(file=file, row=row, field="area_code", problem="the area is blank")
    old = next((c.old_code for c in CODES if c.code == code), "")
    return Area(code, old, name, cells.get("area_level", "") or "not stated")


def _not_known(file: str, row: int, unknown: Cell, base: Cell) -> float | None:
    """`not_known` counts people, so that it can be checked against the base."""
    if unknown.value is None or not base.value:
        return None
    if not 0 <= unknown.value <= base.value:
        raise IndicatorError(file=file, row=row, field="not_known", problem="more people than the denominator counts")
    return unknown.value / base.value
