"""The audit of a chain: a page of it, a file of it, and whether it is whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from sqlite_utils import Database

from service.errors import RecordError
from service.study.chain import Entry, Fault, Head, faults, head_file, head_of, kept_head
from service.study.trail import Wanted, actors, count_trail, trail

PAGE = 100
ACCOUNTS = "accounts"  # the name of the record of sign-ins and accounts
_TOLD = 20


@dataclass(frozen=True, slots=True)
class TrailPage:
    """One page, newest first; `total` entries fit over `pages`."""

    entries: tuple[Entry, ...]
    page: int
    pages: int
    total: int
    actors: tuple[str, ...]
    head: Head


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of a chain found: how many entries it looked at, and the first faults by place."""

    count: int
    faults: tuple[Fault, ...]


def trail_page(db: Database, wanted: Wanted, page: int) -> TrailPage:
    """A page of the entries that fit; past the last page, the last."""
    total = count_trail(db, wanted)
    pages = max(1, -(-total // PAGE))
    at = min(max(page, 1), pages)
    found = tuple(trail(db, wanted, limit=PAGE, skip=PAGE * (at - 1)))
    return TrailPage(found, at, pages, total, tuple(actors(db)), head_of(db))


def verify(db: Database, file: Path, heads: Iterable[Head] = ()) -> Verdict:
    """Whether the chain in a database file is whole, ends where its kept head says, and holds the other `heads`."""
    kept, now = kept_head(head_file(file)), head_of(db)
    found = faults(db, [*heads, *([kept] if kept else [])])
    if kept is None and now.count:
        found.append(
            Fault(now.count, "the file that keeps the head is missing: whether entries came after is not known")
        )
    return Verdict(now.count, tuple(found[:_TOLD]))


def as_seal(name: str, head: Head) -> str:
    """A head as people write it down: the record's name, how many entries, and the hash."""
    return f"{name}:{head.count}:{head.hash}"


def seal_from(words: str) -> tuple[str, Head]:
    """The record's name and the head of a seal; RecordError when it is none."""
    name, _, rest = words.strip().partition(":")
    count, _, hash_ = rest.partition(":")
    if not count.isdecimal() or len(hash_) != 64:
        raise RecordError("a seal is the record's name, a number and 64 letters and digits, with colons between them")
    return name, Head(int(count), hash_.lower())


def as_csv(entries: Iterable[Entry]) -> Iterator[str]:
    """The lines of a CSV file; what a spreadsheet would take for a formula is marked as text."""
    yield _line([field.name for field in fields(Entry)])
    for entry in entries:
        yield _line([_safe(value) for value in astuple(entry)])


def _safe(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _line(values: Sequence[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue()
