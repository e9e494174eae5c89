"""CSV and its kin: any usual encoding and delimiter, read line by line."""

from __future__ import annotations

import codecs
import csv
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from service.errors import InputError
from service.files.tables import Row, Table, columns_of, header_of, rows_of

LONGEST_LINE = 4_000_000
_DELIMITERS = (",", ";", "\t", "|")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_BLOCK = 1 << 20
_FIRST = 3

csv.field_size_limit(LONGEST_LINE)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a text file's bytes become words, and a note where that is not plain UTF-8."""

    name: str
    note: str = ""


def read_delimited(file: Path) -> Table:
    """The table in a CSV or TSV file; InputError names the row whose bytes or quotation marks are wrong."""
    encoding = encoding_of(file)
    first = list(itertools.islice(_records(file, encoding), _FIRST))
    if not any(cell.strip() for record in first for cell in record):
        raise InputError(file=file.name, problem="the file is empty")
    header, questions, skipped = header_of(first)
    columns = columns_of(file.name, header)

    def rows() -> Iterator[Row]:
        records = itertools.islice(_records(file, encoding), skipped, None)
        return rows_of(file.name, columns, records, skipped + 1)

    return Table(file.name, columns, questions, (encoding.note,) if encoding.note else (), rows)


def encoding_of(file: Path) -> Encoding:
    """UTF-16 by its mark, else UTF-8, else Windows-1252; InputError names the row where all of them fail."""
    with file.open("rb") as content:
        if content.read(2) in _UTF16:
            _check(file, "utf-16", "begins as UTF-16 but is not")
            return Encoding("utf-16", "The file was read as UTF-16.")
    if _is_utf8(file):
        return Encoding("utf-8-sig")
    _check(file, "cp1252", "neither UTF-8 nor Windows-1252. Save it as CSV UTF-8 and try again")
    return Encoding("cp1252", "The file is not UTF-8; it was read as Windows-1252.")


def _is_utf8(file: Path) -> bool:
    row = 1
    try:
        for words in _blocks(file, "utf-8"):
            if "\0" in words:
                row += words.count("\n", 0, words.index("\0"))
                problem = "wrong encoding: the file holds null bytes. Save it as CSV UTF-8"
                raise InputError(file=file.name, row=row, problem=problem)
            row += words.count("\n")
    except UnicodeDecodeError:
        return False
    return True


def _check(file: Path, encoding: str, problem: str) -> None:
    row = 1
    try:
        for words in _blocks(file, encoding):
            odd = _CONTROL.search(words) if encoding == "cp1252" else None
            row += words.count("\n", 0, odd.start() if odd else len(words))
            if odd:
                break
        else:
            return
    except UnicodeDecodeError as bad:
        row += bad.object.count(b"\n", 0, bad.start)
    raise InputError(file=file.name, row=row, problem=f"wrong encoding: {problem}")


def _blocks(file: Path, encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    with file.open("rb") as content:
        while block := content.read(_BLOCK):
            yield decoder.decode(block)
    yield decoder.decode(b"", final=True)


def _records(file: Path, encoding: Encoding) -> Iterator[list[str]]:
    with file.open(encoding=encoding.name, newline="") as content:
        delimiter = max(_DELIMITERS, key=content.readline(LONGEST_LINE).count)
        content.seek(0)
        reader = csv.reader(_lines(file.name, content), delimiter=delimiter, strict=True)
        number = 0
        try:
            for number, record in enumerate(reader, 1):  # noqa: B007 - needed when the reader fails
                yield record
        except csv.Error:
            problem = "a quotation mark is opened and not closed, or stands in the wrong place"
            raise InputError(file=file.name, row=number + 1, problem=problem) from None


def _lines(name: str, content: TextIO) -> Iterator[str]:
    """Lines, none of them longer than memory should hold: a file without a line break is no table."""
    number = 0
    while line := content.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise InputError(file=name, row=number, problem=f"the line is longer than {LONGEST_LINE:,} characters")
        yield line
