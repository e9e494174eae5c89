"""Tables that come as records: JSON, JSON lines and Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from service.errors import InputError
from service.files.delimited import LONGEST_LINE, encoding_of
from service.files.tables import Row, Table

LARGEST_JSON = 256_000_000


def read_json_lines_table(file: Path) -> Table:
    """One object a line; columns are the names that any line has. InputError names the line that is not whole."""
    encoding = encoding_of(file)

    def rows() -> Iterator[Row]:
        with file.open(encoding=encoding.name) as content:
            number = 0
            while line := content.readline(LONGEST_LINE + 1):
                number += 1
                if len(line) > LONGEST_LINE:
                    problem = f"the line is longer than {LONGEST_LINE:,} characters"
                    raise InputError(file=file.name, row=number, problem=problem)
                if line.strip():
                    yield Row(number, _cells(file.name, number, _parsed(file.name, number, line)))

    notes = (encoding.note,) if encoding.note else ()
    return Table(file.name, _columns(rows()), {}, notes, rows)


def read_json(file: Path) -> Table:
    """A list of objects, or an object with one such list in it; rows count from 1."""
    if file.stat().st_size > LARGEST_JSON:
        problem = f"JSON is read whole, and this is more than {LARGEST_JSON // 1_000_000} MB; give JSON lines"
        raise InputError(file=file.name, problem=problem)
    encoding = encoding_of(file)
    records = _list_in(file.name, _parsed(file.name, None, file.read_text(encoding.name)))

    def rows() -> Iterator[Row]:
        return (Row(n, _cells(file.name, n, record)) for n, record in enumerate(records, 1))

    return Table(file.name, _columns(rows()), {}, (encoding.note,) if encoding.note else (), rows)


def read_parquet(file: Path) -> Table:
    """The rows of a Parquet file; rows count from 1."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as parquet:
            columns = tuple(parquet.schema_arrow.names)
    except (pa.ArrowException, OSError):
        raise InputError(file=file.name, problem="not readable as Parquet") from None

    def rows() -> Iterator[Row]:
        number = 0
        try:
            with pq.ParquetFile(file) as parquet:
                for batch in parquet.iter_batches(batch_size=1000):
                    for record in batch.to_pylist():
                        number += 1
                        yield Row(number, {name: _cell(value) for name, value in record.items()})
        except (pa.ArrowException, OSError):
            raise InputError(file=file.name, row=number + 1, problem="the file is damaged from here on") from None

    return Table(file.name, columns, {}, (), rows)


def _columns(rows: Iterator[Row]) -> tuple[str, ...]:
    columns: dict[str, None] = {}
    for row in rows:
        columns.update(dict.fromkeys(row.cells))
    return tuple(columns)


def _parsed(file: str, number: int | None, words: str) -> Any:
    try:
        return json.loads(words)
    except (ValueError, RecursionError):
        problem = "not whole JSON" if number is None else "the line is not whole JSON"
        raise InputError(file=file, row=number, problem=problem) from None


def _list_in(file: str, found: Any) -> list[Any]:
    if isinstance(found, dict):
        lists = [value for value in found.values() if isinstance(value, list)]
        found = lists[0] if len(lists) == 1 else None
    if not isinstance(found, list):
        raise InputError(file=file, problem="the JSON is not a list of records")
    return found


def _cells(file: str, number: int, record: Any) -> dict[str, str]:
    if not isinstance(record, dict):
        raise InputError(file=file, row=number, problem="the line is not a JSON object")
    return {str(name): _cell(value) for name, value in record.items()}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list | bool | int | float):
        return json.dumps(value, ensure_ascii=False)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
