"""Excel workbooks, read row by row: hidden sheets passed over, numbers as they were shown, cut cells told."""

from __future__ import annotations

import itertools
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from service.errors import InputError
from service.files.tables import Row, Table, columns_of, header_of, rows_of
from service.files.zips import refuse_bomb

EXCEL_CELL_LIMIT = 32_767
_DAMAGED = (ValueError, KeyError, TypeError, SyntaxError, zipfile.BadZipFile, EOFError)
_ZEROS = re.compile(r"0{2,}")


def read_workbook(file: Path) -> Table:
    """The first visible sheet of a workbook; InputError when it is damaged, empty or swells beyond reason."""
    refuse_bomb(file, "an Excel workbook")
    sheets = _visible_sheets(file)
    first = list(itertools.islice(_records(file), 3))
    if not first or not any(c.strip() for c in first[0]):
        raise InputError(file=file.name, problem="the first sheet is empty or has no column names in row 1")
    header, questions, skipped = header_of(first)
    columns = columns_of(file.name, header)

    def rows() -> Iterator[Row]:
        return rows_of(file.name, columns, itertools.islice(_records(file), skipped, None), skipped + 1)

    more = len(sheets) - 1
    notes = (f"The workbook has {more} more sheets; only the first was read.",) if more > 0 else ()
    return Table(file.name, columns, questions, notes, rows)


def _open(file: Path) -> Any:
    try:
        return load_workbook(file, read_only=True, data_only=True)
    except (InvalidFileException, OSError, *_DAMAGED):
        raise InputError(file=file.name, problem="not readable as an Excel workbook") from None


def _visible_sheets(file: Path) -> list[str]:
    book = _open(file)
    titles = [s.title for s in book.worksheets if s.sheet_state == "visible"]
    book.close()
    return titles


def _records(file: Path) -> Iterator[list[str]]:
    book = _open(file)
    try:
        sheet = next((s for s in book.worksheets if s.sheet_state == "visible"), None)
        if sheet is not None:
            sheet.reset_dimensions()  # some exporters state a wrong range, which would cut rows off
            for row in sheet.iter_rows():
                yield [_cell(cell) for cell in row]
    except _DAMAGED:
        raise InputError(file=file.name, problem="the first sheet is damaged and cannot be read whole") from None
    finally:
        book.close()


def _cell(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float) and float(value).is_integer():
        return _whole_number(int(value), cell.number_format)
    return str(value).replace("_x000D_", "\r")


def _whole_number(value: int, form: str) -> str:
    """The number as the sheet shows it: the form 00000 keeps a record number's leading zeros."""
    return str(value).zfill(len(form)) if value >= 0 and _ZEROS.fullmatch(form or "") else str(value)
