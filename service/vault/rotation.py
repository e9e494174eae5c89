"""Sealing a vault anew under another key: in batches, each a transaction, so that a kill at any moment loses nothing.

What is left to do is read from the fields themselves, which name their key; there is no progress to keep.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from service.errors import KeyFileError
from service.study.database import opening, scrub, write
from service.vault.cipher import key_named
from service.vault.keys import Key
from service.vault.store import Vault, migrations

BATCH = 1000
_LONGEST_NAME = 70  # bytes: the mark, a length, and the longest id of a key
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Field:
    """A sealed column, and how SQL writes the row's name that it is bound to."""

    table: str
    column: str
    row: str


FIELDS = (
    Field("raw", "text", "voice"),
    Field("raw", "source", "voice"),
    Field("offset_maps", "map", "voice || '.' || version"),
    Field("ledgers", "ledger", "participant"),
)


def sealed_under(db: Database) -> dict[str, int]:
    """How many fields of a vault are sealed under each key that it knows, the key of today last. No key is needed."""
    known = [row["key_id"] for row in db.conn.execute("SELECT key_id FROM known_keys WHERE NOT retired ORDER BY rowid")]
    counts = Counter(dict.fromkeys(known, 0))
    for field in FIELDS:
        heads = db.conn.execute(f"SELECT substr({field.column}, 1, {_LONGEST_NAME}) FROM {field.table}")
        counts.update(key_named(row[0]) or known[0] for row in heads)
    return dict(counts)


def uses(file: Path, key_id: str) -> bool:
    """Whether a vault is sealed under that key or has fields that are. No key is needed."""
    with opening(file, lambda db, _: migrations.apply(db)) as db:
        row = db.conn.execute("SELECT key_id FROM seal").fetchone()
        return row is not None and (row["key_id"] == key_id or sealed_under(db).get(key_id, 0) > 0)


class Rotation(Vault):
    """An open vault that is being sealed anew, under the active key of the ring that it was opened with."""

    def __init__(self, file: Path, key: Key, study_id: str) -> None:
        super().__init__(file, key, study_id)
        self._study = study_id
        self.scrubbed = False

    @property
    def key_id(self) -> str:
        """The key that the vault has taken up last."""
        return str(self._db.conn.execute("SELECT key_id FROM seal").fetchone()["key_id"])

    def counts(self) -> dict[str, int]:
        """How many fields are sealed under each key that is not retired."""
        return sealed_under(self._db)

    def left(self) -> int:
        """How many fields are sealed under another key than the active one."""
        return sum(count for key_id, count in self.counts().items() if key_id != self._key_id)

    def exchange(self, current: Callable[[], Key], keep: Callable[[Key], object]) -> Key:
        """A ring with a new key, kept where rings are kept while nobody else can do the same; or the one that somebody
        has kept meanwhile."""
        with write(self._db):
            ring = current()
            if ring.id == self._key_id:
                ring = ring.with_new()
                keep(ring)
        return ring

    def take_up(self) -> None:
        """From now on the vault is sealed under the active key; who comes with a ring without it is refused."""
        if self.key_id == self._key_id:
            return
        with write(self._db) as connection:
            connection.execute("DELETE FROM seal")
            self._seal(connection, self._key_id, self._study)

    def reseal(self, progress: Progress) -> int:
        """Seal every field under the active key that is not yet; how many. KeyFileError names one that does not open,
        and those before it stay done. `scrubbed` says afterwards whether the log could be emptied of what was."""
        total, done = self.left(), 0
        while self.left():
            for field in FIELDS:
                last = 0
                while batch := self._next(field, last):
                    last, count = batch
                    done += count
                    progress(done, max(total, done))
        self.scrubbed = scrub(self._db)
        return done

    def _next(self, field: Field, after: int) -> tuple[int, int] | None:
        """Seal the next batch anew; its last row and how many, None where there is none."""
        head = self._cipher.name
        with write(self._db) as connection:
            rows = connection.execute(
                f"SELECT rowid AS at, {field.row} AS row, {field.column} AS sealed FROM {field.table}"
                f" WHERE rowid > ? AND substr({field.column}, 1, ?) <> ? ORDER BY rowid LIMIT ?",
                (after, len(head), head, BATCH),
            ).fetchall()
            anew = [(self._anew(field, row), row["at"]) for row in rows]
            connection.executemany(f"UPDATE {field.table} SET {field.column} = ? WHERE rowid = ?", anew)
        return (rows[-1]["at"], len(rows)) if rows else None

    def _anew(self, field: Field, row: sqlite3.Row) -> bytes:
        place = (field.table, field.column, row["row"])
        try:
            return self._cipher.seal(self._cipher.open(row["sealed"], *place), *place)
        except KeyFileError as shut:
            raise KeyFileError(f"{field.table}.{field.column} of {row['row']}: {shut}") from None

    def retire(self, key_id: str) -> None:
        """Let nothing be sealed under a key any more; KeyFileError where something still is, or it is the one in use."""
        with write(self._db) as connection:
            known: Mapping[str, int] = self.counts()
            if key_id == self.key_id or known.get(key_id):
                raise KeyFileError(
                    f"{known[key_id]:,} fields of the vault are sealed under the key {key_id}, or it is the one in use;"
                    " nothing was retired"
                )
            connection.execute("UPDATE known_keys SET retired = 1 WHERE key_id = ?", (key_id,))
