"""Tables for R, SPSS and Excel: the same cells as CSV, XLSX, Parquet and SPSS's .sav, each file whole or not at all."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from service.files.atomic import whole
from service.files.cells import Cell, harmless, writable

SPSS_LABEL_BYTES = 255


@dataclass(frozen=True, slots=True)
class Variable:
    """A column. `name` begins with a letter and is letters, digits and underlines, as SPSS wants it, 64 at most.

    A number is a whole number, or None where it is missing; `values` says what each means.
    """

    name: str
    label: str
    number: bool = False
    values: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grid:
    """A table under a name, each row as long as `variables`."""

    name: str
    variables: Sequence[Variable]
    rows: Sequence[Sequence[Cell]]


def write_grid(folder: Path, grid: Grid) -> list[Path]:
    """The table in every kind of file, under its name; the files."""
    files = []
    for ending, writer in _WRITERS.items():
        file = folder / f"{grid.name}{ending}"
        with whole(file) as part:
            writer(part, grid)
        files.append(file)
    return files


def write_csv(file: Path, grid: Grid) -> None:
    """With a mark at its start, without which Excel takes it for Windows-1252; an empty cell is missing."""
    with file.open("w", encoding="utf-8-sig", newline="") as output:
        rows = csv.writer(output)
        rows.writerow([v.name for v in grid.variables])
        rows.writerows([harmless(cell) for cell in row] for row in grid.rows)


def _write_xlsx(file: Path, grid: Grid) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    page = book.create_sheet(grid.name)
    page.append([v.name for v in grid.variables])
    for row in grid.rows:
        page.append([writable(cell) for cell in row])
    labels = book.create_sheet("labels")
    labels.append(["variable", "label", "values"])
    for v in grid.variables:
        labels.append([writable(v.name), writable(v.label), writable(meaning(v))])
    book.save(file)


def meaning(variable: Variable) -> str:
    """What the variable's numbers mean, in a line; empty where they are counts or words."""
    return "; ".join(f"{number} = {words}" for number, words in variable.values.items())


def _write_parquet(file: Path, grid: Grid) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = [pa.field(v.name, pa.int32() if v.number else pa.string(), metadata=_about(v)) for v in grid.variables]
    columns = [pa.array(column, type=f.type) for column, f in zip(_columns(grid), fields, strict=True)]
    pq.write_table(pa.table(columns, schema=pa.schema(fields)), file)


def _about(variable: Variable) -> dict[str, str]:
    return {"label": variable.label, "values": meaning(variable)}


def _write_sav(file: Path, grid: Grid) -> None:
    import pandas as pd
    import pyreadstat

    columns: dict[str, Any] = {}
    for variable, cells in zip(grid.variables, _columns(grid), strict=True):
        kind = "float64" if variable.number else "object"
        columns[variable.name] = pd.Series(cells if variable.number else [c or "" for c in cells], dtype=kind)
    pyreadstat.write_sav(
        pd.DataFrame(columns), str(file), file_label=grid.name,
        column_labels=[_cut(v.label) for v in grid.variables],
        variable_value_labels={v.name: dict(v.values) for v in grid.variables if v.values},
        variable_measure={v.name: "nominal" if v.values or not v.number else "scale" for v in grid.variables},
        variable_format={v.name: "F8.0" for v in grid.variables if v.number},
    )  # fmt: skip


def _columns(grid: Grid) -> list[tuple[Cell, ...]]:
    return list(zip(*grid.rows, strict=True)) if grid.rows else [()] * len(grid.variables)


def _cut(label: str) -> str:
    return label.encode()[:SPSS_LABEL_BYTES].decode("utf-8", "ignore")


_WRITERS: Mapping[str, Callable[[Path, Grid], None]] = {
    ".csv": write_csv, ".xlsx": _write_xlsx, ".parquet": _write_parquet, ".sav": _write_sav
}  # fmt: skip
