"""One reader for the tables that exports come as: CSV in any usual encoding, XLSX, JSON lines."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from service.errors import InputError

MAX_CELL = 250_000
EXCEL_CELL_LIMIT = 32_767
_DELIMITERS = (",", ";", "\t", "|")
_EMPTY_UTF16 = (b"\xff\xfe", b"\xfe\xff")

csv.field_size_limit(64 * 1024 * 1024)


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
    rows: tuple[Row, ...]
    questions: dict[str, str]
    notes: tuple[str, ...]


def read_table(file: Path) -> Table:
    """The table in a file; InputError names file, row and column, never the words."""
    if not file.is_file():
        raise InputError(file=file.name, problem="there is no such file")
    if file.stat().st_size == 0:
        raise InputError(file=file.name, problem="the file is empty")
    match file.suffix.casefold():
        case ".xlsx":
            return _checked(_read_xlsx(file))
        case ".jsonl" | ".ndjson":
            return _checked(_read_jsonl(file))
        case ".csv" | ".tsv" | ".txt":
            return _checked(_read_csv(file))
    raise InputError(file=file.name, problem="not a kind of file that is read; give .csv, .tsv, .xlsx or .jsonl")


def _checked(table: Table) -> Table:
    if not table.rows:
        raise InputError(file=table.file, problem="the file has column names but no rows")
    return table


def refuse_long_cells(table: Table, columns: Sequence[str]) -> None:
    """InputError for a cell beyond the limit in a column that will be read."""
    for row in table.rows:
        for column in columns:
            length = len(row.cells.get(column, ""))
            if length > MAX_CELL:
                problem = f"the cell holds {length:,} characters; {MAX_CELL:,} is the most that is taken"
                raise InputError(file=table.file, row=row.number, field=column, problem=problem)


def decode(file: Path) -> tuple[str, str]:
    """A text file's words and, where it is not UTF-8, a note on how it was read."""
    content = file.read_bytes()
    if content.startswith(_EMPTY_UTF16):
        return _decoded(file, content, "utf-16"), "The file was read as UTF-16."
    try:
        words = content.decode("utf-8-sig")
    except UnicodeDecodeError as bad:
        return _decode_windows(file, content, bad.start), "The file is not UTF-8; it was read as Windows-1252."
    if "\0" in words:
        row = words.count("\n", 0, words.index("\0")) + 1
        raise InputError(
            file=file.name, row=row, problem="wrong encoding: the file holds null bytes. Save it as CSV UTF-8"
        )
    return words, ""


def _decode_windows(file: Path, content: bytes, first_bad: int) -> str:
    try:
        words = content.decode("cp1252")
    except UnicodeDecodeError as bad:
        first_bad = bad.start
    else:
        if not any(ch < " " and ch not in "\t\r\n" for ch in words):
            return words
    row = content.count(b"\n", 0, first_bad) + 1
    raise InputError(
        file=file.name,
        row=row,
        problem="wrong encoding: neither UTF-8 nor Windows-1252. Save it as CSV UTF-8 and try again",
    )


