"""Files as tables and cells as values: encodings, delimiters, header rows, symbols, numbers with spreadsheet dust."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlp.errors import IndicatorError
from nlp.findings.indicators.values import Status

HEADER_WITHIN = 10
_SYMBOLS = {s.value: s for s in Status if s not in (Status.OK, Status.MISSING)}
_OLD = {"": Status.MISSING, "-": Status.MISSING, "..": Status.MISSING, "~": Status.MISSING, ":": Status.UNAVAILABLE}


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell holds: a number, or why there is none; `symbol` is its words as they stand, "" for a number."""

    value: float | None
    status: Status
    symbol: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file as a table. `rows` pairs the row's number in the file (the header is 1 where nothing stands above it)."""

    file: str
    sha256: str
    header: tuple[str, ...]
    rows: Sequence[tuple[int, Mapping[str, str]]]
    remarks: tuple[str, ...]


def sheet(
    file: Path, wanted: Sequence[frozenset[str]], same: Mapping[str, str] | None = None, *, words: bool = False
) -> Sheet:
    """The table whose header holds one of the sets `wanted`; `same` maps a spelling to the usual one.

    Titles above the header and a second header row below it (not in a table of `words` alone) are passed over and
    remarked on. IndicatorError names the
    row and column of what cannot be read; it never holds a cell's words.
    """
    content = _content(file)
    text, remarks = _decoded(file, content)
    lines = _lines(file, text)
    if not lines:
        raise IndicatorError(file=file.name, problem="the file has no rows")
    at, header = _header(file, lines, wanted, same or {})
    if at:
        remarks.append(f"{at} rows above the header were passed over.")
    rows = []
    for number, cells in enumerate(lines[at + 1 :], at + 2):
        if not any(c.strip() for c in cells):
            continue
        if not words and number == at + 2 and _is_header_too(cells):
            remarks.append(f"Row {number} is a second header row and was passed over.")
            continue
        rows.append((number, _row(file, number, header, cells)))
    if not rows:
        raise IndicatorError(file=file.name, problem="the file has no rows")
    return Sheet(file.name, hashlib.sha256(content).hexdigest(), header, rows, tuple(remarks))


def leading_names(file: Path) -> list[set[str]]:
    """The cells of each of the first lines, in lower case: one of them is the header."""
    text, _ = _decoded(file, _content(file))
    lines = _lines(file, "".join(text.splitlines(keepends=True)[:HEADER_WITHIN]))
    if not lines:
        raise IndicatorError(file=file.name, problem="the file has no rows")
    return [
        {" ".join(c.split()).casefold().replace("geographical_level", "geographic_level") for c in cells}
        for cells in lines
    ]


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        raise IndicatorError(file=file.name, problem="the file is not there or cannot be read") from None


def _decoded(file: Path, content: bytes) -> tuple[str, list[str]]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _decode(file, content, "utf-16"), ["The file is UTF-16; it was read as such."]
    try:
        return content.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        return _decode(file, content, "cp1252"), ["The file is not UTF-8; it was read as Windows-1252."]


def _decode(file: Path, content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise IndicatorError(file=file.name, problem="not text that can be read; save it as CSV UTF-8") from None


def _lines(file: Path, text: str) -> list[list[str]]:
    first = text.lstrip().split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        raise IndicatorError(file=file.name, problem="not readable as CSV; a quotation mark may be missing") from None


def _header(
    file: Path, lines: Sequence[Sequence[str]], wanted: Sequence[frozenset[str]], same: Mapping[str, str]
) -> tuple[int, tuple[str, ...]]:
    best: tuple[int, frozenset[str]] = (len(wanted[0]) + 1, wanted[0])
    for at, cells in enumerate(lines[:HEADER_WITHIN]):
        names = [_name(c, same) for c in cells]
        while names and not names[-1]:
            names.pop()
        lacking = min((w - set(names) for w in wanted), key=len)
        if not lacking:
            return at, _unique(file, at + 1, names)
        best = min(best, (len(lacking), lacking), key=lambda pair: pair[0])
    raise IndicatorError(file=file.name, row=1, field=min(best[1]), problem="the column is missing")


def _name(cell: str, same: Mapping[str, str]) -> str:
    plain = " ".join(cell.split())
    return same.get(plain.casefold(), plain)


def _unique(file: Path, row: int, names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if not name or names.count(name) > 1:
            problem = "the column stands twice" if name else "a column has no name"
            raise IndicatorError(file=file.name, row=row, field=name, problem=problem)
    return tuple(names)


def _is_header_too(cells: Sequence[str]) -> bool:
    """Whether a row holds words alone, as a second header does: data has a number or a symbol somewhere."""
    filled = [c for c in cells if c.strip()]
    return len(filled) > 1 and not any(
        any(d.isdigit() for d in c) or c.strip().casefold() in {*_SYMBOLS, *_OLD} for c in filled
    )


def _row(file: Path, number: int, header: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    if len(cells) < len(header):
        raise IndicatorError(file=file.name, row=number, problem="the row is cut short")
    if any(c.strip() for c in cells[len(header) :]):
        raise IndicatorError(file=file.name, row=number, problem="the row has more cells than the header")
    return {name: cell.strip() for name, cell in zip(header, cells, strict=False)}


def cell(file: str, row: int, field: str, words: str) -> Cell:
    """A cell's value and status; IndicatorError for what is neither a number nor a known symbol."""
    symbol = words.strip()
    found = status_of(symbol)
    if found is not None:
        return Cell(None, found, symbol)
    try:
        number = float(symbol.replace(",", "").removesuffix("%"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise IndicatorError(
            file=file, row=row, field=field, problem="neither a number nor a known symbol (c, z, x, k, low, u)"
        )
    return Cell(float(f"{number:.12g}"), Status.OK, "")


def status_of(words: str) -> Status | None:
    """The status that a symbol stands for, also in square brackets or of older practice; None for anything else."""
    plain = words.strip().casefold().removeprefix("[").removesuffix("]")
    return _SYMBOLS.get(plain, _OLD.get(plain))


def is_value(words: str) -> bool:
    """Whether a cell holds a number or a symbol."""
    if status_of(words) is not None:
        return True
    try:
        return math.isfinite(float(words.strip().replace(",", "").removesuffix("%")))
    except ValueError:
        return False
