"""The vault's tables: raw text with a purge date, what it came from, and the way back from clean text."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sqlite_utils import Database, Migrations

from service.errors import KeyFileError
from service.study.database import open_database, scrub, write
from service.vault.cipher import Cipher
from service.vault.keys import Key

migrations = Migrations("vault")
OffsetPair = tuple[int, int, int, int]


@migrations()
def m001_initial(db: Database) -> None:
    """Raw text, its source and the offset maps, all sealed."""
    db.conn.execute(
        "CREATE TABLE seal (id INTEGER PRIMARY KEY CHECK (id = 1), key_id TEXT NOT NULL, proof BLOB NOT NULL) STRICT"
    )
    db.conn.execute(
        "CREATE TABLE raw (voice TEXT PRIMARY KEY, text BLOB NOT NULL, source BLOB NOT NULL, purge_on TEXT NOT NULL) STRICT"
    )
    db.conn.execute(
        "CREATE TABLE offset_maps (voice TEXT NOT NULL, version INTEGER NOT NULL, map BLOB NOT NULL,"
        " PRIMARY KEY (voice, version)) STRICT"
    )


@migrations()
def m002_ledgers(db: Database) -> None:
    """What each participant's names became, so that a later voice gets the same surrogates."""
    db.conn.execute("CREATE TABLE ledgers (participant TEXT PRIMARY KEY, ledger BLOB NOT NULL) STRICT")


@migrations()
def m003_key_ring(db: Database) -> None:
    """Every key that this vault was ever sealed under, the first of them first; ids alone."""
    db.conn.execute("CREATE TABLE known_keys (key_id TEXT PRIMARY KEY, retired INTEGER NOT NULL DEFAULT 0) STRICT")
    db.conn.execute("INSERT INTO known_keys (key_id) SELECT key_id FROM seal")


@dataclass(frozen=True, slots=True)
class RawVoice:
    """What intake seals: the words, the record and person references of the source file, and when to purge.

    `known` are names of people that the source file gives beside the words.
    """

    voice: str
    text: str
    record: str
    participant: str
    purge_on: str
    known: tuple[str, ...] = ()


