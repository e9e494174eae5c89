"""The chain of what was done: each entry is hashed with the one before it, so that no change to the past goes unseen.

An entry's hash is the SHA-256 of the previous entry's hash and of the entry as canonical JSON. Triggers add an entry for
each act and decision, in the transaction that stores it, whoever writes it. The head (how many entries, and the last
hash) is kept in a file beside the database after each commit, and may be kept elsewhere by people: a chain that was cut
short, or written anew from the start, is whole in itself and differs from its head alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from itertools import chain as joined
from pathlib import Path
from typing import Any

from sqlite_utils import Database

TABLE = """
CREATE TABLE chain (
    seq INTEGER PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,
    counts TEXT NOT NULL, source TEXT NOT NULL, number INTEGER NOT NULL, digest TEXT NOT NULL, hash TEXT NOT NULL
) STRICT
"""
_LAST = (
    "(SELECT coalesce(max(seq), 0) + 1 AS n, coalesce((SELECT hash FROM chain ORDER BY seq DESC LIMIT 1), '') AS last"
    " FROM chain)"
)
_COLUMNS = "at, actor, action, subject, counts, source, number, digest"
WITHDRAWN = "withdraw"
# What is chained, by its table: who did it, what, to what, which counts, and all that the row held.
SOURCES = {
    "audit": ("actor", "{0}action", "subject", "{0}counts", ("at", "actor", "action", "subject", "counts")),
    "decisions": (
        "coder", "'decide ' || {0}action", "segment", "json_object('decision', {0}seq)",
        ("segment", "action", "code", "stance", "start", "end", "suggestion", "undoes", "coder", "at", "seconds", "shown",
         "round", "stream", "probability", "codebook", "codebook_version", "model", "bulk"),
    ),
    "adjudications": (
        "by", "'adjudicate'", "segment", "json_object('adjudication', {0}seq)",
        ("round", "segment", "code", "given", "stance", "start", "end", "by", "at", "codebook_version"),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `counts` is JSON; `source` and `number` say which row of another table it stands for, if any, and
    `digest` is the hash of that row."""

    seq: int
    at: str
    actor: str
    action: str
    subject: str
    counts: str
    source: str
    number: int
    digest: str
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """How long a chain was, and the hash of its last entry; empty for a chain without entries."""

    count: int
    hash: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and from which entry on."""

    seq: int
    problem: str


class Growth:
    """Whether a chain has grown since its head was last kept."""

    def __init__(self) -> None:
        self._grown = False

    def next_hash(self, previous: str, *values: object) -> str:
        """The hash of an entry that is being added."""
        self._grown = True
        return link_hash(previous, values)

    def taken(self) -> bool:
        """Whether it has; and from now on it has not."""
        grown, self._grown = self._grown, False
        return grown


class Connection(sqlite3.Connection):
    """A connection that can add to a chain, and knows when its head is to be kept again."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.growth = Growth()
        self.create_function("chain_digest", -1, digest_of, deterministic=True)
        self.create_function("chain_hash", -1, self.growth.next_hash)


def link_hash(previous: str, values: Iterable[object]) -> str:
    """The hash of an entry: of the one before it, and of all the entry's own columns but its hash."""
    return hashlib.sha256((previous + _canonical(values)).encode()).hexdigest()


def digest_of(*values: object) -> str:
    """The hash of a row of another table."""
    return hashlib.sha256(_canonical(values).encode()).hexdigest()


def _canonical(values: Iterable[object]) -> str:
    return json.dumps(list(values), ensure_ascii=True, separators=(",", ":"), allow_nan=False)


def trigger(table: str) -> str:
    """The statement after which every row that is added to a table of `SOURCES` is chained."""
    return f"CREATE TRIGGER {table}_chained AFTER INSERT ON {table} BEGIN {_chaining(table, 'NEW.', '')}; END"


def chain_old(connection: sqlite3.Connection, tables: Iterable[str]) -> None:
    """Chain the rows that were there before their table was chained, by when they were written."""
    rows = joined.from_iterable(
        ((at, table, seq) for seq, at in connection.execute(f"SELECT seq, at FROM {table}")) for table in tables
    )
    for _, table, seq in sorted(rows):
        connection.execute(_chaining(table, "r.", f" JOIN {table} r ON r.seq = {int(seq)}"))


def _chaining(table: str, row: str, join: str) -> str:
    actor, action, subject, counts, columns = SOURCES[table]
    held = ", ".join(f'{row}"{column}"' for column in columns)
    values = (
        f"{row}at, {row}{actor}, {action.format(row)}, {row}{subject}, {counts.format(row)}, '{table}', {row}seq,"
        f" chain_digest({held})"
    )
    return f"INSERT INTO chain (seq, {_COLUMNS}, hash) SELECT n, {values}, chain_hash(last, n, {values}) FROM {_LAST}{join}"


