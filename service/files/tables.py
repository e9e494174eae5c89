"""One reader for the tables that exports come as: CSV in any usual encoding, XLSX, JSON, JSON lines, Parquet.

A table is read row by row, as often as it is asked for, so that a file of any length takes the same memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from service.errors import InputError

MAX_CELL = 250_000
KINDS = (".csv", ".tsv", ".txt", ".docx", ".xlsx", ".json", ".jsonl", ".ndjson", ".parquet")


@dataclass(frozen=True, slots=True)
class Row:
    """One record: its number as a spreadsheet counts (the header is row 1) and its cells."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A file as rows under named columns; `questions` gives a column's full question where the file holds one."""

    file: str
    columns: tuple[str, ...]
    questions: dict[str, str]
    notes: tuple[str, ...]
    read: Callable[[], Iterator[Row]]

    def rows(self) -> Iterator[Row]:
        """The rows in order, read from the file anew; InputError names the row that cannot be read."""
        return self.read()


def read_table(file: Path) -> Table:
    """The table in a file; InputError names file, row and column, never the words."""
    if not file.is_file():
        raise InputError(file=file.name, problem="there is no such file")
    if file.stat().st_size == 0:
        raise InputError(file=file.name, problem="the file is empty")
    table = _reader(file)(file)
    if next(table.rows(), None) is None:
        raise InputError(file=table.file, problem="the file has column names but no rows")
    return table


def _reader(file: Path) -> Callable[[Path], Table]:
    """Each kind's reader is loaded when a file of that kind comes: most processes never read one."""
    match file.suffix.casefold():
        case ".csv" | ".tsv":
            from service.files.delimited import read_delimited

            return read_delimited
        case ".txt" | ".docx":
            from service.files.documents import read_document

            return read_document
        case ".xlsx":
            from service.files.workbooks import read_workbook

            return read_workbook
        case ".json":
            from service.files.records import read_json

            return read_json
        case ".jsonl" | ".ndjson":
            from service.files.records import read_json_lines_table

            return read_json_lines_table
        case ".parquet":
            from service.files.records import read_parquet

            return read_parquet
    raise InputError(file=file.name, problem=f"not a kind of file that is read; give {', '.join(KINDS)}")


def refuse_long_cells(file: str, row: Row, columns: Sequence[str]) -> None:
    """InputError for a cell beyond the limit in a column that will be read."""
    for column in columns:
        length = len(row.cells.get(column, ""))
        if length > MAX_CELL:
            problem = f"the cell holds {length:,} characters; {MAX_CELL:,} is the most that is taken"
            raise InputError(file=file, row=row.number, field=column, problem=problem)


def header_of(records: Sequence[Sequence[str]]) -> tuple[Sequence[str], dict[str, str], int]:
    """Header, questions by column, and how many records precede the data.

    Qualtrics has three header rows; a sheet may have a title over its columns; a form with one column an option has the
    options in a second row.
    """
    header = records[0]
    if len(records) > 2 and any(cell.startswith('{"ImportId"') for cell in records[2]):
        questions = {c.strip(): " ".join(q.split()) for c, q in zip(header, records[1], strict=False)}
        return header, questions, 3
    if len(records) > 2 and _filled(header) == 1 and _filled(records[1]) > 2:
        return records[1], {}, 2
    if len(records) > 2 and _has_options(header, records[1]):
        return _with_options(header, records[1]), {}, 2
    return header, {}, 1


def _filled(record: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in record)


def _has_options(header: Sequence[str], below: Sequence[str]) -> bool:
    """Whether the second row names options: it is blank under the first column and stands under blanks of the header."""
    under = [bool(cell.strip()) for cell, name in zip(below, header, strict=False) if not name.strip()]
    return bool(under) and all(under) and bool(header[0].strip()) and not below[0].strip()


def _with_options(header: Sequence[str], below: Sequence[str]) -> list[str]:
    names, stem = list[str](), ""
    for name, option in zip_longest(header, below, fillvalue=""):
        stem = name.strip() or stem
        names.append(f"{stem}: {option.strip()}" if option.strip() else stem)
    return names


def columns_of(file: str, header: Iterable[str]) -> tuple[str, ...]:
    """The columns' names, empty ones numbered and those after the last name left off; InputError for a double."""
    names = [" ".join(str(name or "").replace("_x000D_", " ").split()) for name in header]
    while names and not names[-1]:
        names.pop()
    for i, name in enumerate(names):
        if name and name in names[:i]:
            problem = f"columns {names.index(name) + 1} and {i + 1} have the same name; rename one of them"
            raise InputError(file=file, row=1, problem=problem)
    return tuple(name or f"column {i}" for i, name in enumerate(names, 1))


def rows_of(file: str, columns: Sequence[str], records: Iterable[Sequence[str]], first: int) -> Iterator[Row]:
    """Records as rows under the columns, blank ones left out; InputError where a row has more cells than columns."""
    for number, record in enumerate(records, first):
        if not any(cell.strip() for cell in record):
            continue
        if any(cell.strip() for cell in record[len(columns) :]):
            raise InputError(file=file, row=number, problem="the row has more cells than there are columns")
        cells = list(record) + [""] * (len(columns) - len(record))
        yield Row(number, dict(zip(columns, cells, strict=False)))