class Vault:
    """An open vault. KeyFileError on opening when the key is not this study's."""

    def __init__(self, file: Path, key: Key, study_id: str) -> None:
        self._db = open_database(file)
        migrations.apply(self._db)
        self._db.conn.execute("PRAGMA secure_delete = ON")
        self._cipher, self._key_id = Cipher(key, study_id), key.id
        try:
            self._check(key, study_id)
        except BaseException:
            self.close()
            raise

    def _check(self, key: Key, study_id: str) -> None:
        row = self._db.conn.execute("SELECT key_id, proof FROM seal").fetchone()
        if row is None:
            with write(self._db) as connection:
                self._seal(connection, key.id, study_id)
            return
        known = {r["key_id"]: r["retired"] for r in self._db.conn.execute("SELECT key_id, retired FROM known_keys")}
        held = {m.id for m in key.masters}
        if row["key_id"] not in held or known.get(key.id):
            raise _not_this(row["key_id"], rotated=bool(held & set(known)))
        self._cipher.open(row["proof"], "seal", "proof", "1")

    def _seal(self, connection: sqlite3.Connection, key_id: str, study_id: str) -> None:
        proof = self._cipher.seal(study_id, "seal", "proof", "1")
        connection.execute("INSERT INTO seal VALUES (1, ?, ?)", (key_id, proof))
        connection.execute("INSERT OR IGNORE INTO known_keys (key_id) VALUES (?)", (key_id,))

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A write transaction; KeyFileError where the key that would seal was retired since the vault was opened."""
        with write(self._db) as connection:
            if connection.execute("SELECT 1 FROM known_keys WHERE key_id = ? AND retired", (self._key_id,)).fetchone():
                raise _not_this("", rotated=True)
            yield connection

    def put(self, voices: Sequence[RawVoice]) -> None:
        """Seal raw voices; putting the same voice again replaces it."""
        rows = [
            (
                v.voice, self._cipher.seal(v.text, "raw", "text", v.voice),
                self._cipher.seal(json.dumps([v.record, v.participant, *v.known]), "raw", "source", v.voice), v.purge_on,
            )
            for v in voices
        ]  # fmt: skip
        with self._writing() as connection:
            connection.executemany("INSERT OR REPLACE INTO raw VALUES (?, ?, ?, ?)", rows)

    def texts(self, voice_ids: Sequence[str]) -> dict[str, str]:
        """The raw words of those voices that are still here."""
        found: dict[str, str] = {}
        for voice_id in voice_ids:
            row = self._db.conn.execute("SELECT text FROM raw WHERE voice = ?", [voice_id]).fetchone()
            if row is not None:
                found[voice_id] = self._cipher.open(row["text"], "raw", "text", voice_id)
        return found

    def known_people(self, voice_ids: Sequence[str]) -> dict[str, list[str]]:
        """The names that the source file gave beside those voices that are still here."""
        found: dict[str, list[str]] = {}
        for voice_id in voice_ids:
            row = self._db.conn.execute("SELECT source FROM raw WHERE voice = ?", [voice_id]).fetchone()
            if row is not None:
                found[voice_id] = json.loads(self._cipher.open(row["source"], "raw", "source", voice_id))[2:]
        return found

    def put_ledgers(self, ledgers: Mapping[str, Mapping[str, str]]) -> None:
        """Seal each participant's surrogates: keyed digests of names, never the names."""
        rows = [(p, self._cipher.seal(json.dumps(dict(known)), "ledgers", "ledger", p)) for p, known in ledgers.items()]
        with self._writing() as connection:
            connection.executemany("INSERT OR REPLACE INTO ledgers VALUES (?, ?)", rows)

    def ledgers(self, participants: Iterable[str]) -> dict[str, dict[str, str]]:
        """The surrogates of those participants who have some."""
        found: dict[str, dict[str, str]] = {}
        for participant in participants:
            row = self._db.conn.execute("SELECT ledger FROM ledgers WHERE participant = ?", [participant]).fetchone()
            if row is not None:
                found[participant] = json.loads(self._cipher.open(row["ledger"], "ledgers", "ledger", participant))
        return found

    def put_offset_maps(self, maps: Iterable[tuple[str, Sequence[OffsetPair]]], version: int = 1) -> None:
        """Seal, for a version of each voice's clean text, (source start, end, clean start, end) a redaction."""
        rows = [(v, version, self._cipher.seal(json.dumps(m), "offset_maps", "map", f"{v}.{version}")) for v, m in maps]
        with self._writing() as connection:
            connection.executemany("INSERT OR REPLACE INTO offset_maps VALUES (?, ?, ?)", rows)

    def offset_map(self, voice_id: str, version: int) -> list[OffsetPair]:
        """The way back from a version of a clean text; KeyFileError aside, empty once it is purged."""
        row = self._db.conn.execute(
            "SELECT map FROM offset_maps WHERE voice = ? AND version = ?", [voice_id, version]
        ).fetchone()
        if row is None:
            return []
        pairs = json.loads(self._cipher.open(row["map"], "offset_maps", "map", f"{voice_id}.{version}"))
        return [(a, b, c, d) for a, b, c, d in pairs]

    def purge(self, today: str) -> int:
        """Remove raw text and offset maps whose date has come; how many voices."""
        with write(self._db) as connection:
            due = [r[0] for r in connection.execute("SELECT voice FROM raw WHERE purge_on <= ?", [today])]
            connection.executemany("DELETE FROM offset_maps WHERE voice = ?", [(v,) for v in due])
            connection.executemany("DELETE FROM raw WHERE voice = ?", [(v,) for v in due])
        if due:
            self._db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return len(due)

    def erase(self, participant: str, voices: Sequence[str]) -> int:
        """Remove all that is sealed of a person, and write the file anew without it; how many voices were still here."""
        with write(self._db) as connection:
            count = sum(connection.execute("DELETE FROM raw WHERE voice = ?", (v,)).rowcount for v in voices)
            connection.executemany("DELETE FROM offset_maps WHERE voice = ?", [(v,) for v in voices])
            connection.execute("DELETE FROM ledgers WHERE participant = ?", (participant,))
        scrub(self._db)
        return count

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _not_this(sealed_under: str, *, rotated: bool) -> KeyFileError:
    now = f": the vault is sealed under the key {sealed_under}" if sealed_under else ""
    if rotated:
        return KeyFileError(
            f"the key does not open this study's vault, for it was rotated away{now}. Use the newest copy of the key ring",
            why="rotated away",
        )
    return KeyFileError(f"the key does not open this study's vault, for it is the wrong key, or another study's{now}")
