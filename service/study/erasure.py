"""Erasing a person from study.db: every row about them, and their words wherever others quoted them.

Tables are found by what they hold, so that one that is added later is erased from as well.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlite_utils import Database

from service.errors import RecordError
from service.study.vectors import forget_vectors

if TYPE_CHECKING:
    from collections.abc import Iterator

Redact = Callable[[str], str]
# Ids and counts alone, which an account of what was done needs; indicators are published.
RECORDS = ("audit", "chain", "runs", "withdrawals", "jobs", "webhooks", "deliveries")
_NEVER_QUOTE = (
    *RECORDS, "study", "participants", "voices", "clean_texts", "redactions", "doubts", "segments", "matched", "suggestions",
    "decisions", "moved", "draws", "frames", "assignments", "worded", "vectors", "checks", "candidates", "indicator_files",
    "indicator_values", "figures", "corrections", "unkept", "rereads", "counted_people", "bulk_acts", "bulk_ends",
    "passports",
)  # fmt: skip
_NAMES_BY_ID = ("id", "participant", "voice", "segment", "unit", "subject")
# Codes may share a name with somebody: “Hope”.
_WITHOUT_NAMES = ("codebooks", "drafts")


@dataclass(frozen=True, slots=True)
class Person:
    """A participant with the ids of all that is theirs."""

    participant: str
    voices: tuple[str, ...]
    segments: tuple[str, ...]

    @property
    def ids(self) -> str:
        """All the ids, as JSON."""
        return json.dumps([self.participant, *self.voices, *self.segments])


def person_of(db: Database, id_: str) -> Person | None:
    """Whose pseudonym, or whose voice, that is."""
    row = db.conn.execute(
        "SELECT id FROM participants WHERE id = ?1 OR id = (SELECT participant FROM voices WHERE id = ?1)", [id_]
    ).fetchone()
    if row is None:
        return None
    voices = _column(db, "SELECT id FROM voices WHERE participant = ? ORDER BY rowid", row["id"])
    parts = _column(
        db, "SELECT s.id FROM segments s JOIN voices v ON v.id = s.voice WHERE v.participant = ?", row["id"]
    )
    return Person(row["id"], voices, parts)


def _column(db: Database, query: str, parameter: str) -> tuple[str, ...]:
    return tuple(row[0] for row in db.conn.execute(query, [parameter]))


def texts_of(db: Database, person: Person) -> list[str]:
    """Every version of their clean texts."""
    marks = ",".join("?" * len(person.voices))
    return list(_many(db, f"SELECT text FROM clean_texts WHERE voice IN ({marks})", person.voices))


def _many(db: Database, query: str, parameters: Sequence[str]) -> list[str]:
    return [row[0] for row in db.conn.execute(query, list(parameters))]


def erase(connection: sqlite3.Connection, person: Person, redact: Redact, redact_words: Redact) -> dict[str, int]:
    """Erase them, in the caller's transaction; how many rows went from, or were changed in, each table.

    `redact` takes their words and names out of a text, `redact_words` their words alone.
    """
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA defer_foreign_keys = ON")
    counts: Counter[str] = Counter()
    with _loosened(connection):
        connection.execute(
            "DELETE FROM words WHERE rowid IN (SELECT id FROM worded WHERE voice IN (SELECT value FROM json_each(?)))",
            [json.dumps(person.voices)],
        )
        _forget_nearest(connection, person, redact_words)
        _forget_members(connection, person)
        for table, columns in _tables(connection).items():
            if table not in (*RECORDS, "candidates"):
                counts[table] += _delete(connection, table, [c for c in columns if c in _NAMES_BY_ID], person.ids)
        counts += _delete_orphans(connection)
        forget_vectors(connection)
        for table, columns in _tables(connection).items():
            if table not in _NEVER_QUOTE:
                by = redact_words if table in _WITHOUT_NAMES else redact
                counts[f"{table} redacted"] += sum(_redact(connection, table, column, by) for column in columns)
        connection.execute("INSERT INTO words (words) VALUES ('rebuild')")
    return {name: count for name, count in counts.items() if count}


@contextmanager
def _loosened(connection: sqlite3.Connection) -> Iterator[None]:
    """Without the triggers that keep records from being changed; they are back at the end of the block."""
    triggers = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%append-only%'"
    ).fetchall()
    for trigger in triggers:
        connection.execute(f'DROP TRIGGER "{trigger["name"]}"')
    yield
    for trigger in triggers:
        connection.execute(trigger["sql"])


def _tables(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """The columns of text of each ordinary table."""
    names = [
        row["name"]
        for row in connection.execute("PRAGMA table_list")
        if row["schema"] == "main" and row["type"] == "table" and not row["name"].startswith(("sqlite_", "_sqlite"))
    ]
    return {
        name: [c["name"] for c in connection.execute(f'PRAGMA table_info("{name}")') if c["type"] == "TEXT"]
        for name in names
    }


def _delete(connection: sqlite3.Connection, table: str, columns: Sequence[str], ids: str) -> int:
    if not columns:
        return 0
    where = " OR ".join(f'"{column}" IN (SELECT value FROM json_each(?1))' for column in columns)
    return connection.execute(f'DELETE FROM "{table}" WHERE {where}', [ids]).rowcount


def _delete_orphans(connection: sqlite3.Connection) -> Counter[str]:
    """What pointed to rows that are gone, and what pointed to that."""
    counts: Counter[str] = Counter()
    while orphans := {(row[0], row[1]) for row in connection.execute("PRAGMA foreign_key_check")}:
        for table, rowid in orphans:
            if rowid is None:
                raise RecordError(f"the table {table} points to what is to be erased, and cannot be followed")
            counts[table] += connection.execute(f'DELETE FROM "{table}" WHERE rowid = ?', [rowid]).rowcount
    counts["leases"] += connection.execute(
        "DELETE FROM leases WHERE NOT EXISTS"
        " (SELECT 1 FROM draws d WHERE d.round = leases.round AND d.position = leases.position)"
    ).rowcount
    return counts


def _forget_nearest(connection: sqlite3.Connection, person: Person, redact: Redact) -> None:
    """What others' suggestions say they are like: a segment of theirs, or an example that quotes them."""
    connection.execute(
        "UPDATE suggestions SET nearest_segment = '', nearest = ''"
        " WHERE nearest_segment IN (SELECT value FROM json_each(?))",
        [json.dumps(person.segments)],
    )
    for column in ("nearest", "against"):
        for row in connection.execute(f"SELECT DISTINCT {column} AS words FROM suggestions").fetchall():
            if (left := redact(row["words"])) != row["words"]:
                connection.execute(f"UPDATE suggestions SET {column} = ? WHERE {column} = ?", (left, row["words"]))