def _decoded(file: Path, content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as bad:
        row = content.count(b"\n", 0, bad.start) + 1
        raise InputError(
            file=file.name, row=row, problem=f"wrong encoding: begins as {encoding.upper()} but is not"
        ) from None


def _read_csv(file: Path) -> Table:
    words, note = decode(file)
    if not words.strip():
        raise InputError(file=file.name, problem="the file is empty")
    records = list(_records(file.name, words))
    header, questions, first = _headers(records)
    columns = _columns(file.name, header)
    return Table(
        file.name, columns, tuple(_rows(file.name, columns, records[first:], first + 1)), questions, _notes(note)
    )


def _records(file: str, words: str) -> Iterator[list[str]]:
    first_line = words[: words.find("\n")] if "\n" in words else words
    delimiter = max(_DELIMITERS, key=first_line.count)
    reader = csv.reader(io.StringIO(words, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, record in enumerate(reader, 1):  # noqa: B007 - needed when the reader fails
            yield record
    except csv.Error:
        raise InputError(
            file=file, row=number + 1, problem="a quotation mark is opened and not closed, or stands in the wrong place"
        ) from None


def _headers(records: Sequence[Sequence[str]]) -> tuple[Sequence[str], dict[str, str], int]:
    """Header, questions by column, and the index of the first data record (Qualtrics has three header rows)."""
    header = records[0]
    if len(records) > 2 and any(cell.startswith('{"ImportId"') for cell in records[2]):
        questions = {c.strip(): " ".join(q.split()) for c, q in zip(header, records[1], strict=False)}
        return header, questions, 3
    return header, {}, 1


def _columns(file: str, header: Iterable[str]) -> tuple[str, ...]:
    names = [" ".join(str(name or "").replace("_x000D_", " ").split()) for name in header]
    while names and not names[-1]:
        names.pop()
    for i, name in enumerate(names):
        if name and name in names[:i]:
            problem = f"columns {names.index(name) + 1} and {i + 1} have the same name; rename one of them"
            raise InputError(file=file, row=1, problem=problem)
    return tuple(name or f"column {i}" for i, name in enumerate(names, 1))


def _rows(file: str, columns: Sequence[str], records: Iterable[Sequence[str]], first: int) -> Iterator[Row]:
    for number, record in enumerate(records, first):
        if not any(cell.strip() for cell in record):
            continue
        if any(cell.strip() for cell in record[len(columns) :]):
            raise InputError(file=file, row=number, problem="the row has more cells than there are columns")
        cells = list(record) + [""] * (len(columns) - len(record))
        yield Row(number, dict(zip(columns, cells, strict=False)))


def _read_xlsx(file: Path) -> Table:
    try:
        book = load_workbook(file, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, OSError, ValueError):
        raise InputError(file=file.name, problem="not readable as an Excel workbook") from None
    sheet = next((s for s in book.worksheets if s.sheet_state == "visible"), None)
    try:
        records = list(_sheet_records(sheet)) if sheet else []
    except (ValueError, KeyError, TypeError, SyntaxError, zipfile.BadZipFile, EOFError):
        raise InputError(file=file.name, problem="the first sheet is damaged and cannot be read whole") from None
    others = sum(s.sheet_state == "visible" for s in book.worksheets) - 1
    book.close()
    if not records or not any(c.strip() for c in records[0]):
        raise InputError(file=file.name, problem="the first sheet is empty or has no column names in row 1")
    header, questions, first = _headers(records)
    columns = _columns(file.name, header)
    rows = tuple(_rows(file.name, columns, records[first:], first + 1))
    told = f"The workbook has {others} more sheets; only the first was read." if others > 0 else ""
    return Table(file.name, columns, rows, questions, _notes(told, *_cut_cells(rows)))


def _sheet_records(sheet: Any) -> Iterator[list[str]]:
    sheet.reset_dimensions()  # some exporters state a wrong range, which would cut rows off
    for row in sheet.iter_rows(values_only=True):
        yield [_cell(value) for value in row]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).replace("_x000D_", "\r")


def _cut_cells(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        for column, words in row.cells.items():
            if len(words) == EXCEL_CELL_LIMIT:
                yield f"Row {row.number}, column “{column}”: Excel cuts cells at 32,767 characters; the end may be missing."


def _read_jsonl(file: Path) -> Table:
    words, note = decode(file)
    rows: list[Row] = []
    columns: dict[str, None] = {}
    for number, line in enumerate(words.split("\n"), 1):
        if line.strip():
            cells = _json_cells(file.name, number, line)
            columns.update(dict.fromkeys(cells))
            rows.append(Row(number, cells))
    return Table(file.name, tuple(columns), tuple(rows), {}, _notes(note))


def _json_cells(file: str, number: int, line: str) -> dict[str, str]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise InputError(file=file, row=number, problem="the line is not whole JSON") from None
    if not isinstance(record, dict):
        raise InputError(file=file, row=number, problem="the line is not a JSON object")
    return {
        str(k): "" if v is None else v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)
        for k, v in record.items()
    }


def _notes(*notes: str) -> tuple[str, ...]:
    return tuple(note for note in notes if note)