def add_link(
    connection: sqlite3.Connection,
    *,
    at: str,
    actor: str,
    action: str,
    subject: str,
    counts: Mapping[str, int] | None = None,
) -> None:
    """Chain an act that no other table holds, inside the caller's transaction: ids and counts only."""
    connection.execute(
        f"INSERT INTO chain (seq, {_COLUMNS}, hash) SELECT n, ?1, ?2, ?3, ?4, ?5, '', 0, '',"
        f" chain_hash(last, n, ?1, ?2, ?3, ?4, ?5, '', 0, '') FROM {_LAST}",
        (at, actor, action, subject, json.dumps(dict(counts or {}))),
    )


def head_of(db: Database) -> Head:
    """Where the chain ends now."""
    row = db.conn.execute("SELECT seq, hash FROM chain ORDER BY seq DESC LIMIT 1").fetchone()
    return Head(0, "") if row is None else Head(row["seq"], row["hash"])


def head_file(database: Path) -> Path:
    """Where the head of a database's chain is kept."""
    return database.with_suffix(".head")


def keep_head(db: Database, file: Path) -> None:
    """Keep the head of a chain in its file, whole or not at all."""
    head = head_of(db)
    handle, part = tempfile.mkstemp(dir=file.parent, prefix=".head-")  # readable by its owner alone
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump({"count": head.count, "hash": head.hash}, out)
    Path(part).replace(file)


def kept_head(file: Path) -> Head | None:
    """The head that was kept in a file; None when there is none, or it cannot be read."""
    try:
        held = json.loads(file.read_text("utf-8"))
        return Head(int(held["count"]), str(held["hash"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def faults(db: Database, heads: Iterable[Head]) -> list[Fault]:
    """What contradicts itself in a chain, and what contradicts the heads that were kept of it, by place."""
    entries = [Entry(*row) for row in db.conn.execute("SELECT * FROM chain ORDER BY seq")]
    found = [*_broken(entries), *_beyond(entries, heads), *_unlike(db, entries)]
    return sorted(found, key=lambda fault: fault.seq)


def _broken(entries: Iterable[Entry]) -> Iterable[Fault]:
    expected, previous = 1, ""
    for entry in entries:
        if entry.seq != expected:
            yield Fault(expected, _span(expected, entry.seq - 1) if entry.seq > expected else "its number cannot be")
        elif link_hash(previous, astuple(entry)[:-1]) != entry.hash:
            yield Fault(entry.seq, "it was changed, moved or put in, or the one before it was")
        expected, previous = entry.seq + 1, entry.hash


def _span(first: int, last: int) -> str:
    return "it is missing" if first == last else f"it and those up to {last} are missing"


def _beyond(entries: list[Entry], heads: Iterable[Head]) -> Iterable[Fault]:
    hashes, last = {entry.seq: entry.hash for entry in entries}, entries[-1].seq if entries else 0
    for head in heads:
        if head.count > last:
            yield Fault(last + 1, _span(last + 1, head.count) + ": the chain was cut short")
        elif head.count and hashes.get(head.count) != head.hash:
            yield Fault(head.count, "it is not the one that was the head: it, or one before it, was written anew")


def _unlike(db: Database, entries: Iterable[Entry]) -> Iterable[Fault]:
    """Entries whose row in its own table no longer is what was chained, or is gone though nobody's withdrawal tells of it."""
    now = {table: _digests(db, table) for table in {entry.source for entry in entries if entry.source in SOURCES}}
    gone: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.source not in now:
            continue
        held = now[entry.source].get(entry.number)
        if held is None:
            gone[entry.source].append(entry)
        elif held != entry.digest:
            yield Fault(entry.seq, f"row {entry.number} of the table “{entry.source}”, of which it tells, was changed")
    for table, missing in gone.items():
        if len(missing) != _withdrawn_rows(entries, table):
            words = "is gone, and withdrawals do not account for all that are"
            yield from (
                Fault(e.seq, f"row {e.number} of the table “{table}”, of which it tells, {words}") for e in missing
            )


def _withdrawn_rows(entries: Iterable[Entry], table: str) -> int:
    """How many rows of a table went with people who withdrew, as the chain itself has it."""
    return sum(json.loads(entry.counts).get(table, 0) for entry in entries if entry.action == WITHDRAWN)


def _digests(db: Database, table: str) -> dict[int, str]:
    columns = ", ".join(f'"{column}"' for column in SOURCES[table][-1])
    rows = db.conn.execute(f"SELECT seq, chain_digest({columns}) FROM {table}")
    return dict(rows.fetchall())