def _forget_members(connection: sqlite3.Connection, person: Person) -> None:
    """Candidate themes without their segments, and without keywords that nobody else of the theme said."""
    theirs = set(person.segments)
    for row in connection.execute("SELECT id, keywords, members, central, people FROM candidates").fetchall():
        members = json.loads(row["members"])
        left = [m for m in members if m not in theirs]
        if len(left) < len(members):
            said = _said(connection, left)
            keywords = [w for w in json.loads(row["keywords"]) if w.casefold() in said]
            central = [m for m in json.loads(row["central"]) if m not in theirs]
            connection.execute(
                "UPDATE candidates SET keywords = ?, members = ?, central = ?, people = ? WHERE id = ?",
                (json.dumps(keywords), json.dumps(left), json.dumps(central), max(0, row["people"] - 1), row["id"]),
            )


def _said(connection: sqlite3.Connection, segments: Sequence[str]) -> str:
    rows = connection.execute(
        'SELECT substr(c.text, s.start + 1, s."end" - s.start) FROM segments s'
        " JOIN clean_texts c ON c.voice = s.voice AND c.version = s.version"
        " WHERE s.id IN (SELECT value FROM json_each(?))",
        [json.dumps(list(segments))],
    )
    return "\n".join(row[0] for row in rows).casefold()


def _redact(connection: sqlite3.Connection, table: str, column: str, redact: Redact) -> int:
    if next(r for r in connection.execute("PRAGMA table_list") if r["name"] == table)["wr"]:
        return 0  # such tables hold pairs of ids
    changed = 0
    for row in connection.execute(f'SELECT rowid AS at, "{column}" AS words FROM "{table}"').fetchall():
        left = _redacted(row["words"], redact)
        if left != row["words"]:
            connection.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ?', (left, row["at"]))
            changed += 1
    return changed


def _redacted(words: str | None, redact: Redact) -> str | None:
    if not words or not words.lstrip().startswith(("{", "[")):
        return redact(words) if words else words
    try:
        held = json.loads(words)
    except ValueError:
        return redact(words)
    left = _leaves(held, redact)
    return words if left == held else json.dumps(left, ensure_ascii=False)


def _leaves(held: object, redact: Redact) -> object:
    if isinstance(held, str):
        return redact(held)
    if isinstance(held, list):
        return [_leaves(part, redact) for part in held]
    return {key: _leaves(part, redact) for key, part in held.items()} if isinstance(held, dict) else held
