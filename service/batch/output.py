"""What comes out: CSV, XLSX, JSON lines or Parquet, each written whole under another name and then given its own."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from service.batch.window import Coded
from service.errors import StudyError
from service.files.cells import Cell, harmless, writable

EXCEL_ROWS = 1_048_576
_ROWS_AT_ONCE = 5000
_PLAIN = (
    "file", "row", "record", "question", "voice", "via", "provenance", "consent", "age_band", "area", "period",
    "clean_text", "redactions", "held",
)  # fmt: skip
_THEME = ("code", "name", "probability", "band", "evidence")


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is written: coded answers, flat where the kind of file needs it: `top` themes and these attributes a row."""

    coded: Iterable[Coded]
    top: int
    attributes: Sequence[str]

    def columns(self) -> list[str]:
        """What is known of the answer, its attributes, then each theme."""
        themes = [f"{field}_{n}" for n in range(1, self.top + 1) for field in _THEME]
        return [*_PLAIN, *(f"attribute {a}" for a in self.attributes), *themes]

    def rows(self) -> Iterator[list[Cell]]:
        """Rows under `columns`; None where there is no such theme."""
        return (self._flat(c) for c in self.coded)

    def _flat(self, coded: Coded) -> list[Cell]:
        row: list[Cell] = [getattr(coded, name) for name in _PLAIN]
        row += [coded.attributes.get(a, "") for a in self.attributes]
        for n in range(self.top):
            theme = coded.themes[n] if n < len(coded.themes) else None
            row += [None] * len(_THEME) if theme is None else [getattr(theme, field) for field in _THEME]
        return row


Writer = Callable[[Path, Sheet], None]


def writer_for(out: Path) -> Writer:
    """What writes the kind of file that the name asks for; StudyError when it is none of them."""
    writers: dict[str, Writer] = {
        ".csv": _write_csv, ".xlsx": _write_xlsx, ".jsonl": _write_json_lines, ".parquet": _write_parquet
    }  # fmt: skip
    try:
        return writers[out.suffix.casefold()]
    except KeyError:
        raise StudyError(
            f"“{out.name}” is not a kind of file that is written; end it in {', '.join(writers)}"
        ) from None


def write_whole(out: Path, sheet: Sheet) -> None:
    """Write all rows; the name appears only when the file is whole."""
    part = out.with_name(f".{out.stem}.part{out.suffix}")
    try:
        writer_for(out)(part, sheet)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def _write_csv(file: Path, sheet: Sheet) -> None:
    # With a mark at its start, without which Excel takes the file for Windows-1252.
    with file.open("w", encoding="utf-8-sig", newline="") as output:
        rows = csv.writer(output)
        rows.writerow(sheet.columns())
        rows.writerows([harmless(cell) for cell in row] for row in sheet.rows())


def _write_json_lines(file: Path, sheet: Sheet) -> None:
    with file.open("w", encoding="utf-8") as output:
        output.writelines(json.dumps(asdict(c), ensure_ascii=False) + "\n" for c in sheet.coded)


def _write_xlsx(file: Path, sheet: Sheet) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    page = book.create_sheet("coded")
    page.append(sheet.columns())
    for number, row in enumerate(sheet.rows(), 2):
        if number > EXCEL_ROWS:
            raise StudyError(f"an Excel sheet holds {EXCEL_ROWS:,} rows, and there are more; ask for .csv or .parquet")
        page.append([writable(cell) for cell in row])
    book.save(file)


def _write_parquet(file: Path, sheet: Sheet) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = sheet.columns()
    schema = pa.schema([(name, _type(pa, name)) for name in names])
    with pq.ParquetWriter(file, schema) as output:
        rest = sheet.rows()
        while lot := list(islice(rest, _ROWS_AT_ONCE)):
            output.write_table(pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in lot], schema=schema))


def _type(pa: Any, name: str) -> Any:
    if name in ("row", "redactions"):
        return pa.int64()
    return pa.float64() if name.startswith("probability_") else pa.string()
