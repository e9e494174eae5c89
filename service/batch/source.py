"""What goes in: a file, or a folder's files in order of name, as windows of answers read one after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from service.batch.window import Window
from service.errors import InputError
from service.files.choose import choose_profile
from service.files.mapping import Profile
from service.files.tables import KINDS, Row, Table, read_table
from service.usecases.answers import Records, answers, open_rows

ROWS_A_WINDOW = 1000
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """A table that was opened, with what its columns mean and the hash of its bytes."""

    table: Table
    profile: Profile
    digest: str


@dataclass(frozen=True, slots=True)
class Size:
    """What checking all rows found: rows, of these confidential ones, answers, and windows."""

    rows: int
    confidential: int
    answers: int
    windows: int


def sources(path: Path, *, profile: Path | None, text_column: str | None) -> tuple[Source, ...]:
    """The tables to read; InputError where there is none, or one that cannot be read."""
    files = _files(path)
    tables = [(file, read_table(file)) for file in files]
    return tuple(
        Source(table, choose_profile(table, profile=profile, text_column=text_column), digest_of(file))
        for file, table in tables
    )


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(f for f in path.iterdir() if f.is_file() and f.suffix.casefold() in KINDS and f.name[0] not in ".~")
    if not found:
        raise InputError(file=path.name, problem=f"the folder holds no file that is read: {', '.join(KINDS)}")
    return found


def digest_of(file: Path) -> str:
    """The SHA-256 of a file's bytes, read in blocks."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def check(read: tuple[Source, ...], rows_a_window: int) -> Size:
    """Read every row before anything is made, so that a fault in the last row costs no run; InputError names it."""
    rows = confidential = found = windows = 0
    for source in read:
        records, mine = Records(source.table, source.profile), 0
        for row, may_be_read in open_rows(source.table, source.profile):
            records.check(row)
            mine += 1
            confidential += not may_be_read
            found += sum(1 for _ in answers(source.table, source.profile, row)) if may_be_read else 0
        rows += mine
        windows += -(-mine // rows_a_window)
    return Size(rows, confidential, found, windows)


def windows(read: tuple[Source, ...], rows_a_window: int) -> Iterator[Window]:
    """The windows in order, numbered from 0 through all files; none reaches from one file into the next."""
    number = 0
    for source in read:
        kept: list[tuple[Row, bool]] = []
        for row in open_rows(source.table, source.profile):
            kept.append(row)
            if len(kept) == rows_a_window:
                yield _window(number, source, kept)
                number, kept = number + 1, []
        if kept:
            yield _window(number, source, kept)
            number += 1


def _window(number: int, source: Source, rows: list[tuple[Row, bool]]) -> Window:
    found = [a for row, may_be_read in rows if may_be_read for a in answers(source.table, source.profile, row)]
    return Window(number, source.table.file, len(rows), found)
